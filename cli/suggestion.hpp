// "Did you mean": the nearest of a set of words, and the first word of a command line that nothing in the
// tree knows.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "command.hpp"

namespace seriatim::cli {

/// The candidate with the smallest edit distance (a swap of neighbours counts as one), if it is near enough
/// to be a slip of the hand.
std::optional<std::string> nearest(std::string_view word, std::span<const std::string> candidates);

/// The fault in the words of a command line, as a sentence for the user; nullopt if every word is
/// known. Values are not judged.
/// @param words  the command line without the program's name.
std::optional<std::string> find_unknown_word(const Command& root, std::span<const std::string> words);

}  // namespace seriatim::cli
