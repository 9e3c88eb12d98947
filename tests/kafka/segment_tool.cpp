// Our side of the comparison with Kafka: writes and reads .log files with the format layer alone, so that a
// difference points at the encoding and not at the engine above it.
#include <charconv>
#include <cstdint>
#include <exception>
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "segment_dump.hpp"
#include "segment_refilter.hpp"
#include "segment_scenarios.hpp"
#include "segment_writer.hpp"

namespace {

namespace test = seriatim::kafka_test;
using seriatim::Errc;
using seriatim::Error;
using seriatim::Result;

// The oracle's exit codes.
constexpr int exit_failed = 2;
constexpr int exit_fault = 3;

constexpr std::string_view usage =
    "usage: segment_tool list                       prints the names of the scenarios\n"
    "       segment_tool write FILE SCENARIO [SEED]  writes FILE, prints the records a reader must find in "
    "it\n"
    "       segment_tool read FILE                   prints every batch and record of FILE\n"
    "       segment_tool refilter BEFORE AFTER OUT   makes AFTER, what Kafka's cleaner left of BEFORE, with "
    "our encoder\n";

int failed(const Error& error) {
  std::cerr << "segment_tool: " << error.message() << '\n';
  return exit_failed;
}

int list() {
  for (const auto& scenario : test::segment_scenarios()) std::cout << scenario.name << '\n';
  return 0;
}

int write(const std::string& path, std::string_view name, std::uint64_t seed) {
  for (const auto& scenario : test::segment_scenarios()) {
    if (scenario.name != name) continue;
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    test::SegmentWriter writer(file, std::cout, 0);
    if (auto written = scenario.write(writer, seed); !written) return failed(written.error());
    file.close();
    if (!file)
      return failed(Error(Errc::io_error, "writing '" + path + "' failed: check the disk and the path"));
    return 0;
  }
  return failed(Error(Errc::invalid_argument,
                      "no scenario '" + std::string(name) + "': segment_tool list prints the names"));
}

int read(const std::string& path) {
  const auto whole = test::dump_segment(path, std::cout);
  if (!whole) return failed(whole.error());
  return *whole ? 0 : exit_fault;
}

int run(const std::vector<std::string>& arguments) {
  const std::size_t count = arguments.size();
  const std::string command = count > 0 ? arguments[0] : "";
  if (command == "list" && count == 1) return list();
  if (command == "read" && count == 2) return read(arguments[1]);
  if (command == "refilter" && count == 4) {
    const auto done = test::refilter(arguments[1], arguments[2], arguments[3], std::cout);
    return done ? 0 : failed(done.error());
  }
  if (command == "write" && (count == 3 || count == 4)) {
    std::uint64_t seed = 1;
    if (count == 4) {
      const char* end = arguments[3].data() + arguments[3].size();
      if (std::from_chars(arguments[3].data(), end, seed).ptr != end) {
        return failed(Error(Errc::invalid_argument, "the seed '" + arguments[3] + "' is not a number"));
      }
    }
    return write(arguments[1], arguments[2], seed);
  }
  std::cerr << usage;
  return exit_failed;
}

}  // namespace

int main(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  try {
    const int code = run({argv + 1, argv + argc});
    std::cout.flush();
    if (std::cout) return code;
    std::cerr << "segment_tool: standard output cannot be written\n";
  } catch (const std::exception& problem) {
    std::cerr << "segment_tool: " << problem.what() << '\n';
  }
  return exit_failed;
}
