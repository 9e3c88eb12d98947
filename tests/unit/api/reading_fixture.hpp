// The fixture of every test of reading, beside an engine: batches made to order, appended as they are.
#pragma once

#include <fstream>
#include <string>
#include <vector>

#include "format/batch/batch_builder.hpp"
#include "format/file_name.hpp"
#include "unit/api/engine_fixture.hpp"

namespace seriatim::test {

/// The records of one batch, and how they are framed.
struct Wanted {
  int records = 1;
  std::int64_t timestamp_ms = 1'000;  ///< Of the first record; each later one is 1 ms younger.
  std::string value = "v";            ///< Followed by the offset.
  format::FrameOptions frame{};
};

inline partition::PartitionAppend append_batch(const Engine& engine, const TopicPartition& at,
                                               const Wanted& wanted = {}) {
  const auto partition = must(seriatim::detail::EngineImpl::of(engine)->partition(at.topic, at.partition));
  format::BatchBuilder builder;
  for (int i = 0; i < wanted.records; ++i) {
    const std::string value = wanted.value + std::to_string(partition->log_end_offset() + i);
    must(builder.append(
        {.key = BytesView("k"), .value = BytesView(value), .timestamp_ms = wanted.timestamp_ms + i}));
  }
  return must(partition->append(must(builder.frame(wanted.frame))));
}

/// A batch of bytes that only look like records: structure and checksum are right.
inline void append_raw_batch(const Engine& engine, const TopicPartition& at, std::vector<std::byte> section,
                             std::int32_t record_count) {
  std::vector<std::byte> bytes(format::header_bytes);
  format::BatchHeader header{
      .length = static_cast<std::int32_t>(format::header_bytes + section.size() - format::log_overhead),
      .last_offset_delta = record_count - 1,
      .base_timestamp_ms = 1,
      .max_timestamp_ms = 1,
      .record_count = record_count};
  format::write_batch_header(bytes.data(), header);
  bytes.insert(bytes.end(), section.begin(), section.end());
  format::seal_batch(bytes);
  const format::FramedBatch framed{.bytes = bytes, .header = header};
  const auto partition = must(seriatim::detail::EngineImpl::of(engine)->partition(at.topic, at.partition));
  must(partition->append(framed));
}

inline std::string log_path(const Engine& engine, const TopicPartition& at, Offset base = 0) {
  return engine.directory().string() + "/log/" + format::partition_directory(at.topic, at.partition) + "/" +
         format::file_name(base, format::FileKind::log);
}

/// Writes over a file's bytes behind the engine's back, as a failing disk would.
inline void overwrite(const std::string& path, std::uint64_t position, std::string_view bytes) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(static_cast<std::streamoff>(position));
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  REQUIRE(file.good());
}

inline bool says(const std::string& text, std::initializer_list<std::string_view> parts) {
  for (const auto part : parts) {
    if (text.find(part) == std::string::npos) return false;
  }
  return true;
}

inline std::vector<Offset> offsets_of(const ConsumerRecords& records) {
  std::vector<Offset> offsets;
  for (const RecordView& record : records) offsets.push_back(record.offset());
  return offsets;
}

/// Everything there is, poll after poll, from where the consumer stands.
inline std::vector<OwnedRecord> drain(Consumer& consumer) {
  std::vector<OwnedRecord> all;
  for (;;) {
    const auto records = must(consumer.poll(std::chrono::milliseconds(0)));
    if (records.empty()) return all;
    for (const RecordView& record : records) all.push_back(record.to_owned());
  }
}

inline constexpr std::chrono::milliseconds no_wait{0};
inline constexpr std::chrono::milliseconds long_wait = std::chrono::minutes(1);

}  // namespace seriatim::test
