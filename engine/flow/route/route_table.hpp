// The bindings of a router at one moment, as publishes go by them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <seriatim/flow/router.hpp>
#include <seriatim/record.hpp>

#include "flow/route/pattern_trie.hpp"

namespace seriatim::flow {

/// Immutable.
/// Threads: any.
class RouteTable {
 public:
  /// @param bindings  within the rules.
  explicit RouteTable(std::vector<Binding> bindings);

  const std::vector<Binding>& bindings() const noexcept { return bindings_; }
  /// Which of `bindings` match, ascending.
  std::vector<std::uint32_t> matching(std::string_view routing_key,
                                      std::span<const HeaderView> headers) const;
  /// Whether headers have a say in where a message goes.
  bool is_by_headers() const noexcept { return !by_headers_.empty(); }
  /// The topics that a message goes to, sorted, each once. They live as long as the table.
  std::vector<std::string_view> topics_for(const RoutedMessage& message) const;

 private:
  /// Appends which match, in no order, each once.
  void match(std::string_view routing_key, std::span<const HeaderView> headers,
             std::vector<std::uint32_t>& found) const;

  std::vector<Binding> bindings_;
  // By numbers of bindings.
  std::unordered_map<std::string, std::vector<std::uint32_t>, TextHash, std::equal_to<>> by_key_{};
  PatternTrie patterns_{};
  std::vector<std::uint32_t> by_headers_{};
  std::vector<std::uint32_t> always_{};
};

}  // namespace seriatim::flow
