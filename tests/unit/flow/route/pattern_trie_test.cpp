#include "flow/route/pattern_trie.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "flow/route/binding_rules.hpp"
#include "support/random.hpp"

namespace seriatim::test {
namespace {

using WordSpan = std::span<const std::string_view>;

// The rule as it is written down.
bool matches_naively(WordSpan pattern, WordSpan key) {
  if (pattern.empty()) return key.empty();
  const WordSpan rest = pattern.subspan(1);
  if (pattern.front() == "#")
    return matches_naively(rest, key) || (!key.empty() && matches_naively(pattern, key.subspan(1)));
  if (key.empty()) return false;
  return (pattern.front() == "*" || pattern.front() == key.front()) && matches_naively(rest, key.subspan(1));
}

bool pattern_matches(std::string_view pattern, std::string_view key) {
  flow::PatternTrie trie;
  trie.add(pattern, 7);
  std::vector<std::uint32_t> found;
  trie.match(key, found);
  CHECK(found.size() <= 1);
  return found == std::vector<std::uint32_t>{7};
}

std::string random_words(Random& random, const std::vector<std::string>& words, std::int64_t count_max) {
  std::string text;
  for (auto left = random.between(0, count_max); left > 0; --left) {
    if (!text.empty()) text += '.';
    text += words[static_cast<std::size_t>(random.between(0, std::ssize(words) - 1))];
  }
  return text;
}

}  // namespace

TEST_CASE("patterns match as RabbitMQ's topic exchange does") {
  CHECK(pattern_matches("", ""));
  CHECK_FALSE(pattern_matches("", "a"));
  CHECK(pattern_matches("#", ""));
  CHECK(pattern_matches("#", "a.b.c"));
  CHECK_FALSE(pattern_matches("*", ""));
  CHECK(pattern_matches("*", "a"));
  CHECK_FALSE(pattern_matches("*", "a.b"));
  CHECK(pattern_matches("a.#", "a"));
  CHECK(pattern_matches("a.#", "a.b.c"));
  CHECK_FALSE(pattern_matches("a.#", "b.a"));
  CHECK(pattern_matches("#.a", "a"));
  CHECK(pattern_matches("#.a", "a.b.a"));
  CHECK_FALSE(pattern_matches("#.a", "a.b"));
  CHECK(pattern_matches("*.stock.#", "eu.stock"));
  CHECK_FALSE(pattern_matches("*.stock.#", "stock.x"));
  CHECK(pattern_matches("#.*", "a"));
  CHECK_FALSE(pattern_matches("#.*", ""));
  CHECK(pattern_matches("a.*.c", "a..c"));  // A word may be empty.
  CHECK(pattern_matches("a.*", "a."));
  CHECK_FALSE(pattern_matches("a*.b", "ab.b"));  // Wildcards are words, not letters.
  CHECK(pattern_matches("a*.b", "a*.b"));
  CHECK(pattern_matches("*", "#"));  // In a key they mean nothing.
  CHECK_FALSE(pattern_matches("a", "*"));
}

TEST_CASE("random patterns match random keys as the rule says, alone and all in one tree") {
  Random random("patterns");
  const std::vector<std::string> key_words{"a", "b", "", "ab"};
  const std::vector<std::string> pattern_words{"a", "b", "", "ab", "*", "#", "#"};
  for (int round = 0; round < 300; ++round) {
    flow::PatternTrie trie;
    std::vector<std::string> patterns;
    for (std::uint32_t i = 0; i < 30; ++i) {
      patterns.push_back(random_words(random, pattern_words, 5));
      trie.add(patterns.back(), i);
    }
    for (int tried = 0; tried < 20; ++tried) {
      const std::string key = random_words(random, key_words, 6);
      std::vector<std::uint32_t> expected;
      for (std::uint32_t i = 0; i < patterns.size(); ++i) {
        if (matches_naively(flow::words_of(patterns[i]), flow::words_of(key))) expected.push_back(i);
      }
      std::vector<std::uint32_t> found;
      trie.match(key, found);
      std::sort(found.begin(), found.end());
      CAPTURE(key);
      CHECK(found == expected);
    }
  }
}

// A matcher that tries each length of each "#" would take longer than the universe is old.
TEST_CASE("patterns full of # cost no more than their words times those of the key") {
  flow::PatternTrie trie;
  std::string pattern;
  for (int i = 0; i < 40; ++i) pattern += "#.a.#.*.";
  trie.add(pattern + "b", 0);
  trie.add(pattern + "#", 1);
  std::string key = "a";
  for (int i = 0; i < 126; ++i) key += ".a";
  std::vector<std::uint32_t> found;
  trie.match(key, found);
  CHECK(found == std::vector<std::uint32_t>{1});
}

}  // namespace seriatim::test
