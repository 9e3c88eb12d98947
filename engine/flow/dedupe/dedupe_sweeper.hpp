// Changes of a deduplicator's own: erases, page by page, what has left the window or is to be forgotten.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <seriatim/result.hpp>
#include <seriatim/transaction.hpp>
#include <seriatim/types.hpp>

#include "flow/dedupe/dedupe_work.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {

struct DeduplicatorImpl;

/// Threads: any.
class DedupeSweeper {
 public:
  /// @param impl  outlives it.
  DedupeSweeper(DeduplicatorImpl& impl, TransactionalProducer own) : impl_(impl), own_(std::move(own)) {}

  /// Whether this instance may still change the table.
  /// Errors: producer_fenced, ...: it may not.
  Result<> probe();
  /// Puts one row of another table.
  Result<> put(const std::string& table, std::string_view key, const std::string& value);
  /// As Deduplicator.
  Result<bool> forget(std::string_view id);
  Result<std::uint64_t> sweep();
  /// A run of the task: sweeps a page where it is worth it.
  /// @return how long until the next.
  Result<std::chrono::nanoseconds> run();
  /// Erases all ids, and then the key of `window_table`.
  Result<std::uint64_t> purge(const std::string& window_table);

 private:
  /// A transaction of our own; ends whatever comes. Under the mutex.
  class Change {
   public:
    Change(DeduplicatorImpl& impl, std::unique_ptr<DedupeWork> work) noexcept
        : impl_(&impl), work_(std::move(work)) {}
    Change(Change&&) noexcept = default;
    Change& operator=(Change&&) = delete;
    ~Change();
    DedupeWork& work() noexcept { return *work_; }
    TransactionTable table(const std::string& name);
    Result<> commit();

   private:
    DeduplicatorImpl* impl_;
    std::unique_ptr<DedupeWork> work_;
  };
  struct Page {
    std::uint64_t erased = 0;
    bool is_last = false;
  };

  Result<Change> begin();
  Result<Page> sweep_page(std::string& cursor);
  /// An id that a page has outside of the window.
  struct Outside {
    std::string id{};
    flow::DedupeMark mark{};
  };
  /// @param rewrites  of the ledger, before the page was read.
  Result<bool> erase_if_outside(Change& change, const Outside& one, std::uint64_t rewrites);
  /// @return how many were erased: all, or as many as a transaction takes.
  Result<std::size_t> erase_all(const std::vector<std::string>& ids);
  bool is_due() const;

  DeduplicatorImpl& impl_;
  std::mutex mutex_;  ///< One change at a time.
  TransactionalProducer own_;
  std::string cursor_{};  ///< Where a pass of the task goes on.
  bool is_passing_ = false;
  std::optional<Timestamp> last_pass_{};
};

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
