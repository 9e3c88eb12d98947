// The answers of readers of a directory that nothing has happened to, and whether they return anything else
// once something has.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <seriatim/inspect.hpp>
#include <seriatim/seriatim.hpp>

#include "base/bytes.hpp"
#include "format/batch_header.hpp"

namespace seriatim::test {

inline constexpr Offset flip_position = 5;  ///< The position that group "g" has committed.

struct FlipRow {
  Offset offset = 0;
  std::int64_t timestamp_ms = 0;
  std::string key{};
  std::string value{};
  bool operator==(const FlipRow&) const = default;
};

inline FlipRow flip_row(const RecordView& record) {
  return {.offset = record.offset(),
          .timestamp_ms = record.timestamp().time_since_epoch().count(),
          .key = std::string(record.key().text()),
          .value = std::string(record.value().text())};
}

/// Of topic "t", which has one partition.
struct FlipTruth {
  std::vector<FlipRow> rows{};
  std::size_t needed = 0;  ///< Fewer are shown only with an error, or if `verify` tells.
  std::map<std::int64_t, std::optional<Offset>> times{};  ///< Found by a lookup of each timestamp.
};

/// The answer of an attempt. Wrong bytes are told by `wrong`.
struct FlipAnswer {
  std::size_t records = 0;           ///< The fewest that one way of reading has shown, each a right one.
  std::vector<std::size_t> shown{};  ///< Which of the truth a log reader has.
  std::string wrong{};
  std::string error{};  ///< Of opening or reading; empty: none.
};

/// Compares rows, as one way of reading gives them, with the truth: each has to be there, behind the one
/// before it.
class FlipReading {
 public:
  FlipReading(const FlipTruth& truth, std::string how) : truth_(truth), how_(std::move(how)) {}

  bool take(const RecordView& record, FlipAnswer& answer) {
    const FlipRow row = flip_row(record);
    while (at_ < truth_.rows.size() && truth_.rows[at_] != row) ++at_;
    if (at_ == truth_.rows.size()) {
      answer.wrong = how_ + " shows offset " + std::to_string(row.offset) + ", value " + row.value;
      return false;
    }
    shown_.push_back(at_++);
    return true;
  }
  const std::vector<std::size_t>& shown() const { return shown_; }

