// The transactional ids of a deduplicator: as many transactions at a time.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <vector>

#include <seriatim/transaction.hpp>

namespace seriatim::flow {

/// Threads: any.
class DedupeSlots {
 public:
  /// @param count_max  of producers.
  explicit DedupeSlots(std::size_t count_max) { idle_.reserve(count_max); }

  /// Adds one, or gives one back.
  void give(TransactionalProducer slot) noexcept;
  /// One that nobody uses; nothing if there is none in time.
  std::optional<TransactionalProducer> take(std::chrono::milliseconds wait);

 private:
  std::mutex mutex_;
  std::condition_variable given_;
  std::vector<TransactionalProducer> idle_{};
};

}  // namespace seriatim::flow
