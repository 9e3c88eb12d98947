// The fixture of tests of groups with members: a topic of some partitions, members of one group, and the text
// of what a listener was told.
#pragma once

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include <seriatim/seriatim.hpp>

#include "support/must.hpp"
#include "support/temp_dir.hpp"

namespace seriatim::test {

using namespace std::chrono_literals;

using Partitions = std::vector<TopicPartition>;

struct GroupFixture {
  TempDir directory;
  Engine engine = must(Engine::open(directory.path()));
  Producer producer = must(engine.producer({.acks = Acks::leader}));

  explicit GroupFixture(PartitionId partitions = 4) {
    must(engine.admin().create_topic({.name = "t", .partition_count = partitions}));
  }
  Consumer consumer(ConsumerOptions options = {}) const {
    options.group_id = "g";
    options.commit_acks = Acks::leader;
    return must(engine.consumer(std::move(options)));
  }
  Consumer member(RebalanceListener listener = {}, ConsumerOptions options = {}) const {
    Consumer made = consumer(std::move(options));
    must(made.subscribe({"t"}, std::move(listener)));
    return made;
  }
  void send(int count, const std::string& topic = "t") {
    for (int i = 0; i < count; ++i)
      must(producer.send_sync({.topic = topic, .value = std::to_string(i), .partition = i % 4}));
  }
  GroupDescription describe() const { return must(engine.admin().describe_group("g")); }
};

inline std::size_t poll(Consumer& consumer) { return must(consumer.poll(0ms)).count(); }

/// Polls all by turns until a round brings nothing.
inline void settle(std::initializer_list<Consumer*> members) {
  for (int quiet = 0; quiet < 2; ++quiet) {
    for (Consumer* member : members) quiet = poll(*member) > 0 ? 0 : quiet;
  }
}

/// The calls of a listener, as text: "+2" for two assigned, "-1" revoked, "!4" lost.
struct Told {
  std::string text{};
  RebalanceListener listener() {
    const auto note = [this](char kind) {
      return [this, kind](const Partitions& partitions) {
        text += kind + std::to_string(partitions.size()) + " ";
      };
    };
    return {.on_assigned = note('+'), .on_revoked = note('-'), .on_lost = note('!')};
  }
};

}  // namespace seriatim::test
