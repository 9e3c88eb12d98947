// Power cuts and kills at every call that changes the disk, while records are sent and consumed with retries:
// each is done once or dead once, after as many attempts as it has failures, in the order of its key.
#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "crash/power_recovery.hpp"
#include "directory/checkpointer.hpp"
#include "support/power_vfs.hpp"
#include "support/temp_dir.hpp"

namespace seriatim::test {
namespace {

constexpr std::uint32_t power_attempts = 3;
constexpr int power_kinds = 4;

/// Record number n fails n mod 4 times; the third failure is its death. All attempts send an output.
Result<> handle_power(const RecordView& record, const RetryAttempt& attempt, RetryOutput& output) {
  const std::string value(record.value().text());
  const std::string done = value + " " + std::to_string(attempt.number);
  if (auto sent = output.send({.topic = "out", .key = record.key(), .value = done}); !sent) return sent;
  const auto failures = static_cast<std::uint32_t>(std::stoi(value) % power_kinds);
  return attempt.number <= failures ? Error(Errc::not_found, "fails") : Result<>();
}

RetryConsumer open_retrying(const Engine& engine, Acks acks) {
  RetryConsumerOptions options{.group_id = "g", .topics = {"in"}};
  options.policy = RetryPolicy::fixed(std::chrono::milliseconds(0), power_attempts);
  options.keeps_order_per_key = true;
  options.acks = acks;
  options.delivers_in_background = false;
  return needed(RetryConsumer::open(engine, std::move(options), handle_power));
}

using ByKey = std::map<std::string, std::vector<std::string>>;

ByKey by_key(const Engine& engine, const std::string& topic) {
  Consumer consumer = needed(engine.consumer());
  needed(consumer.assign({{topic, 0}}));
  ByKey all;
  for (;;) {
    const auto records = needed(consumer.poll(std::chrono::milliseconds(0)));
    if (records.empty()) return all;
    for (const RecordView& record : records)
      all[std::string(record.key().text())].emplace_back(record.value().text());
  }
}

void settle_power(RetryConsumer& consumer) {
  for (int quiet = 0; quiet < 3; ++quiet) {
    if (needed(consumer.run_once(std::chrono::milliseconds(0))) + needed(consumer.deliver_retries()) > 0)
      quiet = -1;
  }
}

std::string text_of(const ByKey& records) {
  std::string text;
  for (const auto& [key, values] : records) {
    text += key + ":";
    for (const std::string& value : values) text += " " + value + ",";
  }
  return text;
}

void compare(const std::string& what, const ByKey& found, const ByKey& wanted) {
  if (found == wanted) return;
  throw CrashFault("a record is " + what + " twice, never, or out of order: " + text_of(found) + " not " +
                   text_of(wanted));
}

/// @param sent  acknowledged records.
void check_retry_image(const std::string& image, const std::vector<std::string>& sent) {
  const Engine engine = open_power_engine(image, os::posix_vfs());
  RetryConsumer consumer = open_retrying(engine, Acks::leader);
  settle_power(consumer);
  if (!needed(engine.admin().list_states()).empty()) throw CrashFault("rows are left behind");
  ByKey done;
  ByKey dead;
  std::size_t stored = 0;
  for (const auto& [key, values] : by_key(engine, "in")) {
    for (const std::string& value : values) {
      const int failures = std::stoi(value) % power_kinds;
      const bool dies = failures == static_cast<int>(power_attempts);
      if (dies) dead[key].push_back(value);
      if (!dies) done[key].push_back(value + " " + std::to_string(failures + 1));
      ++stored;
    }
  }
  compare("done", by_key(engine, "out"), done);
  compare("dead", by_key(engine, "in.DLQ"), dead);
  if (stored < sent.size()) throw CrashFault("a record that was acknowledged is lost");
}

class RetryHistory {
 public:
  RetryHistory(const std::string& scratch, Acks acks, Random& random)
      : scratch_(scratch), acks_(acks), random_(random), vfs_(make_directory(scratch + "/live")) {
    vfs_.before_change = [this](std::string_view what, const std::string& path, PowerDisk& disk) {
      if (!fault_) std::thread([&] { look(disk, std::string(what) + " " + path); }).join();
    };
  }
  std::int64_t states() const noexcept { return states_; }

  void play(int steps) {
    {
      const Engine engine = open_power_engine(scratch_ + "/live", vfs_);
      detail::EngineImpl::of(engine)->background->stop();
      needed(engine.admin().create_topic({.name = "in", .config = {{"segment.bytes", "16384"}}}));
      needed(engine.admin().create_topic({.name = "out"}));
      is_created_ = true;
      // A power cut takes none of these, whatever it takes of the consumer's work at `leader`.
      Producer producer = needed(engine.producer({.acks = Acks::all}));
      auto consumer = std::make_unique<RetryConsumer>(open_retrying(engine, acks_));
      for (int i = 0; i < steps && !fault_; ++i) {
        if (i == steps / 2) {
          consumer.reset();
          consumer = std::make_unique<RetryConsumer>(open_retrying(engine, acks_));
        }
        if (i % 9 == 8) needed(detail::EngineImpl::of(engine)->checkpointer->checkpoint());
        step(producer, *consumer);
      }
      consumer.reset();
      needed(engine.close());
    }
    if (fault_) throw CrashFault(*fault_);
  }

 private:
  static std::string make_directory(const std::string& path) {
    needed(os::posix_vfs().create_directory(path));
    return path;
  }

  void step(Producer& producer, RetryConsumer& consumer) {
    switch (random_.between(0, 4)) {
      case 0:
      case 1: {
        const std::string value = std::to_string(number_++);
        const std::string key(1, static_cast<char>('a' + random_.between(0, 2)));
        needed(producer.send_sync({.topic = "in", .key = key, .value = value}));
        sent_.push_back(value);
        return;
      }
      case 2:
        needed(consumer.deliver_retries());
        return;
      default:
        needed(consumer.run_once(std::chrono::milliseconds(0)));
    }
  }

  // In a thread of its own: the engine keeps buffers by thread. Nothing may be thrown through the engine.
  void look(PowerDisk& disk, const std::string& what) {
    if (!is_created_) return;
    try {
      const Crash crash = states_++ % 3 == 0 ? Crash::kill : Crash::power_cut;
      const std::string image = scratch_ + "/image";
      crash == Crash::kill ? disk.kill(image) : disk.power_cut(image, random_);
      check_retry_image(image, sent_);
      std::filesystem::remove_all(image);
    } catch (const std::exception& failure) {
      fault_ =
          std::string(acks_ == Acks::all ? "all" : "leader") + ", at \"" + what + "\": " + failure.what();
    }
  }

  const std::string scratch_;
  const Acks acks_;
  Random& random_;
  PowerVfs vfs_;
  std::vector<std::string> sent_{};
  int number_ = 0;
  std::int64_t states_ = 0;
  bool is_created_ = false;
  std::optional<std::string> fault_{};
};

}  // namespace

TEST_CASE(
    "INV-4, INV-8: a failed record is done or dead once, in its key's order, whenever the power fails") {
  Random random("crash.recipes.retry_power");
  std::int64_t states = 0;
  while (states < SERIATIM_POWER_STATES) {
    for (const Acks acks : {Acks::all, Acks::leader}) {
      const TempDir scratch(TempDir::in_memory());
      RetryHistory history(scratch.path(), acks, random);
      history.play(40);
      states += history.states();
    }
  }
  MESSAGE(states << " states");
}

}  // namespace seriatim::test
