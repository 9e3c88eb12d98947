#include "format/batch/batch_check.hpp"

#include <algorithm>
#include <limits>

#include "base/crc32c.hpp"
#include "format/batch_header.hpp"

namespace seriatim::format {
namespace {

bool is_zero(base::ByteSpan bytes) noexcept {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}

BatchFault check_offsets(const BatchHeader& header, Offset lowest_allowed_base) noexcept {
  if (header.base_offset < std::max(lowest_allowed_base, Offset{0})) return BatchFault::wrong_offset;
  if (header.last_offset_delta < 0) return BatchFault::bad_count;
  // One below the maximum, so that the offset after the batch exists too.
  if (header.base_offset >= std::numeric_limits<Offset>::max() - header.last_offset_delta) {
    return BatchFault::wrong_offset;
  }
  const std::int64_t count_max = std::int64_t{header.last_offset_delta} + 1;
  if (header.record_count < 0 || header.record_count > count_max) return BatchFault::bad_count;
  return BatchFault::none;
}

bool producer_is_consistent(const BatchHeader& header) noexcept {
  // Kafka looks at neither epoch nor sequence then, and several of its clients leave 0 there.
  if (!header.has_producer()) return !header.is_transactional();
  if (header.producer_id < 0 || header.producer_epoch < 0) return false;
  // Markers, and what Kafka's own coordinators write within a transaction, carry no sequence.
  return header.base_sequence >= (header.is_transactional() ? no_sequence : 0);
}

}  // namespace

std::string_view describe(BatchFault fault) noexcept {
  switch (fault) {
    case BatchFault::none:
      return "no fault";
    case BatchFault::end_of_log:
      return "the log ends here";
    case BatchFault::unpublished:
      return "the batch was not finished (magic is 0)";
    case BatchFault::truncated:
      return "the bytes end before the batch does";
    case BatchFault::bad_length:
      return "the declared length is smaller than a batch header";
    case BatchFault::bad_magic:
      return "the format version (magic) is not 2";
    case BatchFault::bad_attributes:
      return "the compression codec does not exist";
    case BatchFault::wrong_offset:
      return "the base offset is not the expected one";
    case BatchFault::bad_count:
      return "the numbers of records and offsets contradict each other";
    case BatchFault::bad_leader_epoch:
      return "the leader epoch is below -1";
    case BatchFault::bad_producer:
      return "producer id, epoch and sequence contradict each other";
    case BatchFault::bad_crc:
      return "the checksum does not fit the bytes";
    case BatchFault::undecided:
      return "it commits a transaction whose decision did not survive";
  }
  return "unknown fault";
}

BatchFault check_structure(base::ByteSpan bytes_from_here, Offset lowest_allowed_base) noexcept {
  if (bytes_from_here.size() < header_bytes) {
    return is_zero(bytes_from_here) ? BatchFault::end_of_log : BatchFault::truncated;
  }
  const BatchHeader header = read_batch_header(bytes_from_here.data());
  if (header.length < length_min) {
    const bool unused = header.length == 0 && is_zero(bytes_from_here.first(header_bytes));
    return unused ? BatchFault::end_of_log : BatchFault::bad_length;
  }
  if (header.size_bytes() > bytes_from_here.size()) return BatchFault::truncated;
  if (header.magic == unpublished_magic) return BatchFault::unpublished;
  if (header.magic != batch_magic) return BatchFault::bad_magic;
  if (header.codec() > Codec::zstd) return BatchFault::bad_attributes;
  const BatchFault offsets = check_offsets(header, lowest_allowed_base);
  if (offsets != BatchFault::none) return offsets;
  if (header.leader_epoch < -1) return BatchFault::bad_leader_epoch;
  return producer_is_consistent(header) ? BatchFault::none : BatchFault::bad_producer;
}

bool crc_is_valid(base::ByteSpan whole_batch) noexcept {
  if (whole_batch.size() < header_bytes) return false;
  return base::load_be<std::uint32_t>(whole_batch.data() + crc_at) ==
         base::crc32c(whole_batch.subspan(crc_covers_from));
}

BatchFault check_batch(base::ByteSpan bytes_from_here, Offset lowest_allowed_base) noexcept {
  const BatchFault fault = check_structure(bytes_from_here, lowest_allowed_base);
  if (fault != BatchFault::none) return fault;
  const std::size_t size = read_batch_header(bytes_from_here.data()).size_bytes();
  return crc_is_valid(bytes_from_here.first(size)) ? BatchFault::none : BatchFault::bad_crc;
}

}  // namespace seriatim::format
