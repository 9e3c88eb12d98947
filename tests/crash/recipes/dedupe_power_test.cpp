// Power cuts and kills at every call that changes the disk, while messages are handled once each: the window
// and the effects of messages always tell the same story.
#include <doctest/doctest.h>

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "crash/power_recovery.hpp"
#include "directory/checkpointer.hpp"
#include "flow/dedupe/deduplicator_impl.hpp"
#include "support/power_vfs.hpp"
#include "support/temp_dir.hpp"

namespace seriatim::test {
namespace {

using std::chrono::milliseconds;

constexpr std::int64_t window_ms = 50;
constexpr int ids = 12;

/// The effect of a message is a record "id:time of the first".
std::string effect_of(const std::string& id, std::int64_t now) { return id + ":" + std::to_string(now); }

struct DedupeModel {
  std::set<std::string> acknowledged{};  ///< Effects.
  std::int64_t now = 1'000;
  Acks acks = Acks::all;
};

Deduplicator open_dedupe(const Engine& engine, Acks acks, const std::int64_t& now) {
  return needed(detail::DeduplicatorImpl::open(engine,
                                               {.name = "d",
                                                .window_time = milliseconds(window_ms),
                                                .transactions = {.acks = acks},
                                                .sweeps_in_background = false},
                                               [&now] { return Timestamp{milliseconds{now}}; }));
}

/// @return whether it was a first.
bool handle_message(Deduplicator& dedupe, const std::string& id, std::int64_t now) {
  DedupeTransaction work = needed(dedupe.begin());
  const DedupeSeen seen = needed(work.check(id));
  if (seen.is_first) {
    const std::string effect = effect_of(id, now);
    needed(work.transaction().send({.topic = "t", .value = effect}));
    needed(work.record(id, effect));
  }
  needed(work.commit());
  return seen.is_first;
}

/// The times at which each id had its effect.
std::map<std::string, std::vector<std::int64_t>> effects_in(const Engine& engine,
                                                            std::set<std::string>& values) {
  Consumer consumer = needed(engine.consumer());
  needed(consumer.assign({{"t", 0}}));
  std::map<std::string, std::vector<std::int64_t>> effects;
  for (;;) {
    const auto records = needed(consumer.poll(milliseconds(0)));
    if (records.empty()) return effects;
    for (const RecordView& record : records) {
      const std::string value(record.value().text());
      const std::size_t colon = value.find(':');
      effects[value.substr(0, colon)].push_back(std::stoll(value.substr(colon + 1)));
      if (!values.insert(value).second) throw CrashFault(value + " is there twice");
    }
  }
}

void check_dedupe_image(const std::string& image, const DedupeModel& model, Crash crash) {
  const Engine engine = open_power_engine(image, os::posix_vfs());
  std::set<std::string> values;
  const auto effects = effects_in(engine, values);
  for (const auto& [id, times] : effects) {
    for (std::size_t i = 1; i < times.size(); ++i) {
      if (times[i] - times[i - 1] < window_ms) throw CrashFault(id + " had its effect twice in its window");
    }
  }
  // Of `leader` a power cut may take what was acknowledged.
  if (crash == Crash::kill || model.acks == Acks::all) {
    for (const std::string& effect : model.acknowledged) {
      if (!values.contains(effect)) throw CrashFault(effect + " was acknowledged and is lost");
    }
  }
  Deduplicator dedupe = open_dedupe(engine, Acks::leader, model.now);
  for (int i = 0; i < ids; ++i) {
    const std::string id = "m" + std::to_string(i);
    const auto found = effects.find(id);
    const bool is_held = found != effects.end() && model.now - found->second.back() < window_ms;
    DedupeTransaction work = needed(dedupe.begin());
    const DedupeSeen seen = needed(work.check(id));
    if (seen.is_first == is_held) throw CrashFault(id + (is_held ? " is forgotten" : " is remembered"));
    if (is_held && seen.result != effect_of(id, found->second.back()))
      throw CrashFault(id + " has the result " + seen.result.value_or("(none)"));
  }
}

class DedupeHistory {
 public:
  DedupeHistory(const std::string& scratch, Acks acks, Random& random)
      : scratch_(scratch), random_(random), vfs_(make_directory(scratch + "/live")) {
    model_.acks = acks;
    vfs_.before_change = [this](std::string_view what, const std::string& path, PowerDisk& disk) {
      if (!fault_) std::thread([&] { look(disk, std::string(what) + " " + path); }).join();
    };
  }
  std::int64_t states() const noexcept { return states_; }
  std::int64_t duplicates() const noexcept { return duplicates_; }

