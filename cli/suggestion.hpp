// "Did you mean": the nearest of a set of words, and the first word of a command line that nothing in the
// tree knows.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "command.hpp"

namespace seriatim::cli {

/// The candidate with the smallest edit distance (a swap of neighbours counts as one), if it is near enough
/// to be a slip of the hand.
std::optional<std::string> nearest(std::string_view word, std::span<const std::string> candidates);

/// How far the words of a command line lead.
struct CommandWords {
  /// The fault in them, as a sentence for the user; nullopt if every word is known. Values are not judged.
  std::optional<std::string> problem{};
  const Command* command = nullptr;  ///< The last that is named before `--`; the root if none is.
  std::size_t dashes_at = 0;  ///< Where the first word `--` stands that is no value; their number if none.
};

/// @param words  the command line without the program's name.
CommandWords follow_words(const Command& root, std::span<const std::string> words);

/// The `problem` of follow_words.
std::optional<std::string> find_unknown_word(const Command& root, std::span<const std::string> words);

}  // namespace seriatim::cli
