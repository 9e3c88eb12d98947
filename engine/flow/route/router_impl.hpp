// Behind `Router`.
#pragma once

#include <functional>
#include <memory>

#include <seriatim/flow/router.hpp>
#include <seriatim/transaction.hpp>
#include <seriatim/types.hpp>

#include "flow/route/route_board.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {

/// The time of day in milliseconds. Any thread.
using RouteClock = std::function<Timestamp()>;
Timestamp route_time_ms();

class RouterImpl {
 public:
  static Result<Router> open(const Engine& engine, const RouterOptions& options,
                             RouteClock clock = route_time_ms);
  RouterImpl(std::shared_ptr<flow::RouteBoard> board, RouteClock clock);

  flow::RouteBoard& board() const noexcept { return *board_; }
  Result<Routed> publish(const RoutedMessage& message);
  Result<Routed> publish(Transaction& transaction, const RoutedMessage& message) const;

 private:
  /// Where the message goes; appends nothing.
  Result<Routed> route(const RoutedMessage& message) const;

  const std::shared_ptr<flow::RouteBoard> board_;
  const RouteClock now_;
};

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
