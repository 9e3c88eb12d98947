// Our engine as the oracle's counterpart in transactions, through the public API alone.
#include <algorithm>
#include <charconv>
#include <exception>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <seriatim/seriatim.hpp>

#include "transaction_play.hpp"
#include "transaction_view.hpp"

namespace {

namespace fs = std::filesystem;
namespace kafka_test = seriatim::kafka_test;
using seriatim::Engine;
using seriatim::EngineOptions;
using seriatim::Errc;
using seriatim::Error;
using seriatim::Result;

constexpr int exit_failed = 2;
constexpr std::string_view usage =
    "usage: transaction_tool play DIR COPY SEED STEPS [name=value]...\n"
    "                                                   plays a history into DIR, in topics of that "
    "configuration; copies it to COPY while transactions are open; closes DIR\n"
    "       transaction_tool grow DIR COPY SEED STEPS   goes on in DIR, which it compacts before and after; "
    "copies and closes as play does\n"
    "       transaction_tool reopen DIR                 opens DIR for writing, as after a crash, and closes "
    "it\n"
    "       transaction_tool compact DIR                compacts every topic in DIR, all of it\n"
    "       transaction_tool trim DIR                   deletes the first half of every partition in DIR\n"
    "       transaction_tool view DIR TOPIC PARTITION OFFSET...\n"
    "                                                   what readers see from each offset on, at both "
    "isolation levels\n";

template <class Number>
Result<Number> number(const std::string& text) {
  Number value = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  if (parsed.ptr == end && parsed.ec == std::errc()) return value;
  return Error(Errc::invalid_argument, "'" + text + "' is not a number");
}

// Nothing happens in the background: what is left depends on the seed alone.
EngineOptions options() {
  return {.log_sink = [](seriatim::LogLevel,
                         std::string_view line) { std::cerr << "transaction_tool: " << line << '\n'; },
          .maintenance_interval = std::chrono::milliseconds(0),
          .checkpoint_interval = std::chrono::hours(1),
          .journal_max_bytes = std::uint64_t{4} << 20,
          .journal_file_bytes = std::uint32_t{1} << 20};
}

void print_counts(const kafka_test::PlayCounts& counts) {
  std::string text;
  for (const auto& [name, count] : counts)
    text += (text.empty() ? "\"" : ",\"") + name + "\":" + std::to_string(count);
  std::cout << "{" << text << "}\n";
}

// Leaves the policy as it was: topics that are compacted refuse records without a key.
Result<> compact_all(const Engine& engine) {
  const auto topics = engine.admin().list_topics();
  if (!topics) return topics.error();
  for (const std::string& topic : *topics) {
    auto altered = engine.admin().alter_config(topic, {{"cleanup.policy", "compact"}});
    if (!altered) return altered;
    const auto done = engine.admin().compact(topic, true);
    if (!done) return done.error();
    auto reset = engine.admin().reset_config(topic, {"cleanup.policy"});
    if (!reset) return reset;
  }
  return {};
}

// Ends with transactions open: one for long, others not.
Result<> play_on(const Engine& engine, kafka_test::TransactionPlay& history, int steps) {
  if (auto moved = history.move_to(engine); !moved) return moved;
  if (auto played = history.play(steps / 2); !played) return played;
  if (auto held = history.hold(); !held) return held;
  if (auto played = history.play(steps - steps / 2); !played) return played;
  return history.leave_open();
}

// Halfway the engine is closed and opened: a snapshot is then not only where a segment begins.
Result<> play(const fs::path& directory, const fs::path& copy, kafka_test::TransactionPlay history, int steps,
              const seriatim::ConfigMap& config) {
  auto engine = Engine::open(directory, options());
  if (!engine) return engine.error();
  if (auto created = history.create_topics(*engine, config); !created) return created;
  if (auto moved = history.move_to(*engine); !moved) return moved;
  if (auto played = history.play(steps / 2); !played) return played;
  if (auto closed = engine->close(); !closed) return closed;
  auto again = Engine::open(directory, options());
  if (!again) return again.error();
  if (auto played = play_on(*again, history, steps / 2); !played) return played;
  fs::copy(directory, copy, fs::copy_options::recursive);
  print_counts(history.counts());
  return again->close();
}

// A compacted log grows, and is compacted again beside open transactions.
Result<> grow(const fs::path& directory, const fs::path& copy, kafka_test::TransactionPlay history,
              int steps) {
  auto engine = Engine::open(directory, options());
  if (!engine) return engine.error();
  if (auto compacted = compact_all(*engine); !compacted) return compacted;
  if (auto played = play_on(*engine, history, steps); !played) return played;
  if (auto compacted = compact_all(*engine); !compacted) return compacted;
  fs::copy(directory, copy, fs::copy_options::recursive);
  return engine->close();
}

Result<> reopen(const fs::path& directory) {
  auto engine = Engine::open(directory, options());
  if (!engine) return engine.error();
  return engine->close();
}

Result<> compact(const fs::path& directory) {
  auto engine = Engine::open(directory, options());
  if (!engine) return engine.error();
  if (auto compacted = compact_all(*engine); !compacted) return compacted;
  return engine->close();
}

// Retention takes whole segments below the middle of each partition.
Result<> trim(const fs::path& directory) {
  auto engine = Engine::open(directory, options());
  if (!engine) return engine.error();
  const auto admin = engine->admin();
  for (const seriatim::TopicPartition& at : kafka_test::TransactionPlay::partitions()) {
    const auto end = admin.list_offset(at, seriatim::OffsetSpec::latest);
    if (!end) return end.error();
    if (const auto start = admin.delete_records(at, *end / 2); !start) return start.error();
    const auto done = admin.apply_retention(at.topic);
    if (!done) return done.error();
  }
  return engine->close();
}

Result<> view(const std::vector<std::string>& words) {
  const auto partition = number<seriatim::PartitionId>(words[2]);
  if (!partition) return partition.error();
  std::vector<seriatim::Offset> starts;
  for (std::size_t i = 3; i < words.size(); ++i) {
    const auto start = number<seriatim::Offset>(words[i]);
    if (!start) return start.error();
    starts.push_back(*start);
  }
  auto reading = options();
  reading.mode = seriatim::OpenMode::read_only;
  auto engine = Engine::open(words[0], reading);
  if (!engine) return engine.error();
  return kafka_test::print_view(*engine, {words[1], *partition}, starts);
}

Result<> play(const std::string& command, const std::vector<std::string>& words) {
  const auto seed = number<std::uint64_t>(words[2]);
  if (!seed) return seed.error();
  const auto steps = number<int>(words[3]);
  if (!steps) return steps.error();
  seriatim::ConfigMap config;
  for (std::size_t i = 4; i < words.size(); ++i) {
    const std::size_t equals = words[i].find('=');
    if (equals == std::string::npos) return Error(Errc::invalid_argument, std::string(usage));
    config[words[i].substr(0, equals)] = words[i].substr(equals + 1);
  }
  kafka_test::TransactionPlay history(*seed);
  return command == "grow" ? grow(words[0], words[1], std::move(history), *steps)
                           : play(words[0], words[1], std::move(history), *steps, config);
}

Result<> run(const std::string& command, const std::vector<std::string>& words) {
  if ((command == "play" || command == "grow") && words.size() >= 4) return play(command, words);
  if (command == "reopen" && words.size() == 1) return reopen(words[0]);
  if (command == "compact" && words.size() == 1) return compact(words[0]);
  if (command == "trim" && words.size() == 1) return trim(words[0]);
  if (command == "view" && words.size() >= 3) return view(words);
  return Error(Errc::invalid_argument, std::string(usage));
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const std::vector<std::string> words(argv + std::min(argc, 2), argv + argc);
    const auto done = run(argc > 1 ? argv[1] : "", words);
    std::cout.flush();
    if (done && std::cout) return 0;
    std::cerr << "transaction_tool: " << (done ? "standard output cannot be written" : done.error().message())
              << '\n';
  } catch (const std::exception& problem) {
    std::cerr << "transaction_tool: " << problem.what() << '\n';
  }
  return exit_failed;
}
