#include "format/batch/batch_builder.hpp"

#include <algorithm>
#include <limits>
#include <string>

#include "format/batch/record_encoder.hpp"
#include "format/compression/codec.hpp"

namespace seriatim::format {
namespace {

// Kafka's figure for the largest overhead of a record besides key, value and headers.
constexpr std::size_t record_overhead_max = 21;

// Large enough for a batch of a few small records; arbitrary.
constexpr std::size_t buffer_bytes_first = 1024;

// No small record takes more.
constexpr std::size_t small_bytes_max = 0x2000;

// Unsigned, because the distance from -1 to the largest timestamp wraps; the reader's sum wraps back.
std::int64_t timestamp_delta(std::int64_t timestamp_ms, std::int64_t base_ms) noexcept {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(timestamp_ms) -
                                   static_cast<std::uint64_t>(base_ms));
}

void make_room(std::vector<std::byte>& buffer, std::size_t used, std::size_t more) {
  if (buffer.size() - std::min(buffer.size(), used) >= more) return;
  buffer.resize(std::max({used + more, buffer.size() * 2, buffer_bytes_first}));
}

}  // namespace

Result<void> BatchBuilder::append(const RecordInput& record) {
  const std::int64_t base_ms = empty() ? record.timestamp_ms : base_timestamp_ms_;
  const RecordFields fields{.timestamp_delta = timestamp_delta(record.timestamp_ms, base_ms),
                            .offset_delta = record_count_,
                            .key = record.key,
                            .value = record.value,
                            .header_count = record.headers.size()};
  if (!is_small(fields) || record.timestamp_ms < no_timestamp_ms || used_ > batch_bytes_max - small_bytes_max)
      [[unlikely]] {
    return append_any(record, fields);
  }
  make_room(buffer_, used_, fields.key.size() + fields.value.size() + small_record_overhead_max);
  std::byte* const at = buffer_.data() + used_;
  note_appended(static_cast<std::size_t>(encode_small(at, fields) - at), record.timestamp_ms);
  return {};
}

// Everything else: exact sizes first, and every limit.
Result<void> BatchBuilder::append_any(const RecordInput& record, const RecordFields& fields) {
  if (record.timestamp_ms < no_timestamp_ms) {
    return Error(Errc::invalid_timestamp,
                 "timestamp " + std::to_string(record.timestamp_ms) + " ms of record " +
                     std::to_string(record_count_) +
                     " of the batch is negative; use milliseconds since 1970, or -1 for none");
  }
  const std::size_t body_bytes = body_size(fields, headers_size(record.headers));
  const std::size_t record_bytes = length_size(body_bytes) + body_bytes;
  if (record_bytes > batch_bytes_max - used_ || record_count_ == std::numeric_limits<std::int32_t>::max()) {
    return Error(Errc::record_too_large,
                 "record " + std::to_string(record_count_) + " (" + std::to_string(record_bytes) +
                     " bytes) does not fit the batch of " + std::to_string(used_) +
                     " bytes, whose format ends at " + std::to_string(batch_bytes_max) +
                     " bytes; start another batch, or split the value");
  }
  make_room(buffer_, used_, record_bytes);
  encode_headers(encode_before_headers(buffer_.data() + used_, body_bytes, fields), record.headers);
  note_appended(record_bytes, record.timestamp_ms);
  return {};
}

void BatchBuilder::note_appended(std::size_t record_bytes, std::int64_t timestamp_ms) noexcept {
  used_ += record_bytes;
  if (empty()) base_timestamp_ms_ = max_timestamp_ms_ = timestamp_ms;
  max_timestamp_ms_ = std::max(max_timestamp_ms_, timestamp_ms);
  ++record_count_;
}

std::size_t BatchBuilder::upper_bound_bytes(const RecordInput& record) const noexcept {
  return used_ + record_overhead_max + record.key.size() + record.value.size() + headers_size(record.headers);
}

void BatchBuilder::clear() noexcept {
  used_ = header_bytes;
  record_count_ = 0;
  base_timestamp_ms_ = no_timestamp_ms;
  max_timestamp_ms_ = no_timestamp_ms;
}

Result<FramedBatch> BatchBuilder::frame(const FrameOptions& options) {
  FramedBatch framed;
  if (auto made = frame(options, framed); !made) return made.error();
  return framed;
}

Result<void> BatchBuilder::frame(const FrameOptions& options, FramedBatch& framed) {
  if (empty()) {
    return Error(Errc::invalid_argument,
                 "a batch without a record cannot be framed; append at least one record first");
  }
  base::MutableByteSpan batch(buffer_.data(), used_);
  if (options.codec != Codec::none) {
    compressed_.resize(header_bytes);
    const Result<void> done = compress(options.codec, options.level, batch.subspan(records_at), compressed_);
    if (!done) return done.error();
    batch = compressed_;
    if (batch.size() > batch_bytes_max) {
      return Error(Errc::record_too_large, "the compressed batch takes " + std::to_string(batch.size()) +
                                               " bytes, and the format ends at " +
                                               std::to_string(batch_bytes_max) +
                                               "; start another batch earlier");
    }
  }

  BatchHeader header;
  header.length = static_cast<std::int32_t>(batch.size() - log_overhead);
  header.attributes = attributes_of(options);
  header.last_offset_delta = record_count_ - 1;
  header.base_timestamp_ms = base_timestamp_ms_;
  header.max_timestamp_ms = options.log_append_time ? options.append_time_ms : max_timestamp_ms_;
  header.producer_id = options.producer_id;
  header.producer_epoch = options.producer_epoch;
  header.base_sequence = options.base_sequence;
  header.record_count = record_count_;
  header.crc = write_sealed_header(batch, header);
  framed = {.bytes = batch, .header = header};
  return {};
}

}  // namespace seriatim::format
