// Finds the program that a command names, before anything is done for its sake.
#pragma once

#include <string>

#include <seriatim/result.hpp>

namespace seriatim::cli {

/// The path of the program `name`, found as execvp does: as it stands if it has a slash, else in the folders
/// of `search_path`.
/// @param search_path  folders between colons, as $PATH has them; an empty one is the working directory.
/// Errors: not_found: there is none that may be run; invalid_argument: `name` is empty.
Result<std::string> find_program(const std::string& name, const std::string& search_path);

/// $PATH, or the folders that the system has for those who have none.
std::string program_search_path();

}  // namespace seriatim::cli
