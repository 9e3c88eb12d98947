#include "format/batch/batch_rebuilder.hpp"

#include <algorithm>
#include <cstring>
#include <string>

#include "format/batch/record_encoder.hpp"
#include "format/compression/codec.hpp"

namespace seriatim::format {
namespace {

RecordFields fields_of(const KeptRecord& record, std::int64_t base_timestamp_ms) noexcept {
  // Unsigned, because a horizon and a timestamp may lie further apart than int64 reaches; the sum wraps back.
  const auto timestamp_delta = static_cast<std::int64_t>(static_cast<std::uint64_t>(record.timestamp_ms) -
                                                         static_cast<std::uint64_t>(base_timestamp_ms));
  return {.timestamp_delta = timestamp_delta,
          .offset_delta = record.offset_delta,
          .key = record.key,
          .value = record.value,
          .header_count = static_cast<std::size_t>(record.header_count)};
}

Error too_large(std::size_t size, const BatchHeader& original) {
  return {Errc::record_too_large, "rebuilding the batch at offset " + std::to_string(original.base_offset) +
                                      " takes " + std::to_string(size) + " bytes, and the format ends at " +
                                      std::to_string(batch_bytes_max) + "; leave the batch as it is"};
}

Result<void> check_order(const BatchHeader& original, std::span<const KeptRecord> kept) {
  std::int32_t previous = -1;
  for (const KeptRecord& record : kept) {
    if (record.offset_delta <= previous || record.offset_delta > original.last_offset_delta) {
      return Error(Errc::invalid_argument,
                   "offset delta " + std::to_string(record.offset_delta) + " kept of the batch at offset " +
                       std::to_string(original.base_offset) + " is not above " + std::to_string(previous) +
                       " and at most " + std::to_string(original.last_offset_delta) +
                       "; keep records in their order and of their own batch");
    }
    previous = record.offset_delta;
  }
  return {};
}

// Appends the records to `plain`; false, with the size it would have, if it gets longer than a batch may be.
bool encode_records(std::span<const KeptRecord> kept, std::int64_t base_timestamp_ms,
                    std::vector<std::byte>& plain, std::size_t& size) {
  size = plain.size();
  for (const KeptRecord& record : kept) {
    const std::size_t body_bytes = body_size(fields_of(record, base_timestamp_ms), record.headers.size());
    size += length_size(body_bytes) + body_bytes;
  }
  if (size > batch_bytes_max) return false;
  std::byte* at = nullptr;
  const std::size_t used = plain.size();
  plain.resize(size);
  at = plain.data() + used;
  for (const KeptRecord& record : kept) {
    const RecordFields fields = fields_of(record, base_timestamp_ms);
    at = encode_before_headers(at, body_size(fields, record.headers.size()), fields);
    if (!record.headers.empty()) std::memcpy(at, record.headers.data(), record.headers.size());
    at += record.headers.size();
  }
  return true;
}

// The header of the result but for its length.
BatchHeader rebuilt_header(const BatchHeader& original, std::span<const KeptRecord> kept,
                           const RebuildOptions& options) {
  BatchHeader header = original;
  header.record_count = static_cast<std::int32_t>(kept.size());
  header.attributes = static_cast<std::int16_t>(
      original.attributes & (codec_mask | log_append_time_bit | transactional_bit | control_bit));
  if (kept.empty()) {
    header.attributes = static_cast<std::int16_t>(header.attributes & ~codec_mask);
    header.base_timestamp_ms = no_timestamp_ms;
    return header;
  }
  if (options.delete_horizon_ms.has_value() || original.has_delete_horizon()) {
    header.attributes = static_cast<std::int16_t>(header.attributes | delete_horizon_bit);
    header.base_timestamp_ms = options.delete_horizon_ms.value_or(original.base_timestamp_ms);
  } else {
    header.base_timestamp_ms = kept.front().timestamp_ms;
  }
  if (!original.uses_log_append_time()) {
    header.max_timestamp_ms = std::max_element(kept.begin(), kept.end(), [](const auto& a, const auto& b) {
                                return a.timestamp_ms < b.timestamp_ms;
                              })->timestamp_ms;
  }
  return header;
}

}  // namespace

KeptRecord keep_record(const BatchHeader& original, const DecodedRecord& record) noexcept {
  return {.offset_delta = record.offset_delta,
          .timestamp_ms = original.record_timestamp_ms(record.timestamp_delta),
          .key = record.key,
          .value = record.value,
          .headers = record.headers,
          .header_count = record.header_count};
}

Result<FramedBatch> BatchRebuilder::rebuild(const BatchHeader& original, std::span<const KeptRecord> kept,
                                            const RebuildOptions& options) {
  const Result<void> ordered = check_order(original, kept);
  if (!ordered) return ordered.error();
  BatchHeader header = rebuilt_header(original, kept, options);

  // Uncompressed records go behind the room for the header at once.
  const bool compressing = header.codec() != Codec::none;
  std::vector<std::byte>& records = compressing ? plain_ : batch_;
  plain_.clear();
  batch_.assign(header_bytes, std::byte{0});
  std::size_t size = 0;
  if (!encode_records(kept, header.base_timestamp_ms, records, size)) return too_large(size, original);
  if (compressing) {
    const Result<void> done = compress(header.codec(), options.level, plain_, batch_);
    if (!done) return done.error();
    if (batch_.size() > batch_bytes_max) return too_large(batch_.size(), original);
  }

  header.length = static_cast<std::int32_t>(batch_.size() - log_overhead);
  header.crc = write_sealed_header(batch_, header);
  return FramedBatch{.bytes = batch_, .header = header};
}

}  // namespace seriatim::format
