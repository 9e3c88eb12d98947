// Power cuts and kills at every call that changes the disk, while delayed messages are scheduled, moved,
// cancelled and delivered: each is delivered once or was cancelled, and the rest comes in due order.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "crash/power_recovery.hpp"
#include "directory/checkpointer.hpp"
#include "flow/delayed/delayed_messages_impl.hpp"
#include "support/power_vfs.hpp"
#include "support/temp_dir.hpp"

namespace seriatim::test {
namespace {

using std::chrono::milliseconds;

// The facts of a message. `tried` comes before a call, `is` behind it.
struct DelayedFact {
  std::int64_t due = 0;
  bool is_scheduled = false;
  bool is_cancel_tried = false;
  bool is_cancelled = false;
};

struct DelayedModel {
  std::map<std::string, DelayedFact> facts{};  ///< By value, which is the id too where one is given.
  Acks acks = Acks::all;
};

DelayedMessages open_delayed(const Engine& engine, Acks acks, const std::int64_t& now) {
  return needed(
      detail::DelayedMessagesImpl::open(engine, {.name = "d", .acks = acks, .delivers_in_background = false},
                                        [&now] { return Timestamp{milliseconds{now}}; }));
}

std::vector<std::string> shown_values(const Engine& engine) {
  Consumer consumer = needed(engine.consumer());
  needed(consumer.assign({{"t", 0}}));
  std::vector<std::string> values;
  for (;;) {
    const auto records = needed(consumer.poll(milliseconds(0)));
    if (records.empty()) return values;
    for (const RecordView& record : records) values.emplace_back(record.value().text());
  }
}

// Recovers, delivers the rest, and compares with the facts.
void check_image(const std::string& image, const DelayedModel& model, Crash crash) {
  const Engine engine = open_power_engine(image, os::posix_vfs());
  const auto before = shown_values(engine);
  const std::int64_t end_of_time = 1'000'000;
  DelayedMessages delayed = open_delayed(engine, Acks::leader, end_of_time);
  std::map<std::string, Timestamp> pending;
  for (const DelayedMessage& message : needed(delayed.list(DelayedListing::pending, {}, 10'000)))
    pending[message.value.value_or("")] = message.due;
  needed(delayed.deliver());
  if (needed(delayed.count()) != 0) throw CrashFault("not everything is delivered");
  if (!needed(engine.admin().list_states()).empty()) throw CrashFault("rows are left behind");
  const auto values = shown_values(engine);
  for (std::size_t i = before.size() + 1; i < values.size(); ++i) {
    if (pending.at(values[i]) < pending.at(values[i - 1])) throw CrashFault(values[i] + " comes too late");
  }
  std::map<std::string, int> times;
  for (const std::string& value : values) {
    if (++times[value] > 1) throw CrashFault(value + " was delivered twice");
    if (!model.facts.contains(value)) throw CrashFault(value + " was never scheduled");
  }
  // A power cut may take what was acknowledged at `leader`.
  if (crash == Crash::power_cut && model.acks == Acks::leader) return;
  for (const auto& [value, fact] : model.facts) {
    const bool is_there = times.contains(value);
    if (fact.is_cancelled && is_there) throw CrashFault(value + " was cancelled and delivered");
    if (fact.is_scheduled && !fact.is_cancel_tried && !is_there) throw CrashFault(value + " is lost");
  }
}

class DelayedHistory {
 public:
  DelayedHistory(const std::string& scratch, Acks acks, Random& random)
      : scratch_(scratch), random_(random), vfs_(make_directory(scratch + "/live")) {
    model_.acks = acks;
    vfs_.before_change = [this](std::string_view what, const std::string& path, PowerDisk& disk) {
      if (!fault_) std::thread([&] { look(disk, std::string(what) + " " + path); }).join();
    };
  }
  std::int64_t states() const noexcept { return states_; }

  void play(int steps) {
    {
      const Engine engine = open_power_engine(scratch_ + "/live", vfs_);
      detail::EngineImpl::of(engine)->background->stop();
      needed(engine.admin().create_topic({.name = "t", .config = {{"segment.bytes", "16384"}}}));
      auto delayed = std::make_unique<DelayedMessages>(open_delayed(engine, model_.acks, now_));
      TransactionalProducer producer =
          needed(engine.transactional_producer({.transactional_id = "app", .acks = model_.acks}));
      is_created_ = true;
      for (int i = 0; i < steps && !fault_; ++i) {
        if (i == steps / 2) {
          delayed.reset();
          delayed = std::make_unique<DelayedMessages>(open_delayed(engine, model_.acks, now_));
        }
        if (i % 9 == 8) needed(detail::EngineImpl::of(engine)->checkpointer->checkpoint());
        step(*delayed, producer);
      }
      delayed.reset();
      needed(engine.close());
    }
    if (fault_) throw CrashFault(*fault_);
  }

 private:
  static std::string make_directory(const std::string& path) {
    needed(os::posix_vfs().create_directory(path));
    return path;
  }

  void step(DelayedMessages& delayed, TransactionalProducer& producer) {
    switch (random_.between(0, 6)) {
      case 0:
      case 1:
        return schedule(delayed);
      case 2:
        return schedule_with(delayed, producer);
      case 3:
        return schedule_batch(delayed);
      case 4:
        return cancel(delayed);
      case 5:
        return move(delayed);
      default:
        now_ += random_.between(0, 15);
        needed(delayed.deliver());
    }
  }
  std::string next_value() {
    std::string value = "m";
    return value.append(std::to_string(model_.facts.size())).append(std::size_t{40}, '.');
  }
  std::int64_t some_due() { return now_ + random_.between(0, 40); }
  DueTime due_of(const std::string& value) const {
    return Timestamp{milliseconds{model_.facts.at(value).due}};
  }

  void schedule(DelayedMessages& delayed) {
    const std::string value = next_value();
    model_.facts[value] = {.due = some_due()};
    const bool is_named = random_.one_in(2);
    ids_[value] =
        needed(delayed.schedule({.topic = "t", .value = value}, due_of(value), is_named ? value : ""));
    model_.facts[value].is_scheduled = true;
  }
  void schedule_with(DelayedMessages& delayed, TransactionalProducer& producer) {
    const std::string value = next_value();
    Transaction transaction = needed(producer.begin());
    const bool is_committed = !random_.one_in(4);
    const std::string name = is_committed ? value : "aborted " + value;
    if (is_committed) model_.facts[value] = {.due = some_due()};
    const auto due = is_committed ? due_of(value) : DueTime(milliseconds(0));
    const std::string id = needed(delayed.schedule(transaction, {.topic = "t", .value = name}, due, name));
    needed(is_committed ? transaction.commit() : transaction.abort());
    if (!is_committed) return;
    ids_[value] = id;
    model_.facts[value].is_scheduled = true;
  }
  void schedule_batch(DelayedMessages& delayed) {
    std::vector<std::string> values;
    for (int i = 0; i < 3; ++i) {
      values.push_back(next_value());
      model_.facts[values.back()] = {.due = some_due()};
    }
    std::vector<DelayedRecord> records;
    for (const std::string& value : values)
      records.push_back({.record = {.topic = "t", .value = value}, .due = due_of(value)});
    const auto ids = needed(delayed.schedule(records));
    for (std::size_t i = 0; i < values.size(); ++i) {
      ids_[values[i]] = ids[i];
      model_.facts[values[i]].is_scheduled = true;
    }
  }
  std::optional<std::string> some_message() {
    if (ids_.empty()) return std::nullopt;
    auto chosen = ids_.begin();
    std::advance(chosen, random_.between(0, std::ssize(ids_) - 1));
    return chosen->first;
  }
  void cancel(DelayedMessages& delayed) {
    const auto value = some_message();
    if (!value) return;
    const auto pending = needed(delayed.find(ids_.at(*value)));
    // Delivered before: nothing is tried.
    if (!pending) return;
    model_.facts[*value].is_cancel_tried = true;
    model_.facts[*value].is_cancelled = needed(delayed.cancel(ids_.at(*value)));
    if (!model_.facts[*value].is_cancelled) throw CrashFault("a pending message is not cancelled");
    ids_.erase(*value);
  }
  void move(DelayedMessages& delayed) {
    const auto value = some_message();
    if (!value) return;
    needed(delayed.reschedule(ids_.at(*value), Timestamp{milliseconds{some_due()}}));
  }

  // In a thread of its own: the engine keeps buffers by thread. Nothing may be thrown through the engine.
  void look(PowerDisk& disk, const std::string& what) {
    if (!is_created_) return;
    try {
      const Crash crash = states_++ % 3 == 0 ? Crash::kill : Crash::power_cut;
      const std::string image = scratch_ + "/image";
      crash == Crash::kill ? disk.kill(image) : disk.power_cut(image, random_);
      check_image(image, model_, crash);
      std::filesystem::remove_all(image);
    } catch (const std::exception& failure) {
      fault_ = "at \"" + what + "\": " + failure.what();
    }
  }

  const std::string scratch_;
  Random& random_;
  PowerVfs vfs_;
  DelayedModel model_{};
  std::map<std::string, std::string> ids_{};
  std::int64_t now_ = 1'000;
  std::int64_t states_ = 0;
  bool is_created_ = false;
  std::optional<std::string> fault_{};
};

}  // namespace

TEST_CASE("INV-4, INV-8: a delayed message is delivered once or cancelled, whenever the power fails") {
  Random random("crash.recipes.delayed_power");
  std::int64_t states = 0;
  while (states < SERIATIM_POWER_STATES) {
    for (const Acks acks : {Acks::all, Acks::leader}) {
      const TempDir scratch(TempDir::in_memory());
      DelayedHistory history(scratch.path(), acks, random);
      history.play(60);
      states += history.states();
    }
  }
  MESSAGE(states << " states");
}

}  // namespace seriatim::test
