// A small language for logs of a test's own: batch after batch, with offsets, sizes and producers as wanted.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "format/batch/batch_builder.hpp"
#include "format/batch/control_record.hpp"
#include "format/batch_header.hpp"

namespace seriatim::test {

inline constexpr std::int64_t t0_ms = 1'700'000'000'000;

struct BatchSpec {
  std::size_t size_bytes = 0;  ///< Of the whole batch; 0: as it comes.
  int records = 1;
  std::int64_t timestamp_ms = t0_ms;  ///< Of the first record; each later one is 1 ms younger.
  ProducerId producer_id = -1;
  ProducerEpoch producer_epoch = -1;
  Sequence sequence = -1;
  bool transactional = false;
  std::string value = "value";
};

struct BuiltBatch {
  std::uint64_t position = 0;
  format::BatchHeader header{};
  std::vector<std::byte> bytes{};
  std::uint64_t end() const { return position + bytes.size(); }
};

namespace building {

inline std::vector<std::byte> frame(const BatchSpec& spec, std::size_t last_value_bytes) {
  format::BatchBuilder builder;
  const std::string padding(last_value_bytes, 'v');
  for (int i = 0; i < spec.records; ++i) {
    const bool is_padded = spec.size_bytes > 0 && i + 1 == spec.records;
    const auto appended =
        builder.append({.key = BytesView("k"),
                        .value = is_padded ? BytesView(padding) : BytesView(spec.value),
                        .timestamp_ms = spec.timestamp_ms < 0 ? -1 : spec.timestamp_ms + i});
    if (!appended) throw std::runtime_error(appended.error().message());
  }
  const auto framed = builder.frame({.producer_id = spec.producer_id,
                                     .producer_epoch = spec.producer_epoch,
                                     .base_sequence = spec.sequence,
                                     .transactional = spec.transactional});
  if (!framed) throw std::runtime_error(framed.error().message());
  return {framed->bytes.begin(), framed->bytes.end()};
}

}  // namespace building

/// The bytes of one batch, base offset 0.
inline std::vector<std::byte> make_batch(const BatchSpec& spec) {
  if (spec.size_bytes == 0) return building::frame(spec, 0);
  std::size_t value_bytes = 0;
  for (int attempt = 0; attempt < 8; ++attempt) {
    auto bytes = building::frame(spec, value_bytes);
    if (bytes.size() == spec.size_bytes) return bytes;
    if (bytes.size() > spec.size_bytes && value_bytes == 0) break;
    value_bytes = value_bytes + spec.size_bytes - bytes.size();
  }
  throw std::runtime_error("no batch has exactly " + std::to_string(spec.size_bytes) + " bytes");
}

/// A log, batch by batch. A temporary stays one through all calls, so that nobody keeps a view of its bytes.
class LogBuilder {
 public:
  explicit LogBuilder(Offset base_offset = 0) : next_offset_(base_offset) {}

  LogBuilder& batch(const BatchSpec& spec = {}) & {
    add(make_batch(spec));
    return *this;
  }
  LogBuilder&& batch(const BatchSpec& spec = {}) && { return std::move(batch(spec)); }
  LogBuilder& batches(int count, BatchSpec spec = {}) & {
    for (int i = 0; i < count; ++i, spec.timestamp_ms += spec.records) batch(spec);
    return *this;
  }
  LogBuilder&& batches(int count, const BatchSpec& spec = {}) && { return std::move(batches(count, spec)); }
  LogBuilder& marker(const format::EndMarker& marker) & {
    std::vector<std::byte> bytes(format::marker_batch_bytes);
    format::FramedBatch framed;
    format::frame_marker(marker, bytes, framed);
    add(std::move(bytes));
    return *this;
  }
  LogBuilder&& marker(const format::EndMarker& of) && { return std::move(marker(of)); }
  /// Offsets that no batch has, as compaction leaves them.
  LogBuilder& gap(Offset offsets) & {
    next_offset_ += offsets;
    return *this;
  }
  LogBuilder&& gap(Offset offsets) && { return std::move(gap(offsets)); }

  const std::vector<BuiltBatch>& all() const { return batches_; }
  const BuiltBatch& operator[](std::size_t index) const { return batches_.at(index); }
  const BuiltBatch& back() const { return batches_.back(); }
  Offset next_offset() const { return next_offset_; }
  std::uint64_t size_bytes() const { return bytes_.size(); }
  /// All of it. Valid until the next batch.
  const std::vector<std::byte>& bytes() const& { return bytes_; }
  const std::vector<std::byte>& bytes() const&& = delete;

 private:
  void add(std::vector<std::byte> bytes) {
    format::stamp_base_offset(bytes.data(), next_offset_);
    const auto header = format::read_batch_header(bytes.data());
    const std::uint64_t position = bytes_.size();
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    batches_.push_back({position, header, std::move(bytes)});
    next_offset_ = header.next_offset();
  }

  Offset next_offset_;
  std::vector<std::byte> bytes_{};
  std::vector<BuiltBatch> batches_{};
};

inline void write_file(const std::string& path, base::ByteSpan bytes) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  out.close();
  if (!out) throw std::runtime_error("cannot write " + path);
}

inline void write_log_file(const std::string& path, const LogBuilder& log) { write_file(path, log.bytes()); }

inline std::vector<std::byte> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path);
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  const auto bytes = base::as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

/// The log of kafka-log 2.6, of which Kafka's own recovery is known byte for byte: two producers, an abort of
/// each, a plain batch between, a commit. 15'970 bytes.
inline LogBuilder worked_example() {
  constexpr ProducerId a = ProducerId{1} << 42;
  constexpr ProducerId b = a + 1;
  LogBuilder log;
  for (int offset = 0; offset < 8; ++offset) {
    log.batch({.size_bytes = 1572,
               .timestamp_ms = t0_ms + offset,
               .producer_id = offset % 2 == 0 ? a : b,
               .producer_epoch = 0,
               .sequence = offset / 2,
               .transactional = true});
  }
  log.marker(
      {.type = format::ControlType::abort, .producer_id = a, .producer_epoch = 0, .timestamp_ms = t0_ms + 8});
  log.batch({.size_bytes = 3082, .records = 2, .timestamp_ms = t0_ms + 9});
  log.marker({.type = format::ControlType::abort,
              .producer_id = b,
              .producer_epoch = 0,
              .timestamp_ms = t0_ms + 11});
  log.batch({.size_bytes = 78,
             .timestamp_ms = t0_ms + 12,
             .producer_id = a,
             .producer_epoch = 1,
             .sequence = 0,
             .transactional = true});
  log.marker({.type = format::ControlType::commit,
              .producer_id = a,
              .producer_epoch = 1,
              .timestamp_ms = t0_ms + 13});
  return log;
}

}  // namespace seriatim::test
