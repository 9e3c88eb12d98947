#include "format/batch/single_batch.hpp"

#include <cstring>
#include <string>

#include "base/assert.hpp"
#include "format/batch/record_encoder.hpp"
#include "format/batch_layout.hpp"

namespace seriatim::format {
namespace {

// Both deltas of the first record of a batch are 0.
RecordFields first_record_fields(const RecordInput& record) noexcept {
  return {.timestamp_delta = 0,
          .offset_delta = 0,
          .key = record.key,
          .value = record.value,
          .header_count = record.headers.size()};
}

struct Opened {
  std::byte* value;
  std::byte* end;
};

// Writes the record but for the bytes of its value, and no header yet.
Opened open_record(const RecordInput& record, const FrameOptions& options, base::MutableByteSpan out,
                   BatchHeader& header) noexcept {
  const RecordFields fields = first_record_fields(record);
  const std::size_t body_bytes = body_size(fields, headers_size(record.headers));
  const std::size_t batch_bytes = header_bytes + length_size(body_bytes) + body_bytes;
  SERIATIM_ASSERT(batch_bytes <= out.size() && batch_bytes <= batch_bytes_max);

  std::byte* const value = encode_before_value(out.data() + records_at, body_bytes, fields);
  std::byte* const after = value + record.value.size();
  std::byte* const end = encode_headers(encode_length(after, record.headers.size()), record.headers);

  header.length = static_cast<std::int32_t>(batch_bytes - log_overhead);
  header.attributes = static_cast<std::int16_t>(attributes_of(options) & ~codec_mask);
  header.base_timestamp_ms = record.timestamp_ms;
  header.max_timestamp_ms = options.log_append_time ? options.append_time_ms : record.timestamp_ms;
  header.producer_id = options.producer_id;
  header.producer_epoch = options.producer_epoch;
  header.base_sequence = options.base_sequence;
  header.record_count = 1;
  return {value, end};
}

}  // namespace

Result<std::size_t> check_record(const RecordInput& record) {
  if (record.timestamp_ms < no_timestamp_ms) {
    return Error(Errc::invalid_timestamp, "record timestamp " + std::to_string(record.timestamp_ms) +
                                              " ms is negative; use milliseconds since 1970, or -1 for none");
  }
  const std::size_t size = single_batch_bytes(record);
  if (size > batch_bytes_max) {
    return Error(Errc::record_too_large, "a batch of this record alone takes " + std::to_string(size) +
                                             " bytes, and the format ends at " +
                                             std::to_string(batch_bytes_max) +
                                             "; split the value over several records");
  }
  return size;
}

std::size_t single_batch_bytes(const RecordInput& record) noexcept {
  const std::size_t body_bytes = body_size(first_record_fields(record), headers_size(record.headers));
  return header_bytes + length_size(body_bytes) + body_bytes;
}

// The value's share of the CRC is computed from where it came from, for the reason that write_sealed_header
// gives.
void frame_single(const RecordInput& record, const FrameOptions& options, base::MutableByteSpan out,
                  FramedBatch& framed) noexcept {
  const Opened opened = open_record(record, options, out, framed.header);
  const std::size_t value_bytes = record.value.size();
  if (!record.value.is_null()) std::memcpy(opened.value, record.value.data(), value_bytes);
  std::byte* const records = out.data() + records_at;
  framed.header.crc =
      write_sealed_header(out.data(), framed.header,
                          {.before_value = base::ByteSpan(records, opened.value),
                           .value = base::ByteSpan(record.value.data(), value_bytes),
                           .after_value = base::ByteSpan(opened.value + value_bytes, opened.end)});
  framed.bytes = out.first(framed.header.size_bytes());
}

std::byte* open_single(const RecordInput& record, const FrameOptions& options,
                       base::MutableByteSpan out) noexcept {
  BatchHeader header;
  const Opened opened = open_record(record, options, out, header);
  header.magic = unpublished_magic;
  write_batch_header(out.data(), header);
  return opened.value;
}

}  // namespace seriatim::format
