#include "partition/read/fetched_records.hpp"

#include <string>

#include "format/batch/record_section.hpp"

namespace seriatim::partition {
namespace {

std::string place_of(const PartitionLog& log, const FetchedBatch& batch, Offset at) {
  return (*batch.segment)->log_path() + " at position " + std::to_string(batch.position) + ", offset " +
         std::to_string(at) + " of " + log.name().topic + "-" + std::to_string(log.name().partition);
}

// The batch's own header passed its checks, so what follows it can be told.
std::string way_on(const FetchedBatch& batch) {
  return "; the next batch begins at offset " + std::to_string(batch.header.next_offset()) +
         ": seek there to go on, and run `seriatim verify` to see the whole extent";
}

}  // namespace

Result<base::ByteSpan> record_section(const PartitionLog& log, const FetchedBatch& batch,
                                      std::vector<std::byte>& scratch) {
  auto section = format::record_section(batch.bytes, section_bytes_max, scratch);
  if (section) return section;
  const Error& cause = section.error();
  if (cause.code() == Errc::corrupt_record) log.counters().corrupt_batches.add();
  return Error(cause.code(),
               place_of(log, batch, batch.header.base_offset) + ": " + cause.message() + way_on(batch),
               cause.sys_errno());
}

Error malformed_records(const PartitionLog& log, const FetchedBatch& batch, Offset at) {
  log.counters().corrupt_batches.add();
  return {Errc::corrupt_record,
          place_of(log, batch, at) +
              ": the batch's checksum is right but its records do not parse from here on" + way_on(batch)};
}

}  // namespace seriatim::partition
