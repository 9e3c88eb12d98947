// The bindings of one name in one engine, for all routers that are open on them.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include <seriatim/engine.hpp>
#include <seriatim/flow/router.hpp>
#include <seriatim/producer.hpp>
#include <seriatim/result.hpp>
#include <seriatim/state.hpp>
#include <seriatim/transaction.hpp>

#include "flow/route/binding_codec.hpp"
#include "flow/route/route_table.hpp"
#include "flow/route/transaction_slots.hpp"

namespace seriatim::flow {

/// Bindings in memory and in the state `__route:NAME`, which nobody else changes.
///
/// Threads: any.
class RouteBoard {
 public:
  /// The board that routers of this engine and name have already, or a new one. Reads the bindings.
  /// @param options  in their ranges.
  /// Errors: as Router::open.
  static Result<std::shared_ptr<RouteBoard>> of(const Engine& engine, const RouterOptions& options);

  RouteBoard(const Engine& engine, const RouterOptions& options, State state, Producer producer);

  /// Errors: as Router::change.
  Result<std::vector<BindingId>> change(const BindingChange& change);
  /// Errors: as Router::bindings.
  Result<std::vector<Binding>> bindings();
  /// The bindings of this moment.
  struct Snapshot {
    std::shared_ptr<const RouteTable> table{};
    std::uint64_t number = 0;  ///< Of no other table in this process.
  };
  Snapshot snapshot() const;
  /// The number of the newest one.
  /// Cost: a load.
  std::uint64_t newest() const noexcept { return newest_.load(std::memory_order_acquire); }

  const RouterOptions& options() const noexcept { return options_; }
  /// Appends what goes to one topic.
  Producer& producer() noexcept { return producer_; }
  /// For what goes to several.
  TransactionSlots& transactions() noexcept { return transactions_; }

 private:
  bool is_of(const Engine& engine, const std::string& name) const noexcept;
  Result<> load();
  /// Reads the bindings, unless those in memory are known to be true. With `change_mutex_`.
  Result<> make_certain();
  Result<> read();
  void publish(std::shared_ptr<const RouteTable> table) noexcept;

  const Engine engine_;
  const RouterOptions options_;
  const State state_;
  Producer producer_;
  TransactionSlots transactions_;
  TransactionSlots changes_;  ///< One id, so that changes follow each other.

  std::mutex change_mutex_;  ///< Held over a change and its commit.
  bool is_loaded_ = false;
  bool is_uncertain_ = false;  ///< The outcome of the last change is unknown.
  BindingId next_id_ = 1;
  mutable std::mutex table_mutex_;  ///< Behind `change_mutex_`. Held to copy or replace the pointer.
  std::shared_ptr<const RouteTable> table_;
  std::atomic<std::uint64_t> newest_;  ///< The number of `table_`; changed with it.
};

}  // namespace seriatim::flow
