// From the words of the command line to a command that is ready to run.
#pragma once

#include <span>
#include <string>
#include <variant>

#include "command.hpp"

namespace seriatim::cli {

/// The words were a question about the command itself: the answer goes to standard output.
struct Answer {
  std::string text{};
};

/// The words are wrong: what is wrong, and where to look.
struct UsageError {
  std::string text{};
};

using ParsedLine = std::variant<const Command*, Answer, UsageError>;

/// Parses `words` (without the program's name) and fills the targets of the options.
ParsedLine parse_command_line(const Command& root, std::span<const std::string> words);

}  // namespace seriatim::cli
