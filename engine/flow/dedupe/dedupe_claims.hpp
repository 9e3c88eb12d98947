// Ids in hand: of two transactions at one time only one is told that an id is the first.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include <seriatim/result.hpp>

namespace seriatim::flow {

enum class DedupeHolder : std::uint8_t {
  transaction,  ///< In hand until it ends.
  own,          ///< Of a change of the deduplicator's own, which is under way.
  undecided,    ///< Nobody knows how it ended.
};

/// Threads: any.
class DedupeClaims {
 public:
  /// @param wait  for an id that a transaction has in hand.
  explicit DedupeClaims(std::chrono::milliseconds wait) : wait_(wait) {}

  /// Takes an id in hand.
  /// @param settle  asks about transactions whose end is not known. Called without a lock.
  /// Errors: concurrent_transactions: it is in other hands.
  Result<> claim(std::string_view id, DedupeHolder holder, const std::function<void()>& settle);
  /// The same without a wait.
  bool try_claim(const std::string& id, DedupeHolder holder);
  void release(std::string_view id) noexcept;
  /// Nobody knows how the transaction that has it in hand ended.
  void leave_undecided(std::string_view id) noexcept;

 private:
  const std::chrono::milliseconds wait_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, DedupeHolder, std::less<>> claims_{};
};

}  // namespace seriatim::flow
