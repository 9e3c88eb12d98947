#include "format/batch/control_record.hpp"

#include <array>

#include "base/assert.hpp"
#include "format/batch/record_cursor.hpp"
#include "format/batch/record_encoder.hpp"

namespace seriatim::format {
namespace {

constexpr std::int16_t key_version = 0;
constexpr std::int16_t value_version = 0;
constexpr std::size_t key_bytes = 4;
constexpr std::size_t value_bytes = 6;

}  // namespace

void frame_marker(const EndMarker& marker, base::MutableByteSpan out, FramedBatch& framed) noexcept {
  SERIATIM_ASSERT(out.size() >= marker_batch_bytes);
  framed.bytes = out.first(marker_batch_bytes);
  framed.mark = {.kind = marker.type == ControlType::commit ? ControlBatch::commit : ControlBatch::abort,
                 .coordinator_epoch = marker.coordinator_epoch};
  BatchHeader& header = framed.header;
  header.length = static_cast<std::int32_t>(marker_batch_bytes - log_overhead);
  header.attributes = transactional_bit | control_bit;
  header.base_timestamp_ms = marker.timestamp_ms;
  header.max_timestamp_ms = marker.timestamp_ms;
  header.producer_id = marker.producer_id;
  header.producer_epoch = marker.producer_epoch;
  header.record_count = 1;

  std::array<std::byte, key_bytes> key{};
  base::store_be(key.data(), key_version);
  base::store_be(key.data() + 2, static_cast<std::int16_t>(marker.type));
  std::array<std::byte, value_bytes> value{};
  base::store_be(value.data(), value_version);
  base::store_be(value.data() + 2, marker.coordinator_epoch);
  const RecordFields fields{.timestamp_delta = 0,
                            .offset_delta = 0,
                            .key = BytesView(key.data(), key.size()),
                            .value = BytesView(value.data(), value.size()),
                            .header_count = 0};
  const std::byte* const end = encode_before_headers(out.data() + records_at, body_size(fields, 0), fields);
  SERIATIM_ASSERT(end == out.data() + marker_batch_bytes);
  header.crc = write_sealed_header(framed.bytes, header);
}

std::optional<ControlRecord> parse_control_record(BytesView key, BytesView value) noexcept {
  if (key.size() < key_bytes || base::load_be<std::int16_t>(key.data()) < 0) return std::nullopt;
  ControlRecord record;
  record.type = base::load_be<std::int16_t>(key.data() + 2);
  if (!record.ends_transaction()) return record;
  if (value.size() < value_bytes || base::load_be<std::int16_t>(value.data()) < 0) return std::nullopt;
  record.coordinator_epoch = base::load_be<std::int32_t>(value.data() + 2);
  return record;
}

ControlMark read_control_mark(base::ByteSpan whole_batch) noexcept {
  constexpr ControlMark malformed;
  const BatchHeader header = read_batch_header(whole_batch.data());
  if (!header.is_control() || header.codec() != Codec::none) return malformed;
  const base::ByteSpan section = whole_batch.subspan(records_at);
  if (header.record_count == 0)
    return {.kind = section.empty() ? ControlBatch::emptied : ControlBatch::malformed};

  using Step = RecordCursor::Step;
  RecordCursor cursor(section, header.record_count, header.last_offset_delta);
  DecodedRecord record;
  if (cursor.next(record) != Step::record) return malformed;
  const std::optional<ControlRecord> control = parse_control_record(record.key, record.value);
  if (!control.has_value()) return malformed;
  if (!control->ends_transaction()) return {.kind = ControlBatch::other};
  if (!header.is_transactional() || cursor.next(record) != Step::end) return malformed;
  return {.kind = control->is_commit() ? ControlBatch::commit : ControlBatch::abort,
          .coordinator_epoch = control->coordinator_epoch};
}

}  // namespace seriatim::format
