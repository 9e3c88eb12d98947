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
#include "crash/flip_truth.hpp"
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

/// Writes to topic "t" what a history says; record i has timestamp 1000 + i. For a child, which ends where
/// something fails.
class FlipWriter {
 public:
  explicit FlipWriter(const Engine& engine) : plain_(engine.producer({}).value()) {
    for (const char* id : {"a", "b", "c"})
      producers_.push_back(engine.transactional_producer({.transactional_id = id}).value());
    open_.resize(producers_.size());
  }
  void plain(const std::string& key, const std::string& value) {
    plain_.send_sync(record(key, value)).value();
  }
  void erase(const std::string& key) { plain_.send_sync(record(key, BytesView())).value(); }
  /// Plain records of half a segment or so.
  void fill(int records) {
    for (int i = 0; i < records; ++i) plain("fill-" + std::to_string(next_), std::string(250, 'f'));
  }
  void begin(std::size_t producer, const std::string& key) {
    open_[producer].emplace(producers_[producer].begin().value());
    send(producer, key);
  }
  void send(std::size_t producer, const std::string& key) {
    open_[producer]->send(record(key, BytesView("of a transaction"))).value();
  }
  void end(std::size_t producer, bool commits) {
    if (commits) open_[producer]->commit().value();
    if (!commits) open_[producer]->abort().value();
    open_[producer].reset();
  }
  /// A whole one.
  void transaction(std::size_t producer, const std::string& key, bool commits) {
    begin(producer, key);
    send(producer, key + "2");
    end(producer, commits);
  }

 private:
  ProducerRecord record(std::string_view key, BytesView value) {
    const Timestamp when{std::chrono::milliseconds(1'000 + next_++)};
    return {.topic = "t", .key = key, .value = value, .timestamp = when};
  }

  int next_ = 0;
  Producer plain_;
  std::vector<TransactionalProducer> producers_{};
  std::vector<std::optional<Transaction>> open_{};
};

/// Small segments of a compacted topic: tombstones with a delete horizon in front, behind them transactions
/// that overlap, over several segments. An aborted record has a key that begins with "aborted".
inline void make_flip_transactions(const std::string& path, Left left) {
  ChildProcess child([&](const ChildProcess::Voice& voice) {
    auto engine = Engine::open(path, flip_options(OpenMode::create_if_missing)).value();
    const ConfigMap config{{"segment.bytes", "1500"},
                           {"index.interval.bytes", "200"},
                           {"cleanup.policy", "compact"},
                           {"delete.retention.ms", "1000000000000"}};
    engine.admin().create_topic({.name = "t", .config = config}).value();
    FlipWriter writer(engine);
    for (int i = 0; i < 6; ++i) writer.plain("k" + std::to_string(i), "v" + std::to_string(i));
    writer.transaction(0, "k1", true);
    writer.transaction(1, "aborted k1", false);
    writer.erase("k3");
    writer.fill(5);
    auto group = engine.consumer({.group_id = "g"}).value();
    group.commit_sync({{{"t", 0}, {.offset = flip_position}}}).value();
    // With the checkpoint that goes before it, other processes know the position.
    engine.admin().compact("t", true).value();
    writer.begin(0, "aborted over segments");
    writer.fill(4);
    writer.transaction(1, "aborted within", false);
    writer.fill(5);
    writer.transaction(2, "c", true);
    writer.begin(1, "d");
    writer.end(0, false);
    writer.fill(5);
    writer.end(1, true);
    writer.transaction(2, "aborted e", false);
    writer.fill(1);
    if (left == Left::killed) {
      voice.say("made");
      ::_exit(0);
    }
    engine.close().value();
    voice.say("made");
  });
  if (child.hear_all() != "made") throw std::runtime_error("the directory was not made");
}

}  // namespace seriatim::test
