// Real input: package logs, package lists and changelogs, or any file, as events keyed by what they are
// about.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <seriatim/result.hpp>

namespace demo {

struct Event {
  std::string key{};
  std::string text{};
};

struct Input {
  std::vector<Event> events{};
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;           ///< Of keys and texts.
  std::uint64_t files_left_out = 0;  ///< Beyond what a demonstration holds in memory.
};

/// Reads `paths`: files, plain or gzipped, and directories with all files below them. Without paths, what
/// every Debian machine has: its package log, its package list and its changelogs.
/// Errors: not_found: nothing to read; io_error: a file that was named cannot be read.
seriatim::Result<Input> read_input(const std::vector<std::filesystem::path>& paths);

}  // namespace demo
