// The bytes of a record's payload, field by field: integers big-endian, texts with their length before them.
// For the files that encode a record.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include <seriatim/result.hpp>

#include "base/bytes.hpp"
#include "base/checked.hpp"
#include "catalog/records/catalog_records.hpp"

namespace seriatim::catalog {

class PayloadWriter {
 public:
  template <std::integral T>
  void integer(T value) {
    std::byte bytes[sizeof(T)];
    base::store_be(bytes, value);
    out_ += base::as_text(bytes);
  }
  void id(const Id& value) { out_ += base::as_text(value); }
  void text(std::string_view value) {
    integer(base::narrow<std::uint32_t>(value.size()));
    out_ += value;
  }
  std::string take() && { return std::move(out_); }

 private:
  std::string out_;
};

/// Every read is bounded; one that is not covered by bytes makes all of them fail.
class PayloadReader {
 public:
  explicit PayloadReader(base::ByteSpan bytes) : rest_(bytes) {}

  template <std::integral T>
  T integer() {
    const base::ByteSpan bytes = take(sizeof(T));
    return bytes.empty() ? T{} : base::load_be<T>(bytes.data());
  }
  Id id() {
    Id value{};
    const base::ByteSpan bytes = take(value.size());
    if (!bytes.empty()) std::memcpy(value.data(), bytes.data(), value.size());
    return value;
  }
  std::string text() { return std::string(base::as_text(take(integer<std::uint32_t>()))); }
  bool ok() const { return ok_; }
  /// Whether all reads were covered, and no byte is left.
  bool finished() const { return ok_ && rest_.empty(); }

 private:
  base::ByteSpan take(std::size_t count) {
    if (!ok_ || count > rest_.size()) {
      ok_ = false;
      return {};
    }
    const base::ByteSpan taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
  }

  base::ByteSpan rest_;
  bool ok_ = true;
};

inline Error malformed_record(std::string_view what, base::ByteSpan payload) {
  return {Errc::corrupt_metadata, "catalog: " + std::to_string(payload.size()) + " bytes are not a whole " +
                                      std::string(what) + "; restore the catalog from a backup"};
}

}  // namespace seriatim::catalog
