#include "flow/route/route_memo.hpp"

#include <utility>

#include "flow/route/pattern_trie.hpp"

namespace seriatim::flow {
namespace {

// More keys than a thread has in use at a time, mostly; at most some 30 KiB. Arbitrary; a power of two.
constexpr std::size_t memo_entries = 64;

}  // namespace

RouteMemo& RouteMemo::of_thread() {
  thread_local RouteMemo memo;
  return memo;
}

// If memory runs out on the way: no entry is of another table than `now_`.
void RouteMemo::renew(const RouteBoard& board) {
  entries_.clear();
  topics_.clear();
  now_ = board.snapshot();
}

const std::vector<std::string_view>& RouteMemo::topics_for(const RouteBoard& board,
                                                           const RoutedMessage& message) {
  if (now_.number != board.newest()) renew(board);
  if (now_.table->is_by_headers()) {
    topics_ = now_.table->topics_for(message);
    return topics_;
  }
  if (entries_.empty()) entries_.resize(memo_entries);
  Entry& entry = entries_[TextHash()(message.routing_key) % memo_entries];
  if (entry.is_set && entry.priority == message.priority && entry.routing_key == message.routing_key)
    return entry.topics;
  entry.is_set = false;
  entry.topics = now_.table->topics_for(message);
  entry.routing_key = message.routing_key;
  entry.priority = message.priority;
  entry.is_set = true;
  return entry.topics;
}

}  // namespace seriatim::flow
