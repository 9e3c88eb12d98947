#include "flow/dedupe/dedupe_claims.hpp"

#include <algorithm>

namespace seriatim::flow {
namespace {

using std::chrono::steady_clock;

// Keeps a deadline in the range of its clock.
constexpr std::chrono::milliseconds claim_wait_max = std::chrono::hours(24 * 365);

Error in_other_hands(std::string_view id) {
  return {Errc::concurrent_transactions,
          "another transaction has id \"" + std::string(id) +
              "\" in hand; whether it is a duplicate is known when that has ended. Try again then, or set "
              "DeduplicatorOptions::wait"};
}

}  // namespace

Result<> DedupeClaims::claim(std::string_view id, DedupeHolder holder, const std::function<void()>& settle) {
  const auto deadline = steady_clock::now() + std::min(wait_, claim_wait_max);
  bool has_settled = false;
  std::unique_lock lock(mutex_);
  for (;;) {
    const auto found = claims_.find(id);
    if (found == claims_.end()) break;
    if (found->second == DedupeHolder::own) {
      // A commit away.
      changed_.wait(lock);
    } else if (found->second == DedupeHolder::undecided && !has_settled) {
      has_settled = true;
      lock.unlock();
      settle();
      lock.lock();
    } else if (wait_.count() > 0 && steady_clock::now() < deadline) {
      changed_.wait_until(lock, deadline);
    } else {
      return in_other_hands(id);
    }
  }
  claims_.emplace(id, holder);
  return {};
}

bool DedupeClaims::try_claim(const std::string& id, DedupeHolder holder) {
  const std::lock_guard lock(mutex_);
  return claims_.emplace(id, holder).second;
}

void DedupeClaims::release(std::string_view id) noexcept {
  {
    const std::lock_guard lock(mutex_);
    const auto found = claims_.find(id);
    if (found != claims_.end()) claims_.erase(found);
  }
  changed_.notify_all();
}

void DedupeClaims::leave_undecided(std::string_view id) noexcept {
  {
    const std::lock_guard lock(mutex_);
    const auto found = claims_.find(id);
    if (found != claims_.end()) found->second = DedupeHolder::undecided;
  }
  changed_.notify_all();
}

}  // namespace seriatim::flow
