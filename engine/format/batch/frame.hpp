// The input and the output of framing: the values shared by BatchBuilder (many
// records), single_batch.hpp (one, the hot path) and BatchRebuilder (compaction).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include <seriatim/record.hpp>
#include <seriatim/types.hpp>

#include "base/bytes.hpp"
#include "format/batch_header.hpp"

namespace seriatim::format {

/// A record to be framed. The bytes it points at are only read during the call.
struct RecordInput {
  BytesView key{};
  BytesView value{};
  std::int64_t timestamp_ms = no_timestamp_ms;  ///< -1, or since the epoch.
  std::span<const HeaderView> headers{};
};

struct FrameOptions {
  Codec codec = Codec::none;
  std::optional<int> level{};  ///< The codec's own; default: the codec's default.
  bool log_append_time = false;
  std::int64_t append_time_ms = no_timestamp_ms;  ///< Read only if log_append_time.
  ProducerId producer_id = no_producer_id;
  ProducerEpoch producer_epoch = no_producer_epoch;
  Sequence base_sequence = no_sequence;
  bool transactional = false;
};

enum class ControlBatch : std::uint8_t {
  commit,     ///< The transaction of the batch's producer is committed.
  abort,      ///< It is aborted.
  other,      ///< Of a type that readers skip.
  emptied,    ///< Compaction took the marker out: it changes nothing.
  malformed,  ///< Not a control batch, or its record does not parse.
};

/// The contents of a control batch.
struct ControlMark {
  ControlBatch kind = ControlBatch::malformed;
  std::int32_t coordinator_epoch = -1;  ///< Of commit and abort.

  bool operator==(const ControlMark&) const = default;
  bool ends_transaction() const noexcept {
    return kind == ControlBatch::commit || kind == ControlBatch::abort;
  }
};

/// A whole batch, complete but for its base offset (stamp_base_offset).
struct FramedBatch {
  base::MutableByteSpan bytes{};  ///< In the buffer of whoever framed it.
  /// The header at the front of `bytes`, so that nobody has to read back what was just written: loads that
  /// span several narrower stores wait until those have left the store buffer.
  BatchHeader header{};
  /// The mark of a control batch, if its framer has set it; else it has to be read.
  std::optional<ControlMark> mark{};
};

/// A batch that was framed earlier: its header is read from its bytes.
inline FramedBatch framed_batch(base::MutableByteSpan bytes) noexcept {
  return {.bytes = bytes, .header = read_batch_header(bytes.data())};
}

/// The attribute bits `options` ask for.
constexpr std::int16_t attributes_of(const FrameOptions& options) noexcept {
  return static_cast<std::int16_t>(static_cast<int>(options.codec) |
                                   (options.log_append_time ? log_append_time_bit : 0) |
                                   (options.transactional ? transactional_bit : 0));
}

}  // namespace seriatim::format
