// The topics that a thread's last routing keys led to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <seriatim/flow/router.hpp>

#include "flow/route/route_board.hpp"
#include "flow/route/route_table.hpp"

namespace seriatim::flow {

/// Knows the newest table of the board that its thread asked about last, so that a publish takes no lock and,
/// where headers have no say, matches nothing that it has matched lately. It keeps that table until it is
/// asked about another one, or the thread ends.
///
/// Threads: its own.
class RouteMemo {
 public:
  static RouteMemo& of_thread();

  /// As RouteTable::topics_for, by the newest table of the board. Valid until the next call.
  const std::vector<std::string_view>& topics_for(const RouteBoard& board, const RoutedMessage& message);

 private:
  struct Entry {
    bool is_set = false;
    std::uint8_t priority = 0;
    std::string routing_key{};
    std::vector<std::string_view> topics{};  ///< They live as long as `table_`.
  };

  void renew(const RouteBoard& board);

  RouteBoard::Snapshot now_{};
  std::vector<Entry> entries_{};  ///< By hash of the routing key.
  std::vector<std::string_view> topics_{};
};

}  // namespace seriatim::flow
