#include <chrono>
#include <cstdio>

#include "steps.hpp"

namespace demo {
namespace {

using namespace seriatim;
using Clock = std::chrono::steady_clock;

std::string place_of(const RecordView& record) {
  return std::string(record.topic()) + "-" + std::to_string(record.partition()) + "@" +
         std::to_string(record.offset());
}

// Reads until `wanted` records have been seen in all, committing what it has read.
Result<> read_until(const std::filesystem::path& directory, InputCheck& check, const std::string& group,
                    std::uint64_t wanted) {
  const Result<Engine> engine = Engine::open(directory, {.mode = OpenMode::read_write});
  if (!engine.ok()) return engine.error();
  Result<Consumer> consumer = engine->consumer({.group_id = group, .max_poll_records = 5'000});
  if (!consumer.ok()) return consumer.error();
  const Result<> assigned = consumer->assign_topic(event_topic);
  if (!assigned.ok()) return assigned;
  while (check.seen() < wanted) {
    const Result<ConsumerRecords> records = consumer->poll(std::chrono::seconds(1));
    if (!records.ok()) return records.error();
    if (records->empty())
      return differs("reader " + group + " got nothing more after " + std::to_string(check.seen()) +
                     " records");
    for (const RecordView& record : *records) {
      const Result<> seen = check.see(record);
      if (!seen.ok()) return seen;
    }
    const Result<> committed = consumer->commit_sync(*records);
    if (!committed.ok()) return committed;
  }
  consumer->close();
  return engine->close();
}

}  // namespace

Error differs(const std::string& what) {
  return {Errc::invalid_state, what + ". This is a defect: the data directory is kept for a report"};
}

InputCheck::InputCheck(const Input& input) : input_(input) {
  for (std::size_t i = 0; i < input.events.size(); ++i) keys_[input.events[i].key].events.push_back(i);
}

Result<> InputCheck::see(const RecordView& record) {
  const auto found = keys_.find(std::string(record.key().text()));
  if (found == keys_.end()) return differs(place_of(record) + " has a key that was never sent");
  KeyEvents& key = found->second;
  if (key.next == key.events.size())
    return differs(place_of(record) + " is one event more of key " + found->first + " than was sent");
  const Event& event = input_.events[key.events[key.next++]];
  if (record.value().text() != event.text)
    return differs(place_of(record) + " is not the next event of key " + found->first);
  ++seen_;
  return {};
}

Result<> InputCheck::finish() const {
  if (seen_ == input_.events.size()) return {};
  return differs(std::to_string(seen_) + " of " + std::to_string(input_.events.size()) +
                 " events were read back");
}

Result<> read_in_two_sittings(const std::filesystem::path& directory, const Input& input,
                              const std::string& group) {
  InputCheck check(input);
  const auto start = Clock::now();
  const Result<> first = read_until(directory, check, group, input.events.size() / 2);
  if (!first.ok()) return first;
  const std::uint64_t before = check.seen();
  const Result<> second = read_until(directory, check, group, input.events.size());
  if (!second.ok()) return second;
  const Result<> finished = check.finish();
  if (!finished.ok()) return finished;
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  std::printf(
      "   %s: %llu records, closed, %llu more, each compared with the input: %.2f s, %.0f records/s\n",
      group.c_str(), static_cast<unsigned long long>(before),
      static_cast<unsigned long long>(check.seen() - before), seconds,
      static_cast<double>(check.seen()) / seconds);
  return {};
}

}  // namespace demo
