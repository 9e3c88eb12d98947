// A records section by itself: the first byte is the declared count. A section that decodes is encoded and
// decoded again.
#include "fuzz/fuzz.hpp"

#include <cstring>
#include <vector>

#include "format/batch/record_cursor.hpp"
#include "format/batch/record_encoder.hpp"

namespace seriatim::test {
namespace {

using namespace seriatim::format;

bool within(base::ByteSpan section, const void* data, std::size_t size) {
  const auto* at = static_cast<const std::byte*>(data);
  return size == 0 || (at >= section.data() && at + size <= section.data() + section.size());
}

void check_encoding(const DecodedRecord& record) {
  const RecordFields fields{.timestamp_delta = record.timestamp_delta,
                            .offset_delta = record.offset_delta,
                            .key = record.key,
                            .value = record.value,
                            .header_count = static_cast<std::size_t>(record.header_count)};
  const std::size_t body_bytes = body_size(fields, record.headers.size());
  std::vector<std::byte> encoded(length_size(body_bytes) + body_bytes);
  std::byte* const headers = encode_before_headers(encoded.data(), body_bytes, fields);
  SERIATIM_ASSERT(headers + record.headers.size() == encoded.data() + encoded.size());
  if (!record.headers.empty()) std::memcpy(headers, record.headers.data(), record.headers.size());
  RecordCursor cursor(encoded, 1);
  DecodedRecord again;
  SERIATIM_ASSERT(cursor.next(again) == RecordCursor::Step::record);
  SERIATIM_ASSERT(again.offset_delta == record.offset_delta &&
                  again.timestamp_delta == record.timestamp_delta);
  SERIATIM_ASSERT(again.key.is_null() == record.key.is_null() && again.key.size() == record.key.size());
  SERIATIM_ASSERT(again.value.is_null() == record.value.is_null() &&
                  again.value.size() == record.value.size());
  SERIATIM_ASSERT(cursor.next(again) == RecordCursor::Step::end);
}

}  // namespace
}  // namespace seriatim::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace seriatim::test;
  if (size == 0) return 0;
  const seriatim::base::ByteSpan section = fuzz_input(data + 1, size - 1);
  RecordCursor cursor(section, static_cast<std::int8_t>(data[0]));
  DecodedRecord record;
  while (cursor.next(record) == RecordCursor::Step::record) {
    SERIATIM_ASSERT(within(section, record.key.data(), record.key.size()));
    SERIATIM_ASSERT(within(section, record.value.data(), record.value.size()));
    HeaderCursor headers(record.headers, record.header_count);
    for (seriatim::HeaderView view; headers.next(view);) {
      SERIATIM_ASSERT(within(section, view.key.data(), view.key.size()));
      SERIATIM_ASSERT(within(section, view.value.data(), view.value.size()));
    }
    SERIATIM_ASSERT(headers.is_finished());
    check_encoding(record);
  }
  return 0;
}