 private:
  const FlipTruth& truth_;
  std::string how_;
  std::size_t at_ = 0;
  std::vector<std::size_t> shown_{};
};

/// Every record that a log reader shows, to `take`, until that is false.
template <class Take>
Result<> read_flip_log(const Engine& engine, const Take& take) {
  auto reader = engine.reader({"t", 0});
  if (!reader) return reader.error();
  for (Offset next = reader->log_start_offset(); next < reader->high_watermark();) {
    auto records = reader->read(next, 1000);
    if (!records) return records.error();
    if (records->empty()) break;
    for (const RecordView& record : *records) {
      if (!take(record)) return {};
      next = record.offset() + 1;
    }
  }
  return {};
}

/// The same by a consumer of read_committed.
template <class Take>
Result<> consume_flip_log(const Engine& engine, const Take& take) {
  auto consumer = engine.consumer({});
  if (!consumer) return consumer.error();
  if (auto assigned = consumer->assign({{"t", 0}}); !assigned) return assigned;
  for (;;) {
    auto records = consumer->poll(std::chrono::milliseconds(0));
    if (!records) return records.error();
    if (records->empty()) return {};
    for (const RecordView& record : *records) {
      if (!take(record)) return {};
    }
  }
}

/// @param copy  of a directory that nothing has happened to; it is opened to be read.
inline FlipTruth tell_flip_truth(const std::string& copy, const EngineOptions& options) {
  FlipTruth truth;
  const Engine engine = Engine::open(copy, options).value();
  read_flip_log(engine, [&](const RecordView& record) {
    truth.rows.push_back(flip_row(record));
    return true;
  }).value();
  truth.needed = truth.rows.size();
  const auto consumer = engine.consumer({}).value();
  for (const FlipRow& row : truth.rows) {
    const Timestamp when{std::chrono::milliseconds(row.timestamp_ms)};
    const auto found = consumer.offsets_for_times({{{"t", 0}, when}}).value();
    const auto& at = found.at({"t", 0});
    truth.times[row.timestamp_ms] = at ? std::optional(at->offset) : std::nullopt;
  }
  return truth;
}

inline void note_error(FlipAnswer& answer, const Error& error) {
  if (answer.error.empty()) answer.error = error.message();
}

/// Everything from the front, both ways, and the position of the group.
inline void read_flipped(const Engine& engine, const FlipTruth& truth, FlipAnswer& answer) {
  FlipReading reader(truth, "a log reader");
  FlipReading consumer(truth, "a consumer");
  const auto read =
      read_flip_log(engine, [&](const RecordView& record) { return reader.take(record, answer); });
  const auto consumed =
      consume_flip_log(engine, [&](const RecordView& record) { return consumer.take(record, answer); });
  for (const auto& done : {read, consumed}) {
    if (!done) note_error(answer, done.error());
  }
  answer.records = std::min(reader.shown().size(), consumer.shown().size());
  answer.shown = reader.shown();
  if (!answer.error.empty() || !answer.wrong.empty()) return;
  const auto group = engine.consumer({.group_id = "g"});
  const auto committed = group->committed({"t", 0});
  if (!committed) {
    note_error(answer, committed.error());
  } else if (!*committed || (*committed)->offset != flip_position) {
    answer.wrong = "the group's position is not the one committed";
  }
}

inline std::string in_words(const std::optional<Offset>& offset) {
  return offset ? std::to_string(*offset) : std::string("nothing");
}

/// Every offset that was shown, and every time, by itself, which go through the indexes.
inline void look_up_flipped(const Engine& engine, const FlipTruth& truth, FlipAnswer& answer) {
  const auto reader = engine.reader({"t", 0});
  const auto consumer = engine.consumer({.group_id = "g"});
  for (const std::size_t i : answer.shown) {
    const FlipRow& row = truth.rows[i];
    auto records = reader->read(row.offset, 1);
    if (!records) return note_error(answer, records.error());
    if (records->empty() || flip_row(*records->begin()) != row)
      answer.wrong = "read from " + std::to_string(row.offset);
    const Timestamp when{std::chrono::milliseconds(row.timestamp_ms)};
    auto found = consumer->offsets_for_times({{{"t", 0}, when}});
    if (!found) return note_error(answer, found.error());
    const auto& at = found->at({"t", 0});
    const auto offset = at ? std::optional(at->offset) : std::nullopt;
    // Of a log with missing records it may be another one that is the first.
    const bool is_whole = answer.shown.size() == truth.rows.size();
    const auto& right = truth.times.at(row.timestamp_ms);
    if (is_whole && offset != right)
      answer.wrong = "lookup of the time of offset " + std::to_string(row.offset) + " finds " +
                     in_words(offset) + " instead of " + in_words(right);
    if (!answer.wrong.empty()) return;
  }
}

/// Whether byte `at` of a log belongs to a base offset. Base offsets have no checksum: where compaction may
/// have left a gap, a wrong one is a right one.
inline bool is_in_base_offset(base::ByteSpan log, std::size_t at) {
  constexpr std::size_t base_offset_bytes = 8;
  for (std::size_t position = 0; position + format::header_bytes <= log.size();) {
    const auto header = format::read_batch_header(log.data() + position);
    if (at < position + base_offset_bytes) return at >= position;
    if (header.length < format::length_min) return false;
    position += header.size_bytes();
  }
  return false;
}

/// Opens and reads; a writer appends and closes too.
inline FlipAnswer try_flipped(const std::string& path, const FlipTruth& truth, const EngineOptions& options) {
  FlipAnswer answer;
  auto engine = Engine::open(path, options);
  if (!engine) {
    answer.error = engine.error().message();
    return answer;
  }
  read_flipped(*engine, truth, answer);
  if (answer.error.empty() && answer.wrong.empty()) look_up_flipped(*engine, truth, answer);
  if (options.mode == OpenMode::read_only) return answer;
  auto producer = engine->producer({.acks = Acks::leader});
  const auto sent = producer->send_sync({.topic = "t", .key = "after", .value = "after"});
  const auto closed = engine->close();
  if (!sent) note_error(answer, sent.error());
  if (!closed) note_error(answer, closed.error());
  return answer;
}

}  // namespace seriatim::test
