// A file of batches, as recovery and readers walk it. The CRC is computed but not insisted on, since the
// fuzzer could hardly get past it; what recovery would refuse is decoded all the same.
#include "fuzz/fuzz.hpp"

#include <cstring>
#include <vector>

#include "format/batch/batch_check.hpp"
#include "format/batch/batch_rebuilder.hpp"
#include "format/batch/control_record.hpp"
#include "format/batch/record_cursor.hpp"
#include "format/batch/record_section.hpp"
#include "format/batch_header.hpp"

namespace seriatim::test {
namespace {

using namespace seriatim::format;

bool same(BytesView a, BytesView b) {
  return a.is_null() == b.is_null() && a.size() == b.size() &&
         (a.size() == 0 || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

// Every record, or none if the section is malformed.
bool decode(const BatchHeader& header, base::ByteSpan section, std::vector<KeptRecord>& out) {
  out.clear();
  RecordCursor cursor(section, header.record_count, header.last_offset_delta);
  DecodedRecord record;
  auto step = cursor.next(record);
  for (; step == RecordCursor::Step::record; step = cursor.next(record)) {
    HeaderCursor headers(record.headers, record.header_count);
    for (HeaderView view; headers.next(view);) {
    }
    SERIATIM_ASSERT(headers.is_finished());
    out.push_back(keep_record(header, record));
  }
  SERIATIM_ASSERT(cursor.next(record) == step);
  return step == RecordCursor::Step::end;
}

// A batch that was read and written again reads the same.
void check_rebuild(const BatchHeader& header, const std::vector<KeptRecord>& records) {
  BatchRebuilder rebuilder;
  const Result<FramedBatch> rebuilt = rebuilder.rebuild(header, records, {});
  SERIATIM_ASSERT(rebuilt.ok());
  SERIATIM_ASSERT(check_batch(rebuilt->bytes, header.base_offset) == BatchFault::none);
  const BatchHeader again = read_batch_header(rebuilt->bytes.data());
  SERIATIM_ASSERT(again.last_offset() == header.last_offset() && again.producer_id == header.producer_id);
  std::vector<std::byte> scratch;
  const Result<base::ByteSpan> section = record_section(rebuilt->bytes, 2 * fuzz_section_bytes_max, scratch);
  SERIATIM_ASSERT(section.ok());
  std::vector<KeptRecord> others;
  SERIATIM_ASSERT(decode(again, *section, others) && others.size() == records.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    SERIATIM_ASSERT(others[i].offset_delta == records[i].offset_delta);
    SERIATIM_ASSERT(others[i].timestamp_ms == records[i].timestamp_ms);
    SERIATIM_ASSERT(same(others[i].key, records[i].key) && same(others[i].value, records[i].value));
    SERIATIM_ASSERT(others[i].header_count == records[i].header_count);
  }
}

void walk(base::ByteSpan file) {
  std::vector<std::byte> scratch;
  std::vector<KeptRecord> records;
  Offset expected = 0;
  while (check_structure(file, expected) == BatchFault::none) {
    const BatchHeader header = read_batch_header(file.data());
    const base::ByteSpan batch = file.first(header.size_bytes());
    SERIATIM_ASSERT((check_batch(file, expected) == BatchFault::none) == crc_is_valid(batch));
    if (header.is_control()) read_control_batch(batch);
    const Result<base::ByteSpan> section = record_section(batch, fuzz_section_bytes_max, scratch);
    if (section.ok() && decode(header, *section, records)) check_rebuild(header, records);
    expected = header.next_offset();
    file = file.subspan(batch.size());
  }
}

}  // namespace
}  // namespace seriatim::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  seriatim::test::walk(seriatim::test::fuzz_input(data, size));
  return 0;
}
