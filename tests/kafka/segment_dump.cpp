#include "segment_dump.hpp"

#include <cstdint>
#include <fstream>
#include <iterator>
#include <ostream>
#include <vector>

#include "format/batch/batch_check.hpp"
#include "format/batch/record_cursor.hpp"
#include "format/batch/record_section.hpp"
#include "json_lines.hpp"

namespace seriatim::kafka_test {
namespace {

class Walk {
 public:
  Walk(base::ByteSpan file, std::ostream& out) : file_(file), out_(out) {}

  bool run() {
    for (;;) {
      const base::ByteSpan rest = file_.subspan(position_);
      const format::BatchFault fault = format::check_structure(rest, lowest_offset_);
      if (is_end(fault)) {
        out_ << end_line(position_) << '\n';
        return true;
      }
      if (fault != format::BatchFault::none) return failed(format::describe(fault));
      if (!batch(rest)) return false;
    }
  }

 private:
  static bool is_end(format::BatchFault fault) {
    return fault == format::BatchFault::end_of_log || fault == format::BatchFault::truncated;
  }

  bool failed(std::string_view message) {
    out_ << fault_line(position_, message) << '\n';
    return false;
  }

  bool batch(base::ByteSpan rest) {
    const format::BatchHeader header = format::read_batch_header(rest.data());
    const base::ByteSpan whole = rest.first(header.size_bytes());
    out_ << batch_line(header, position_, format::crc_is_valid(whole)) << '\n';
    const auto section = format::record_section(whole, section_bytes_max, scratch_);
    if (!section) return failed(section.error().message());
    format::RecordCursor cursor(*section, header.record_count, header.last_offset_delta);
    format::DecodedRecord record;
    auto step = cursor.next(record);
    for (; step == format::RecordCursor::Step::record; step = cursor.next(record)) {
      if (!print(header, record)) return failed("the control record does not parse");
    }
    if (step == format::RecordCursor::Step::malformed) return failed("the records do not parse");
    position_ += header.size_bytes();
    lowest_offset_ = header.next_offset();
    return true;
  }

  bool print(const format::BatchHeader& header, const format::DecodedRecord& record) {
    std::vector<HeaderView> headers;
    format::HeaderCursor cursor(record.headers, record.header_count);
    for (HeaderView view; cursor.next(view);) headers.push_back(view);
    RecordLine line;
    line.offset = header.base_offset + record.offset_delta;
    line.timestamp_ms = header.record_timestamp_ms(record.timestamp_delta);
    if (header.base_sequence >= 0)
      line.sequence = format::advance_sequence(header.base_sequence, record.offset_delta);
    line.key = record.key;
    line.value = record.value;
    line.headers = headers;
    if (header.is_control()) {
      line.control = format::parse_control_record(record.key, record.value);
      if (!line.control) return false;
    }
    out_ << record_line(line) << '\n';
    return true;
  }

  base::ByteSpan file_;
  std::ostream& out_;
  std::uint64_t position_ = 0;
  Offset lowest_offset_ = 0;
  std::vector<std::byte> scratch_;
};

}  // namespace

Result<bool> dump_segment(const std::string& path, std::ostream& out) {
  std::ifstream file(path, std::ios::binary);
  if (!file)
    return Error(Errc::not_found, "cannot open '" + path + "' for reading: give the path of a .log file");
  const std::string content{std::istreambuf_iterator<char>(file), {}};
  if (file.bad()) return Error(Errc::io_error, "reading '" + path + "' failed: check the disk");
  return Walk(base::as_bytes(content), out).run();
}

}  // namespace seriatim::kafka_test