  void play(int steps) {
    {
      const Engine engine = open_power_engine(scratch_ + "/live", vfs_);
      detail::EngineImpl::of(engine)->background->stop();
      needed(engine.admin().create_topic({.name = "t", .config = {{"segment.bytes", "16384"}}}));
      std::optional<Deduplicator> dedupe = open_dedupe(engine, model_.acks, model_.now);
      is_created_ = true;
      for (int i = 0; i < steps && !fault_; ++i) {
        if (i == steps / 2) dedupe = open_dedupe(engine, model_.acks, model_.now);
        if (i % 9 == 8) needed(detail::EngineImpl::of(engine)->checkpointer->checkpoint());
        step(*dedupe);
      }
      dedupe.reset();
      needed(engine.close());
    }
    if (fault_) throw CrashFault(*fault_);
  }

 private:
  static std::string make_directory(const std::string& path) {
    needed(os::posix_vfs().create_directory(path));
    return path;
  }

  void step(Deduplicator& dedupe) {
    model_.now += random_.between(0, 5);
    if (random_.one_in(6)) {
      needed(dedupe.sweep());
      return;
    }
    const std::string id = "m" + std::to_string(random_.between(0, ids - 1));
    if (random_.one_in(6)) {
      DedupeTransaction work = needed(dedupe.begin());
      if (needed(work.check(id)).is_first) {
        needed(work.transaction().send({.topic = "t", .value = effect_of(id, model_.now)}));
        needed(work.record(id));
      }
      needed(work.abort());
      return;
    }
    if (handle_message(dedupe, id, model_.now)) {
      model_.acknowledged.insert(effect_of(id, model_.now));
    } else {
      ++duplicates_;
    }
  }

  // In a thread of its own: the engine keeps buffers by thread. Nothing may be thrown through the engine.
  void look(PowerDisk& disk, const std::string& what) {
    if (!is_created_) return;
    try {
      const Crash crash = states_++ % 3 == 0 ? Crash::kill : Crash::power_cut;
      const std::string image = scratch_ + "/image";
      crash == Crash::kill ? disk.kill(image) : disk.power_cut(image, random_);
      check_dedupe_image(image, model_, crash);
      std::filesystem::remove_all(image);
    } catch (const std::exception& failure) {
      fault_ = "at \"" + what + "\": " + failure.what();
    }
  }

  const std::string scratch_;
  Random& random_;
  PowerVfs vfs_;
  DedupeModel model_{};
  std::int64_t states_ = 0;
  std::int64_t duplicates_ = 0;
  bool is_created_ = false;
  std::optional<std::string> fault_{};
};

}  // namespace

TEST_CASE("INV-4, INV-8: a message has its effect once in its window, whenever the power fails") {
  Random random("crash.recipes.dedupe_power");
  std::int64_t states = 0;
  std::int64_t duplicates = 0;
  while (states < SERIATIM_POWER_STATES) {
    for (const Acks acks : {Acks::all, Acks::leader}) {
      const TempDir scratch(TempDir::in_memory());
      DedupeHistory history(scratch.path(), acks, random);
      history.play(80);
      states += history.states();
      duplicates += history.duplicates();
    }
  }
  CHECK(duplicates > 0);
  MESSAGE(states << " states");
}

}  // namespace seriatim::test
