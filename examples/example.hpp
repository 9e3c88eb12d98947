// The common part of the examples: a directory from the command line, a check that ends the program, and the
// contents of a topic in the end.
#pragma once

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <seriatim/seriatim.hpp>

/// Ends the program with 1 unless `holds`.
inline void check(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "surprise: expected %s\n", what);
  std::exit(1);
}

/// The values of a topic, as a new consumer is shown them from its beginning on.
inline std::vector<std::string> values_of(const seriatim::Engine& engine, const std::string& topic) {
  seriatim::Consumer consumer = engine.consumer().value();
  consumer.assign_topic(topic).value();
  std::vector<std::string> values;
  for (;;) {
    const auto records = consumer.poll(std::chrono::milliseconds(0)).value();
    if (records.empty()) return values;
    for (const seriatim::RecordView& record : records) values.emplace_back(record.value().text());
  }
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
