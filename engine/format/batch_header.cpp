#include "format/batch_header.hpp"

#include "base/crc32c.hpp"

namespace seriatim::format {

std::string_view name(Codec codec) noexcept {
  switch (codec) {
    case Codec::none: return "none";
    case Codec::gzip: return "gzip";
    case Codec::snappy: return "snappy";
    case Codec::lz4: return "lz4";
    case Codec::zstd: return "zstd";
  }
  return "unknown";
}

void seal_batch(base::MutableByteSpan batch) noexcept {
  base::store_be(batch.data() + crc_at, base::crc32c(batch.subspan(crc_covers_from)));
}

void stamp_log_append_time(base::MutableByteSpan batch, std::int64_t append_time_ms) noexcept {
  std::byte* const at = batch.data();
  const auto attributes = base::load_be<std::int16_t>(at + attributes_at);
  base::store_be(at + attributes_at, static_cast<std::int16_t>(attributes | log_append_time_bit));
  base::store_be(at + max_timestamp_at, append_time_ms);
  seal_batch(batch);
}

}  // namespace seriatim::format
