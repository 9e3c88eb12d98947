#include "segment_refilter.hpp"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <map>
#include <ostream>
#include <set>
#include <vector>

#include "format/batch/batch_check.hpp"
#include "format/batch/batch_rebuilder.hpp"
#include "format/batch/record_cursor.hpp"
#include "format/batch/record_section.hpp"
#include "segment_dump.hpp"

namespace seriatim::kafka_test {
namespace {

using Batches = std::map<Offset, base::ByteSpan>;

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file)
    return Error(Errc::not_found, "cannot open '" + path + "' for reading: give the path of a .log file");
  std::string content{std::istreambuf_iterator<char>(file), {}};
  if (file.bad()) return Error(Errc::io_error, "reading '" + path + "' failed: check the disk");
  return content;
}

Result<Batches> split(const std::string& content, const std::string& path) {
  Batches batches;
  base::ByteSpan rest = base::as_bytes(content);
  Offset lowest = 0;
  while (!rest.empty()) {
    const format::BatchFault fault = format::check_batch(rest, lowest);
    if (fault != format::BatchFault::none) {
      return Error(Errc::corrupt_record, path + " from byte " + std::to_string(content.size() - rest.size()) +
                                             ": " + std::string(format::describe(fault)) +
                                             "; give a whole .log file");
    }
    const format::BatchHeader header = format::read_batch_header(rest.data());
    batches[header.base_offset] = rest.first(header.size_bytes());
    rest = rest.subspan(header.size_bytes());
    lowest = header.next_offset();
  }
  return batches;
}

Result<std::vector<format::KeptRecord>> decode(base::ByteSpan batch, std::vector<std::byte>& scratch) {
  const format::BatchHeader header = format::read_batch_header(batch.data());
  auto section = format::record_section(batch, section_bytes_max, scratch);
  if (!section) return section.error();
  std::vector<format::KeptRecord> records;
  format::RecordCursor cursor(*section, header.record_count, header.last_offset_delta);
  format::DecodedRecord record;
  auto step = cursor.next(record);
  for (; step == format::RecordCursor::Step::record; step = cursor.next(record)) {
    records.push_back(format::keep_record(header, record));
  }
  if (step == format::RecordCursor::Step::malformed) {
    return Error(Errc::corrupt_record, "the records of the batch at offset " +
                                           std::to_string(header.base_offset) + " do not parse");
  }
  return records;
}

// Encodes what stayed of `before`; `after` only says which offsets those are, and the delete horizon.
Result<base::ByteSpan> rebuild(format::BatchRebuilder& rebuilder, base::ByteSpan before,
                               base::ByteSpan after) {
  std::vector<std::byte> scratch_before;
  std::vector<std::byte> scratch_after;
  auto originals = decode(before, scratch_before);
  if (!originals) return originals.error();
  const auto left = decode(after, scratch_after);
  if (!left) return left.error();
  std::set<std::int32_t> deltas;
  for (const format::KeptRecord& record : *left) deltas.insert(record.offset_delta);
  std::erase_if(*originals,
                [&](const format::KeptRecord& record) { return deltas.count(record.offset_delta) == 0; });
  const format::BatchHeader header = format::read_batch_header(after.data());
  format::RebuildOptions options;
  if (header.has_delete_horizon()) options.delete_horizon_ms = header.base_timestamp_ms;
  auto made = rebuilder.rebuild(format::read_batch_header(before.data()), *originals, options);
  if (!made) return made.error();
  format::stamp_base_offset(made->bytes.data(), header.base_offset);
  return base::ByteSpan(made->bytes);
}

}  // namespace

Result<> refilter(const std::string& before_path, const std::string& after_path, const std::string& out_path,
                  std::ostream& report) {
  const auto before_file = read_file(before_path);
  if (!before_file) return before_file.error();
  const auto after_file = read_file(after_path);
  if (!after_file) return after_file.error();
  const auto before = split(*before_file, before_path);
  if (!before) return before.error();
  const auto after = split(*after_file, after_path);
  if (!after) return after.error();

  std::ofstream out(out_path, std::ios::binary | std::ios::trunc);
  format::BatchRebuilder rebuilder;
  std::size_t copied = 0;
  for (const auto& [base_offset, batch] : *after) {
    const auto original = before->find(base_offset);
    if (original == before->end()) {
      return Error(Errc::corrupt_record, after_path + " has a batch at offset " +
                                             std::to_string(base_offset) + " that " + before_path + " lacks");
    }
    base::ByteSpan bytes = original->second;
    if (std::ranges::equal(bytes, batch)) {
      ++copied;
    } else {
      const auto made = rebuild(rebuilder, bytes, batch);
      if (!made) return made.error();
      bytes = *made;
    }
    out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }
  out.close();
  if (!out) return Error(Errc::io_error, "writing '" + out_path + "' failed: check the disk and the path");
  report << "{\"copied\":" << copied << ",\"rebuilt\":" << after->size() - copied << "}\n";
  return {};
}

}  // namespace seriatim::kafka_test
