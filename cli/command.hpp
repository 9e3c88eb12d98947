// The command line as data. Parsing, --help, completion and "did you mean" all walk this one tree, so they
// cannot disagree; only command_line.cpp knows the parsing library.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <seriatim/result.hpp>

#include "exit_code.hpp"

namespace seriatim::cli {

class Context;

/// An integer option with its allowed range, both ends included.
struct IntegerTarget {
  std::optional<std::int64_t>* value = nullptr;
  std::int64_t smallest = 0;
  std::int64_t largest = 0;
};

/// Where a parsed value goes. A vector collects a repeated option.
using Target =
    std::variant<bool*, std::string*, std::optional<std::string>*, std::vector<std::string>*, IntegerTarget>;

struct Option {
  std::string names{};       ///< "-p,--partitions"
  std::string value_name{};  ///< "N" in the help; empty for a flag.
  std::string help{};
  Target target{};
  std::vector<std::string> choices{};  ///< The words allowed; empty: anything.
};

/// A word after the command. A vector target takes all that follow.
struct Positional {
  std::string name{};
  std::string help{};
  Target target{};
  bool required = true;
  std::vector<std::string> choices{};
};

struct Command {
  std::string name{};
  std::string summary{};
  std::vector<Positional> positionals{};
  std::vector<Option> options{};
  std::vector<std::string> examples{};  ///< Whole command lines; at least one for a command that runs.
  std::vector<Command> children{};      ///< A command has children or runs, never both.
  /// Takes all words behind the first `--`, at least one, as they stand. Null: they are words as all others.
  std::vector<std::string>* words_behind_dashes = nullptr;
  std::function<Result<ExitCode>(Context&)> run{};
};

/// The spellings in an option's `names`: {"-p", "--partitions"}.
std::vector<std::string> spellings(const Option& option);
/// Whether the option is given without a value.
bool is_flag(const Option& option);

}  // namespace seriatim::cli
