// A batch stamped as a broker of Kafka stamps it.
#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "format/batch_header.hpp"
#include "format/batch_layout.hpp"

namespace seriatim::test {

/// Makes a batch one of log append time: sets the bit and the batch's timestamp, and seals it again. Base
/// timestamp and deltas keep the producer's values, as in Kafka.
inline void stamp_log_append_time(base::MutableByteSpan batch, std::int64_t append_time_ms) {
  std::byte* const at = batch.data();
  const auto attributes = base::load_be<std::int16_t>(at + format::attributes_at);
  base::store_be(at + format::attributes_at,
                 static_cast<std::int16_t>(attributes | format::log_append_time_bit));
  base::store_be(at + format::max_timestamp_at, append_time_ms);
  format::seal_batch(batch);
}

}  // namespace seriatim::test
