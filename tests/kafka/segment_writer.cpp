#include "segment_writer.hpp"

#include <cstring>
#include <ostream>

#include "format/batch/record_cursor.hpp"
#include "format/batch/record_section.hpp"
#include "format/batch/single_batch.hpp"
#include "json_lines.hpp"
#include "support/append_time.hpp"

namespace seriatim::kafka_test {
namespace {

BytesView view(const std::optional<std::string>& text) { return text ? BytesView(*text) : BytesView(); }

std::vector<HeaderView> views(const OwnedInput& record) {
  std::vector<HeaderView> headers;
  for (const auto& header : record.headers) headers.push_back({header.first, view(header.second)});
  return headers;
}

format::RecordInput input(const OwnedInput& record, const std::vector<HeaderView>& headers) {
  return {view(record.key), view(record.value), record.timestamp_ms, headers};
}

}  // namespace

void SegmentWriter::expect(const OwnedInput& record, std::int32_t index,
                           const format::FrameOptions& options) {
  const std::vector<HeaderView> headers = views(record);
  RecordLine line;
  line.offset = next_offset_ + index;
  line.timestamp_ms = options.log_append_time ? options.append_time_ms : record.timestamp_ms;
  if (options.base_sequence >= 0) line.sequence = format::advance_sequence(options.base_sequence, index);
  line.key = view(record.key);
  line.value = view(record.value);
  line.headers = headers;
  expected_ << record_line(line) << '\n';
}

void SegmentWriter::write(base::MutableByteSpan batch, std::int32_t offsets_used) {
  format::stamp_base_offset(batch.data(), next_offset_);
  log_.write(reinterpret_cast<const char*>(batch.data()), static_cast<std::streamsize>(batch.size()));
  next_offset_ += offsets_used;
}

Result<format::FramedBatch> SegmentWriter::frame(const std::vector<OwnedInput>& records,
                                                 const format::FrameOptions& options) {
  builder_.clear();
  for (const OwnedInput& record : records) {
    const std::vector<HeaderView> headers = views(record);
    if (auto appended = builder_.append(input(record, headers)); !appended) return appended.error();
  }
  return builder_.frame(options);
}

Result<> SegmentWriter::append(const std::vector<OwnedInput>& records, const format::FrameOptions& options) {
  for (std::size_t i = 0; i < records.size(); ++i) expect(records[i], static_cast<std::int32_t>(i), options);
  auto batch = frame(records, options);
  if (!batch) return batch.error();
  write(batch->bytes, batch->header.record_count);
  return {};
}

Result<> SegmentWriter::append_single(const OwnedInput& record, const format::FrameOptions& options) {
  expect(record, 0, options);
  const std::vector<HeaderView> headers = views(record);
  const format::RecordInput framed = input(record, headers);
  if (auto checked = format::check_record(framed); !checked) return checked.error();
  scratch_.resize(format::single_batch_bytes(framed));
  format::FramedBatch batch;
  format::frame_single(framed, options, scratch_, batch);
  write(batch.bytes, 1);
  return {};
}

Result<> SegmentWriter::append_in_place(const OwnedInput& record, const format::FrameOptions& options) {
  expect(record, 0, options);
  const std::vector<HeaderView> headers = views(record);
  const format::RecordInput framed = input(record, headers);
  if (auto checked = format::check_record(framed); !checked) return checked.error();
  scratch_.resize(format::single_batch_bytes(framed));
  std::byte* value = format::open_single(framed, options, scratch_);
  if (framed.value.size() != 0) std::memcpy(value, framed.value.data(), framed.value.size());
  format::seal_batch(scratch_);
  scratch_[format::magic_at] = std::byte{format::batch_magic};
  write(scratch_, 1);
  return {};
}

Result<> SegmentWriter::append_stamped(const std::vector<OwnedInput>& records,
                                       const format::FrameOptions& options, std::int64_t append_time_ms) {
  format::FrameOptions seen = options;
  seen.log_append_time = true;
  seen.append_time_ms = append_time_ms;
  for (std::size_t i = 0; i < records.size(); ++i) expect(records[i], static_cast<std::int32_t>(i), seen);
  auto batch = frame(records, options);
  if (!batch) return batch.error();
  test::stamp_log_append_time(batch->bytes, append_time_ms);
  write(batch->bytes, batch->header.record_count);
  return {};
}

void SegmentWriter::append_marker(const format::EndMarker& marker) {
  // Version and type; version and coordinator epoch: what a reader of the record itself sees.
  const bool commits = marker.type == format::ControlType::commit;
  const std::string key{"\0\0\0", 3};
  const std::string whole_key = key + (commits ? '\1' : '\0');
  const std::string value(6, '\0');
  RecordLine line;
  line.offset = next_offset_;
  line.timestamp_ms = marker.timestamp_ms;
  line.key = whole_key;
  line.value = value;
  line.control = format::ControlRecord{static_cast<std::int16_t>(commits ? 1 : 0), 0};
  expected_ << record_line(line) << '\n';
  scratch_.resize(format::marker_batch_bytes);
  format::FramedBatch framed;
  format::frame_marker(marker, scratch_, framed);
  write(scratch_, 1);
}

Result<> SegmentWriter::append_compacted(const std::vector<OwnedInput>& records,
                                         const format::FrameOptions& options,
                                         const format::RebuildOptions& rebuild,
                                         const std::function<bool(std::size_t)>& keep) {
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (keep(i)) expect(records[i], static_cast<std::int32_t>(i), options);
  }
  auto batch = frame(records, options);
  if (!batch) return batch.error();
  auto left = compact(batch->bytes, rebuild, keep);
  if (!left) return left.error();
  write(left->bytes, batch->header.record_count);
  return {};
}

Result<format::FramedBatch> SegmentWriter::compact(base::MutableByteSpan original,
                                                   const format::RebuildOptions& rebuild,
                                                   const std::function<bool(std::size_t)>& keep) {
  const format::BatchHeader header = format::read_batch_header(original.data());
  auto section = format::record_section(original, std::size_t{1} << 30, scratch_);
  if (!section) return section.error();
  std::vector<format::KeptRecord> kept;
  format::RecordCursor cursor(*section, header.record_count);
  format::DecodedRecord record;
  for (std::size_t i = 0; cursor.next(record) == format::RecordCursor::Step::record; ++i) {
    if (keep(i)) kept.push_back(format::keep_record(header, record));
  }
  return rebuilder_.rebuild(header, kept, rebuild);
}

}  // namespace seriatim::kafka_test
