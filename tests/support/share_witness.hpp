// The members of a share group as witnesses: each record that they saw, and what they did with it.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <map>
#include <span>

#include "group/share/share_window.hpp"

namespace seriatim::test {

/// The rules that no order of events may break, told by what members see, and not by the model.
class ShareWitness {
 public:
  void deliver(const group::ShareChange& change) {
    for (const group::WindowRun& run : change.runs) {
      if (run.delivered.state != group::DeliveryState::acquired) continue;
      for (Offset offset = run.delivered.offsets.first; offset <= run.delivered.offsets.last; ++offset)
        deliver(offset, run);
    }
  }
  void answer(std::span<const group::Acknowledgement> answers, std::int64_t renewed_lock_end_ms,
              std::int16_t limit) {
    for (const auto& [offsets, type] : answers) {
      for (Offset offset = offsets.first; offset <= offsets.last; ++offset) {
        const auto found = seen_.find(offset);
        if (found == seen_.end()) continue;  // The log deleted it.
        if (type == group::Acknowledging::renew) {
          found->second.lock_end_ms = renewed_lock_end_ms;
        } else {
          come_back(found->second, type == group::Acknowledging::release ? limit : std::int16_t{0});
        }
      }
    }
  }
  void leave(group::ShareMemberId member, std::int16_t limit) {
    for (auto& [offset, seen] : seen_) {
      if (seen.is_out && seen.holder == member) come_back(seen, limit);
    }
  }
  void look_at_locks(std::int64_t now_ms, std::int16_t limit) {
    for (auto& [offset, seen] : seen_) {
      if (seen.is_out && seen.lock_end_ms <= now_ms) come_back(seen, limit);
    }
  }
  void find_gaps(group::ShareMemberId member, std::span<const group::OffsetRun> gaps) {
    for (const group::OffsetRun& gap : gaps) {
      for (auto at = seen_.lower_bound(gap.first); at != seen_.end() && at->first <= gap.last; ++at) {
        if (at->second.is_out && at->second.holder == member) come_back(at->second, 0);
      }
    }
  }
  /// A dead record without a letter comes back as if nobody had decided: its letter would have told.
  void restart(const group::DeliveryProgress& progress) {
    for (const group::DeliveredRun& run : progress.runs) {
      if (run.state != group::DeliveryState::acquired) continue;
      for (Offset offset = run.offsets.first; offset <= run.offsets.last; ++offset)
        seen_[offset] = {.count = run.delivery_count, .is_out = true};
    }
  }
  void begin_log_at(Offset offset) { seen_.erase(seen_.begin(), seen_.lower_bound(offset)); }

  /// Nothing is lost, and nothing that is done comes back.
  void check(const group::DeliveryProgress& progress) {
    while (!seen_.empty() && seen_.begin()->first < progress.start_offset) {
      CHECK(seen_.begin()->second.is_done);
      seen_.erase(seen_.begin());
    }
    for (const group::DeliveredRun& run : progress.runs) {
      for (Offset offset = run.offsets.first; offset <= run.offsets.last; ++offset) check(offset, run);
    }
  }

 private:
  struct Seen {
    std::int16_t count = 0;
    group::ShareMemberId holder = 0;
    std::int64_t lock_end_ms = 0;
    bool is_out = false;
    bool is_done = false;
  };

  void deliver(Offset offset, const group::WindowRun& run) {
    Seen& seen = seen_[offset];
    CAPTURE(offset);
    CHECK_FALSE(seen.is_done);
    CHECK_FALSE(seen.is_out);
    CHECK(run.delivered.delivery_count == seen.count + 1);
    seen = {run.delivered.delivery_count, run.member, run.lock_end_ms, true, false};
  }
  static void come_back(Seen& seen, std::int16_t limit) {
    seen.is_out = false;
    seen.is_done = seen.count >= limit;
  }
  void check(Offset offset, const group::DeliveredRun& run) const {
    CAPTURE(offset);
    const auto found = seen_.find(offset);
    if (found == seen_.end()) {
      CHECK(run.delivery_count == 0);  // A gap.
      CHECK(run.state == group::DeliveryState::archived);
      return;
    }
    CHECK(run.delivery_count == found->second.count);
    if (group::is_finished(run.state)) CHECK(found->second.is_done);
    if (run.state == group::DeliveryState::available)
      CHECK((!found->second.is_done && !found->second.is_out));
    if (run.state == group::DeliveryState::acquired) CHECK((found->second.is_done || found->second.is_out));
  }

  std::map<Offset, Seen> seen_;
};

}  // namespace seriatim::test
