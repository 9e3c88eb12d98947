#include "format/batch/record_cursor.hpp"

namespace seriatim::format {
namespace {

// A length of -1 is null. Anything lower, which no writer makes, is read as null too, as Kafka does.
const std::byte* decode_bytes(const std::byte* at, const std::byte* end, BytesView& out) noexcept {
  std::int32_t size = 0;
  at = decode_varint(at, end, size);
  if (at == nullptr) return nullptr;
  if (size < 0) {
    out = nullptr;
    return at;
  }
  if (size > end - at) return nullptr;
  out = BytesView(at, static_cast<std::size_t>(size));
  return at + size;
}

bool headers_are_valid(base::ByteSpan headers, std::int32_t count) noexcept {
  // Two bytes are the smallest header; this bounds the walk before it begins.
  if (static_cast<std::size_t>(count) > headers.size() / 2) return false;
  HeaderCursor cursor(headers, count);
  for (HeaderView header; cursor.next(header);) {
  }
  return cursor.is_finished();
}

bool decode_body(const std::byte* at, const std::byte* end, DecodedRecord& out) noexcept {
  if (at == end) return false;
  ++at;  // Record attributes: no bit has a meaning, and Kafka's reader ignores them.
  at = decode_varlong(at, end, out.timestamp_delta);
  if (at == nullptr) return false;
  at = decode_varint(at, end, out.offset_delta);
  if (at == nullptr) return false;
  at = decode_bytes(at, end, out.key);
  if (at == nullptr) return false;
  at = decode_bytes(at, end, out.value);
  if (at == nullptr) return false;
  at = decode_varint(at, end, out.header_count);
  if (at == nullptr || out.header_count < 0) return false;
  out.headers = {at, static_cast<std::size_t>(end - at)};
  return out.header_count == 0 ? at == end : headers_are_valid(out.headers, out.header_count);
}

}  // namespace

const std::byte* RecordCursor::decode_any(const std::byte* at, const std::byte* end,
                                          DecodedRecord& out) noexcept {
  std::int32_t body_bytes = 0;
  at = decode_varint(at, end, body_bytes);
  if (at == nullptr || body_bytes < 0 || body_bytes > end - at) return nullptr;
  const std::byte* const body_end = at + body_bytes;
  return decode_body(at, body_end, out) ? body_end : nullptr;
}

bool HeaderCursor::next(HeaderView& out) noexcept {
  if (remaining_ <= 0) return false;
  std::int32_t key_bytes = 0;
  const std::byte* at = decode_varint(at_, end_, key_bytes);
  if (at == nullptr || key_bytes < 0 || key_bytes > end_ - at) {
    remaining_ = -1;
    return false;
  }
  out.key = {reinterpret_cast<const char*>(at), static_cast<std::size_t>(key_bytes)};
  at += key_bytes;
  std::int32_t value_bytes = 0;
  at = decode_varint(at, end_, value_bytes);
  if (at == nullptr || value_bytes > end_ - at) {
    remaining_ = -1;
    return false;
  }
  out.value = value_bytes < 0 ? BytesView() : BytesView(at, static_cast<std::size_t>(value_bytes));
  at_ = value_bytes < 0 ? at : at + value_bytes;
  --remaining_;
  return true;
}

}  // namespace seriatim::format
