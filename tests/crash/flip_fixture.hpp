// A small data directory with every kind of file, and what comes of it when one bit of one file is wrong.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include <seriatim/inspect.hpp>

#include "bad_input/attempt.hpp"
#include "support/random.hpp"

namespace seriatim::test {

namespace fs = std::filesystem;

/// In memory where there is such a file system: hundreds of thousands of copies test our checks, not the
/// disk.
class FlipDir {
 public:
  FlipDir() {
    const std::string in_memory = "/dev/shm";
    const bool has_memory = fs::is_directory(in_memory);
    path_ = (has_memory ? in_memory : fs::temp_directory_path().string()) + "/seriatim-flip-XXXXXX";
    if (::mkdtemp(path_.data()) == nullptr) throw std::runtime_error("cannot make a directory like " + path_);
  }
  ~FlipDir() {
    std::error_code ignored;  // as TempDir
    fs::remove_all(path_, ignored);
  }
  FlipDir(const FlipDir&) = delete;
  FlipDir& operator=(const FlipDir&) = delete;
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

inline constexpr int flip_records = 20;
inline constexpr Offset flip_position = 5;  ///< What group "g" has committed.

/// Small files, so that a state costs little; nothing in the background.
inline EngineOptions flip_options(OpenMode mode) {
  EngineOptions options{.mode = mode};
  options.maintenance_interval = std::chrono::milliseconds(0);
  options.checkpoint_interval = std::chrono::hours(1);
  options.journal_max_bytes = 256 << 10;
  options.journal_file_bytes = 64 << 10;
  return options;
}

/// Record i: timestamp 1000 + i, value "v<i>". Its writer closed, or was killed before any checkpoint.
inline void make_flip_data(const std::string& path, Left left) {
  ChildProcess child([&](const ChildProcess::Voice& voice) {
    auto engine = Engine::open(path, flip_options(OpenMode::create_if_missing));
    const ConfigMap config{{"segment.bytes", left == Left::closed ? "1024" : "8192"},
                           {"index.interval.bytes", "80"}};
    if (!engine || !engine->admin().create_topic({.name = "t", .config = config})) ::_exit(5);
    auto durable = engine->producer({.acks = Acks::all});
    Sequence sequence = 0;
    for (int i = 0; i < flip_records; ++i) {
      const bool is_sent = left == Left::killed;
      if (is_sent) {
        const Timestamp when{std::chrono::milliseconds(1'000 + i)};
        if (!durable->send_sync({.topic = "t", .value = "v" + std::to_string(i), .timestamp = when}))
          ::_exit(5);
        continue;
      }
      append_batch(
          *engine, {"t", 0},
          {.timestamp_ms = 1'000 + i,
           .frame = {.producer_id = ProducerId{1} << 41, .producer_epoch = 0, .base_sequence = sequence++}});
    }
    auto consumer = engine->consumer({.group_id = "g"});
    if (!consumer->commit_sync({{{"t", 0}, {.offset = flip_position}}})) ::_exit(5);
    // The last frame: of it alone nothing can be proved, should it be damaged.
    if (left == Left::killed && !durable->send_sync({.topic = "t", .value = "last"})) ::_exit(5);
    if (left == Left::closed && !engine->close()) ::_exit(5);
    voice.say("made");
    ::_exit(0);
  });
  if (child.hear_all() != "made") throw std::runtime_error("the directory was not made");
}

/// What reading a directory told. Wrong bytes are told by `wrong`.
struct FlipAnswer {
  int records = 0;  ///< Read in order from the beginning, each the right one.
  std::string wrong{};
  std::string error{};  ///< Of opening or reading; empty: none.
};

inline void read_flipped(const Engine& engine, FlipAnswer& answer) {
  auto reader = engine.reader({"t", 0});
  if (!reader) {
    answer.error = reader.error().message();
    return;
  }
  for (Offset next = reader->log_start_offset(); next < reader->high_watermark();) {
    auto records = reader->read(next, 1000);
    if (!records) {
      answer.error = records.error().message();
      return;
    }
    if (records->empty()) break;
    for (const RecordView& record : *records) {
      const bool is_last = record.offset() == flip_records && record.value().text() == "last";
      const bool is_right = record.offset() == next && record.value().text() == "v" + std::to_string(next) &&
                            record.timestamp().time_since_epoch().count() == 1'000 + next;
      if (!is_right && !is_last) {
        answer.wrong = "offset " + std::to_string(record.offset()) + " where " + std::to_string(next) +
                       " was expected, value " + std::string(record.value().text());
        return;
      }
      ++answer.records;
      ++next;
    }
  }
  const auto consumer = engine.consumer({.group_id = "g"});
  const auto committed = consumer->committed({"t", 0});
  if (!committed) {
    answer.error = committed.error().message();
  } else if (!*committed || (*committed)->offset != flip_position) {
    answer.wrong = "the group's position is not the one committed";
  }
}

/// Every offset and every time by itself, which go through the indexes.
inline void look_up_flipped(const Engine& engine, FlipAnswer& answer) {
  const auto reader = engine.reader({"t", 0});
  const auto consumer = engine.consumer({.group_id = "g"});
  for (Offset offset = 0; offset < answer.records && answer.wrong.empty(); ++offset) {
    auto records = reader->read(offset, 1);
    if (!records) {
      answer.error = records.error().message();
      return;
    }
    if (records->empty()) continue;  // the reading from the beginning has counted
    if (records->begin()->offset() != offset) answer.wrong = "read from " + std::to_string(offset);
    const Timestamp when{std::chrono::milliseconds(1'000 + offset)};
    auto found = consumer->offsets_for_times({{{"t", 0}, when}});
    if (!found) {
      answer.error = found.error().message();
      return;
    }
    const auto& at = found->at({"t", 0});
    if (!at || at->offset != offset) answer.wrong = "lookup of the time of offset " + std::to_string(offset);
  }
}

/// Opens and reads; a writer appends and closes too.
inline FlipAnswer try_flipped(const std::string& path, OpenMode mode) {
  FlipAnswer answer;
  auto engine = Engine::open(path, flip_options(mode));
  if (!engine) {
    answer.error = engine.error().message();
    return answer;
  }
  read_flipped(*engine, answer);
  if (answer.error.empty() && answer.wrong.empty()) look_up_flipped(*engine, answer);
  if (mode == OpenMode::read_only) return answer;
  auto producer = engine->producer({.acks = Acks::leader});
  const auto sent = producer->send_sync({.topic = "t", .value = "after"});
  const auto closed = engine->close();
  if (!sent && answer.error.empty()) answer.error = sent.error().message();
  if (!closed && answer.error.empty()) answer.error = closed.error().message();
  return answer;
}

}  // namespace seriatim::test
