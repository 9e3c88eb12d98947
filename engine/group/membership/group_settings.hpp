// The wishes of a member, and the topics that there are.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <seriatim/assignor.hpp>
#include <seriatim/types.hpp>

namespace seriatim::group {

/// Partition counts by name.
using TopicCounts = std::map<std::string, std::int32_t>;

/// The topics that a member wants: names, or a condition that a name meets.
struct Subscription {
  std::vector<std::string> names{};
  std::function<bool(std::string_view name)> matches{};  ///< Instead of `names`, if there is one.

  /// The names among `topics` that are meant, sorted.
  std::vector<std::string> resolve(const TopicCounts& topics) const;
};

/// A member and its group tell each other of something new by these, without a lock.
class MemberSignals {
 public:
  /// @param wake  called with the lock of the group held, by any thread; calls nothing of the group.
  explicit MemberSignals(std::function<void()> wake) : wake_(std::move(wake)) {}

  /// The member should look at its group.
  void announce() noexcept {
    has_news_.store(true, std::memory_order_release);
    wake_();
  }
  bool has_news() const noexcept { return has_news_.load(std::memory_order_acquire); }
  void take_news() noexcept { has_news_.store(false, std::memory_order_release); }

  /// The member is in the group's hands until `leave_poll`: inside, it is not overdue however long it waits.
  void enter_poll() noexcept { step(); }
  void leave_poll() noexcept { step(); }
  /// Odd while the member is inside a poll; changes with each.
  std::uint64_t poll_count() const noexcept { return poll_count_.load(std::memory_order_relaxed); }

 private:
  // One thread at a time counts: no locked instruction.
  void step() noexcept {
    poll_count_.store(poll_count_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }

  const std::function<void()> wake_;
  std::atomic<bool> has_news_{true};
  std::atomic<std::uint64_t> poll_count_{0};
};

struct MemberSettings {
  std::string group_instance_id{};  ///< Empty: a dynamic member.
  Subscription subscription{};
  Assignor assignor = Assignor::uniform;
  AssignFunction own_assignor{};  ///< Instead of `assignor`, if there is one.
  std::int64_t max_poll_interval_ms = 0;
  std::int64_t session_timeout_ms = 0;  ///< How long a static member may be away.
};

/// The fate of the partitions of a member that leaves.
enum class Leaving : std::uint8_t {
  ends,   ///< Its partitions go to the others at once.
  stays,  ///< A static member keeps them for the time of its session.
};

}  // namespace seriatim::group
