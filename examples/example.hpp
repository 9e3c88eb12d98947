// What the examples share: a directory from the command line, and a check that ends the program.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <functional>

#include <seriatim/seriatim.hpp>

/// Ends the program with 1 unless `holds`.
inline void check(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "surprise: expected %s\n", what);
  std::exit(1);
}

/// Runs an example in the directory that the command line names, whose parent it makes.
inline int run_example(int argc, char** argv,
                       const std::function<void(const std::filesystem::path& directory)>& example) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
    return 2;
  }
  try {
    const std::filesystem::path directory = argv[1];
    if (directory.has_parent_path()) std::filesystem::create_directories(directory.parent_path());
    example(directory);
    return 0;
  } catch (const std::exception& surprise) {  // Result::value() throws seriatim::Exception.
    std::fprintf(stderr, "surprise: %s\n", surprise.what());
    return 1;
  }
}
