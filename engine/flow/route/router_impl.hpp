// Behind `Router`.
#pragma once

#include <functional>
#include <memory>

#include <seriatim/flow/router.hpp>
#include <seriatim/transaction.hpp>
#include <seriatim/types.hpp>

#include "flow/recipe_clock.hpp"
#include "flow/route/route_board.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {

class RouterImpl {
 public:
  static Result<Router> open(const Engine& engine, const RouterOptions& options,
                             flow::RecipeClock clock = flow::system_time);
  RouterImpl(std::shared_ptr<flow::RouteBoard> board, flow::RecipeClock clock);

  flow::RouteBoard& board() const noexcept { return *board_; }
  Result<Routed> publish(const RoutedMessage& message);
  Result<Routed> publish(Transaction& transaction, const RoutedMessage& message) const;

 private:
  /// Where the message goes; appends nothing.
  Result<Routed> route(const RoutedMessage& message) const;

  const std::shared_ptr<flow::RouteBoard> board_;
  const flow::RecipeClock now_;
};

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
