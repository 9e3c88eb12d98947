// The share consumers of an engine that are members of a group, and what they have in common: the settings of
// their group as they are at each moment, and the writer of dead letters.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <seriatim/result.hpp>
#include <seriatim/share_group.hpp>

#include "base/mutex.hpp"
#include "base/snapshot.hpp"
#include "group/share/share_config.hpp"
#include "group/share/share_window.hpp"

namespace seriatim::group {

class LetterWriter;

/// Threads: any. Lock order: that of joining, that of the settings, the others.
class ShareMembers {
 public:
  /// Of a share consumer, never given before.
  ShareMemberId new_id() noexcept { return next_id_.fetch_add(1, std::memory_order_relaxed); }
  /// Waits for a `change_group`.
  void join(const std::string& group) {
    const base::MutexLock joining(joining_mutex_);
    const base::MutexLock lock(mutex_);
    ++counts_[group];
  }
  /// Calls `change` with the number of members of the group. Nobody joins a group meanwhile, so that a change
  /// that is right without members does not meet one.
  Result<> change_group(std::string_view group, const std::function<Result<>(std::size_t members)>& change) {
    const base::MutexLock joining(joining_mutex_);
    return change(count(group));
  }
  void leave(std::string_view group) noexcept {
    const base::MutexLock lock(mutex_);
    const auto found = counts_.find(group);
    if (found != counts_.end() && --found->second == 0) counts_.erase(found);
  }
  std::size_t count(std::string_view group) const {
    const base::MutexLock lock(mutex_);
    const auto found = counts_.find(group);
    return found == counts_.end() ? 0 : found->second;
  }

  /// The settings of the group, which change while somebody holds them.
  /// @param load  finds what is stored. Called with the lock of the settings held, which `change_settings`
  /// takes too: what is loaded is not older than what is changed.
  Result<ShareSettingsPtr> settings(std::string_view group,
                                    const std::function<Result<ShareGroupConfig>()>& load);
  /// Calls `store`, and shows what it returns to all members.
  Result<> change_settings(std::string_view group, const std::function<Result<ShareGroupConfig>()>& store);

  /// The one that a living consumer holds, else a new one. Its owners are the consumers: it has the engine.
  std::shared_ptr<LetterWriter> letter_writer(const std::function<std::shared_ptr<LetterWriter>()>& make) {
    const base::MutexLock lock(mutex_);
    auto writer = letters_.lock();
    if (writer == nullptr) letters_ = writer = make();
    return writer;
  }

 private:
  using Settings = base::Snapshot<ShareGroupConfig>;

  std::atomic<ShareMemberId> next_id_{1};
  base::Mutex joining_mutex_;  ///< As that of the settings: held over a wait for the disk.
  mutable base::Mutex mutex_;
  std::map<std::string, std::size_t, std::less<>> counts_ SERIATIM_GUARDED_BY(mutex_);
  std::weak_ptr<LetterWriter> letters_ SERIATIM_GUARDED_BY(mutex_);
  base::Mutex settings_mutex_;  ///< Held over a wait for the disk; none that a poll takes.
  std::map<std::string, std::weak_ptr<Settings>, std::less<>> settings_ SERIATIM_GUARDED_BY(settings_mutex_);
};

}  // namespace seriatim::group
