#include "flow/route/pattern_trie.hpp"

#include <utility>

#include "flow/route/binding_rules.hpp"

namespace seriatim::flow {

PatternTrie::NodeId PatternTrie::child(NodeId of, std::string_view word) {
  const auto next = static_cast<NodeId>(nodes_.size());
  Node& node = nodes_[of];
  if (word == "#" && node.any_number != none) return of;  // "#.#" matches what "#" does.
  NodeId* found = nullptr;
  if (word == "*") {
    found = &node.one_word;
  } else if (word == "#") {
    found = &node.any_words;
  } else {
    found = &node.words.try_emplace(std::string(word), none).first->second;
  }
  if (*found != none) return *found;
  *found = next;
  Node& added = nodes_.emplace_back();  // From here on `node` and `found` may dangle.
  if (word == "#") added.any_number = any_count_++;
  return next;
}

void PatternTrie::add(std::string_view pattern, std::uint32_t value) {
  NodeId at = 0;
  for (const std::string_view word : words_of(pattern)) at = child(at, word);
  nodes_[at].values.push_back(value);
  is_empty_ = false;
}

void PatternTrie::reach_any(Walk& walk) const {
  for (const NodeId at : walk.at) {
    const NodeId behind = nodes_[at].any_words;
    if (behind == none || walk.is_behind_any[nodes_[behind].any_number]) continue;
    walk.is_behind_any[nodes_[behind].any_number] = true;
    walk.behind_any.push_back(behind);
  }
}

// A node other than one behind "#" has one way into it, from a node that is in the walk once.
void PatternTrie::step(std::string_view word, Walk& walk) const {
  std::vector<NodeId> next;
  const auto go_from = [&](NodeId id) {
    const Node& node = nodes_[id];
    if (node.one_word != none) next.push_back(node.one_word);
    if (node.words.empty()) return;
    const auto found = node.words.find(word);
    if (found != node.words.end()) next.push_back(found->second);
  };
  for (const NodeId id : walk.at) go_from(id);
  for (const NodeId id : walk.behind_any) go_from(id);
  walk.at = std::move(next);
  reach_any(walk);
}

void PatternTrie::match(std::string_view key, std::vector<std::uint32_t>& values) const {
  Walk walk{.at = {0}, .is_behind_any = std::vector<bool>(any_count_)};
  reach_any(walk);
  for (const std::string_view word : words_of(key)) {
    if (walk.at.empty() && walk.behind_any.empty()) return;
    step(word, walk);
  }
  for (const auto* ends : {&walk.at, &walk.behind_any}) {
    for (const NodeId id : *ends) {
      const auto& found = nodes_[id].values;
      values.insert(values.end(), found.begin(), found.end());
    }
  }
}

}  // namespace seriatim::flow
