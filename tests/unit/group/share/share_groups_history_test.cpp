// Random histories of share groups, through kills and power cuts: the state that comes back is that of the
// last frame that is there.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "unit/group/share/share_world.hpp"

namespace seriatim::test {
namespace {

using group::Acknowledging;
using group::DeliveryState;
using group::OffsetRun;
using group::ShareWindow;

constexpr PartitionId history_partitions = 2;

/// All that a restart has to bring back.
struct ShareState {
  std::map<PartitionId, group::DeliveryProgress> progress{};
  group::ShareSettings settings{};
  bool operator==(const ShareState&) const = default;
};

class ShareHistory {
 public:
  explicit ShareHistory(Random& random) : random_(random) { note(); }

  void step() {
    const PartitionId index = static_cast<PartitionId>(random_.between(0, history_partitions - 1));
    switch (random_.between(0, 13)) {
      case 0:
        must(world_.groups->set_settings("g", {{"a", std::to_string(random_.between(0, 99))}}));
        break;
      case 1:
        if (random_.one_in(4)) must(world_.groups->forget_group("g"));
        break;
      case 2:
        must(world_.groups->forget_partitions("g", world_.topic_id,
                                              std::vector<TopicPartition>{{"t", index}}));
        break;
      case 3:
        must(world_.partition(index)->replace({.start_offset = random_.between(0, 50)}));
        break;
      case 4:
        world_.checkpoint(random_.one_in(2), !random_.one_in(4));
        break;
      case 5:
        must(world_.journal()->wait_durable(world_.journal()->stats().staged_lsn));
        durable_ = world_.journal()->durable_lsn();
        break;
      case 6:
        if (random_.one_in(2)) world_.checkpoint(false);
        return end_run();
      default:
        change(world_.partition(index));
    }
    note();
  }

 private:
  void change(const group::SharePartitionPtr& partition) {
    must(partition->begin(random_.between(0, 20)));
    note();
    if (random_.one_in(3)) {
      world_.acquire(partition, random_.between(1, 20));
      return;
    }
    if (random_.one_in(4)) {  // Records that a restart let go of come back, or die.
      must(partition->change([](const ShareWindow& window) -> Result<group::ShareChange> {
        return window.plan_overdue({.now_ms = 2, .writes_letters = true});
      }));
      note();
    }
    const auto held = partition->look([](const ShareWindow& window) {
      std::vector<OffsetRun> runs;
      for (const auto& [first, run] : window.runs()) {
        const bool is_held = run.delivered.state == DeliveryState::acquired && run.member == 1;
        if (is_held) runs.push_back(run.delivered.offsets);
      }
      return runs;
    });
    if (held.empty()) return;
    OffsetRun offsets = held[static_cast<std::size_t>(random_.between(0, std::ssize(held) - 1))];
    offsets.first = random_.between(offsets.first, offsets.last);
    offsets.last = random_.between(offsets.first, std::min(offsets.last, offsets.first + 4));
    const auto type = static_cast<Acknowledging>(random_.between(1, 4));
    must(world_.answer(partition, offsets, type, random_.one_in(2)));
    note();
    bury(partition);
  }

  void bury(const group::SharePartitionPtr& partition) {
    const auto dead = partition->look([](const ShareWindow& window) {
      std::vector<OffsetRun> runs;
      for (const auto& [first, run] : window.runs()) {
        if (run.delivered.state == DeliveryState::archiving) runs.push_back(run.delivered.offsets);
      }
      return runs;
    });
    if (dead.empty() || random_.one_in(2)) return;
    const std::uint64_t decided = world_.decide(partition, dead);
    partition->bury(dead, decided);
  }

  void end_run() {
    const bool is_power_cut = random_.one_in(2);
    if (is_power_cut) {
      world_.cut_power(random_);
    } else {
      world_.restart();
    }
    const std::uint64_t last =
        std::max(world_.journal_world.contents.next_lsn - 1, world_.journal_world.covered_lsn);
    CAPTURE(is_power_cut);
    CAPTURE(last);
    REQUIRE(last >= durable_);
    const auto behind = states_.upper_bound(last);
    REQUIRE(behind != states_.begin());
    REQUIRE((state() == std::prev(behind)->second));
    states_.erase(behind, states_.end());
    // All that is there survives the next cut: a writer that opens syncs what it reads.
    durable_ = last;
  }

  ShareState state() {
    ShareState state;
    for (PartitionId index = 0; index < history_partitions; ++index)
      state.progress[index] = world_.progress(index);
    state.settings = must(world_.groups->settings("g"));
    return state;
  }
  // Of all that the frames up to the last one tell.
  void note() {
    const std::uint64_t staged = world_.journal() ? world_.journal()->stats().staged_lsn : 0;
    states_[staged] = state();
    durable_ = std::max(durable_, world_.journal()->durable_lsn());
  }

  Random& random_;
  ShareWorld world_{};
  std::map<std::uint64_t, ShareState> states_{};  ///< By the LSN of the last frame.
  std::uint64_t durable_ = 0;
};

}  // namespace

TEST_CASE("INV-4: after any kill or power cut a share group is as the last frame that is there has it") {
  Random random("histories of share groups");
  for (int history = 0; history < 12; ++history) {
    CAPTURE(history);
    ShareHistory played(random);
    for (int step = 0; step < 150; ++step) played.step();
  }
}

}  // namespace seriatim::test
