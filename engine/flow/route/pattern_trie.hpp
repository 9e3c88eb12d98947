// Patterns of words, all matched against a key at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace seriatim::flow {

/// Lets a map of texts be asked for a view.
struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>()(text); }
};

/// A tree of the words of all patterns, "*" and "#" being words of it. A key walks it word by word, with the
/// set of nodes that the words so far can have led to: a node is in the set once, however many ways lead to
/// it, so that a match costs at most the number of words times that of nodes, for any patterns.
///
/// Threads: once built, any.
class PatternTrie {
 public:
  /// @param value  a match gives it.
  void add(std::string_view pattern, std::uint32_t value);
  bool empty() const noexcept { return is_empty_; }
  /// Appends the values of all patterns that match, in no order; of each pattern once.
  void match(std::string_view key, std::vector<std::uint32_t>& values) const;

 private:
  using NodeId = std::uint32_t;
  static constexpr NodeId none = ~NodeId{0};
  struct Node {
    std::unordered_map<std::string, NodeId, TextHash, std::equal_to<>> words{};
    NodeId one_word = none;           ///< Behind "*".
    NodeId any_words = none;          ///< Behind "#".
    std::uint32_t any_number = none;  ///< Of a node behind "#": which of these it is.
    std::vector<std::uint32_t> values{};
  };
  /// Where a key can be.
  struct Walk {
    std::vector<NodeId> at{};
    std::vector<NodeId> behind_any{};   ///< Nodes behind "#": once reached, every further word stays there.
    std::vector<bool> is_behind_any{};  ///< By `any_number`.
  };

  NodeId child(NodeId of, std::string_view word);
  /// Goes past every "#" without a word.
  void reach_any(Walk& walk) const;
  void step(std::string_view word, Walk& walk) const;

  std::vector<Node> nodes_ = std::vector<Node>(1);
  std::uint32_t any_count_ = 0;
  bool is_empty_ = true;
};

}  // namespace seriatim::flow
