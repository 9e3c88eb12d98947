#include "format/record_cursor.hpp"

namespace seriatim::format {

bool RecordCursor::headers_are_valid(base::ByteSpan headers, std::int32_t count) noexcept {
  // Two bytes are the smallest header; this bounds the walk before it begins.
  if (static_cast<std::size_t>(count) > headers.size() / 2) return false;
  HeaderCursor cursor(headers, count);
  for (HeaderView header; cursor.next(header);) {
  }
  return cursor.is_finished();
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
