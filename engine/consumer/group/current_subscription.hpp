// The subscription of a consumer, if it has one: for the thread inside, and for others that ask who commits.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include <seriatim/types.hpp>

#include "base/mutex.hpp"
#include "consumer/group/group_subscription.hpp"

namespace seriatim::consumer {

/// Threads: one at a time, but for `metadata`.
class CurrentSubscription {
 public:
  /// @param group_id  of a consumer that subscribes to nothing.
  explicit CurrentSubscription(const std::string& group_id) : alone_{.group_id = group_id} {}
  explicit operator bool() const noexcept { return current_ != nullptr; }
  GroupSubscription* operator->() const noexcept { return current_.get(); }
  /// Keeps it for the time of a poll.
  std::shared_ptr<GroupSubscription> keep() const noexcept { return current_; }
  bool has_news() const noexcept { return current_ && current_->has_news(); }

  void replace(std::shared_ptr<GroupSubscription> subscription) {
    const base::MutexLock lock(mutex_);
    current_ = std::move(subscription);
  }
  /// In a forked child: lets go of what is the parent's.
  void forsake() noexcept {
    if (current_) current_->forsake();
  }
  /// The group and member that commit.
  const ConsumerGroupMetadata& committer() const noexcept {
    return current_ ? current_->committer() : alone_;
  }
  /// The same.
  /// Threads: any.
  ConsumerGroupMetadata metadata() const {
    const base::MutexLock lock(mutex_);
    return current_ ? current_->metadata() : alone_;
  }

 private:
  const ConsumerGroupMetadata alone_;
  mutable base::Mutex mutex_;
  // Written under the mutex by the thread inside, which reads it without.
  std::shared_ptr<GroupSubscription> current_{};
};

}  // namespace seriatim::consumer
