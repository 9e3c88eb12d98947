#include "dump/dump_log.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "format/batch/batch_check.hpp"
#include "format/batch/control_record.hpp"
#include "format/batch/record_cursor.hpp"
#include "format/batch/record_section.hpp"
#include "format/batch_header.hpp"
#include "format/batch_layout.hpp"

#include "interrupt.hpp"

namespace seriatim::cli {
namespace {

using format::BatchFault;
using format::BatchHeader;

// The size to which a batch may expand, so that a hostile one cannot take all memory: no record can be
// larger.
constexpr std::size_t section_bytes_max = 0x7fffffff;

Json describe(const BatchHeader& header, std::uint64_t position, bool is_valid) {
  return {{"base_offset", header.base_offset},
          {"last_offset", header.last_offset()},
          {"count", header.record_count},
          {"base_sequence", header.base_sequence},
          {"last_sequence", header.last_sequence()},
          {"producer_id", header.producer_id},
          {"producer_epoch", header.producer_epoch},
          {"leader_epoch", header.leader_epoch},
          {"transactional", header.is_transactional()},
          {"control", header.is_control()},
          {"delete_horizon", header.has_delete_horizon()},
          {"position", position},
          {"timestamp_type", header.uses_log_append_time() ? "LogAppendTime" : "CreateTime"},
          {"max_timestamp", header.max_timestamp_ms},
          {"size", header.size_bytes()},
          {"magic", header.magic},
          {"codec", std::string(format::name(header.codec()))},
          {"crc", header.crc},
          {"valid", is_valid}};
}

Json describe(const BatchHeader& header, const format::DecodedRecord& record) {
  Json row = {{"offset", header.base_offset + record.offset_delta},
              {"timestamp", header.record_timestamp_ms(record.timestamp_delta)}};
  if (header.is_control()) {
    const auto control = format::parse_control_record(record.key, record.value);
    row["control_type"] = !control               ? "malformed"
                          : control->is_commit() ? "commit"
                          : control->is_abort()  ? "abort"
                                                 : "other";
    if (control) row["coordinator_epoch"] = control->coordinator_epoch;
    return row;
  }
  put_nullable_bytes(row, "key", record.key);
  put_nullable_bytes(row, "value", record.value);
  Json headers = Json::array();
  format::HeaderCursor cursor(record.headers, record.header_count);
  for (HeaderView header_view; cursor.next(header_view);) {
    Json one = Json::object();
    put_nullable_bytes(one, "name", header_view.key);
    put_nullable_bytes(one, "value", header_view.value);
    headers.push_back(std::move(one));
  }
  row["headers"] = std::move(headers);
  return row;
}

ExitCode dump_records(const BatchHeader& header, base::ByteSpan batch, std::vector<std::byte>& scratch,
                      DumpWriter& writer) {
  const auto section = format::record_section(batch, section_bytes_max, scratch);
  if (!section.ok()) {
    writer.row({{"fault", section.error().message()}}, "| ");
    return section.error().code() == Errc::unsupported_codec ? ExitCode::ok : ExitCode::damage;
  }
  format::RecordCursor cursor(*section, header.record_count, header.last_offset_delta);
  format::DecodedRecord record;
  auto step = cursor.next(record);
  for (; step == format::RecordCursor::Step::record; step = cursor.next(record))
    writer.row(describe(header, record), "| ");
  if (step == format::RecordCursor::Step::end) return ExitCode::ok;
  writer.row({{"fault", "a record's lengths do not fit its batch"}}, "| ");
  return ExitCode::damage;
}

// Reads the batch at `position` as far as its header declares it and the file reaches.
Result<> read_batch(const StoredFile& file, std::uint64_t position, std::vector<std::byte>& batch) {
  const Result<> read = file.read(position, format::header_bytes, batch);
  if (!read.ok() || batch.size() < format::header_bytes) return read;
  const BatchHeader header = format::read_batch_header(batch.data());
  if (header.length < 0) return {};
  const std::uint64_t size = std::min<std::uint64_t>(header.size_bytes(), file.size() - position);
  if (size <= batch.size()) return {};
  return file.read(position, static_cast<std::size_t>(size), batch);
}

ExitCode report_end(BatchFault fault, std::uint64_t position, std::uint64_t file_size, DumpWriter& writer) {
  if (position == file_size) return ExitCode::ok;
  const bool is_damage =
      fault != BatchFault::end_of_log && fault != BatchFault::truncated && fault != BatchFault::unpublished;
  writer.row({{"position", position},
              {"fault", std::string(format::describe(fault))},
              {"bytes_left", file_size - position}});
  return is_damage ? ExitCode::damage : ExitCode::ok;
}

}  // namespace

ExitCode dump_batch(base::ByteSpan batch, bool with_records, std::string_view prefix, DumpWriter& writer) {
  const BatchFault fault = format::check_structure(batch, 0);
  if (fault != BatchFault::none) {
    writer.row({{"fault", std::string(format::describe(fault))}}, prefix);
    return ExitCode::damage;
  }
  const BatchHeader header = format::read_batch_header(batch.data());
  const bool is_valid = format::crc_is_valid(batch);
  Json row = describe(header, 0, is_valid);
  row.erase("position");
  writer.row(row, prefix);
  if (!is_valid) return ExitCode::damage;
  std::vector<std::byte> scratch;
  return with_records ? dump_records(header, batch, scratch, writer) : ExitCode::ok;
}

Result<ExitCode> dump_log(const StoredFile& file, Offset base, bool with_records, DumpWriter& writer) {
  std::vector<std::byte> batch;
  std::vector<std::byte> scratch;
  Offset lowest = base;
  ExitCode outcome = ExitCode::ok;
  std::uint64_t position = 0;
  while (position < file.size() && !writer.is_over()) {
    const Result<> read = read_batch(file, position, batch);
    if (!read.ok()) return read.error();
    const BatchFault fault = format::check_structure(batch, lowest);
    if (fault != BatchFault::none) {
      const ExitCode end = report_end(fault, position, file.size(), writer);
      return outcome == ExitCode::ok ? end : outcome;
    }
    const BatchHeader header = format::read_batch_header(batch.data());
    const base::ByteSpan whole = base::ByteSpan(batch).first(header.size_bytes());
    const bool is_valid = format::crc_is_valid(whole);
    writer.row(describe(header, position, is_valid));
    if (!is_valid) outcome = ExitCode::damage;
    if (is_valid && with_records && dump_records(header, whole, scratch, writer) != ExitCode::ok)
      outcome = ExitCode::damage;
    position += header.size_bytes();
    lowest = header.next_offset();
  }
  return outcome;
}

}  // namespace seriatim::cli
