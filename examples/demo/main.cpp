// The main job on real input, from end to end, with everything that comes out compared with what went in.

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <seriatim/inspect.hpp>

#include "steps.hpp"
#include "text/quantity.hpp"

namespace {

using namespace seriatim;
using Clock = std::chrono::steady_clock;

Result<std::filesystem::path> make_directory() {
  std::error_code failure;
  std::string path = (std::filesystem::temp_directory_path(failure) / "seriatim-demo-XXXXXX").string();
  if (failure || ::mkdtemp(path.data()) == nullptr) {
    return Error(Errc::io_error,
                 "cannot make a directory " + path + ". Set TMPDIR to a place that can be written");
  }
  return std::filesystem::path(path);
}

Result<> verify_all(const std::filesystem::path& directory) {
  const auto start = Clock::now();
  const Result<VerifyReport> report = verify(directory);
  if (!report.ok()) return report.error();
  for (const Finding& finding : report->findings) {
    if (finding.severity != Severity::note)
      return demo::differs(finding.path + " @ " + std::to_string(finding.position) + ": " + finding.what);
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  std::printf(
      "   %llu records in %llu batches of %llu segments, %s: every checksum and every index entry is right, "
      "%s/s\n",
      static_cast<unsigned long long>(report->records), static_cast<unsigned long long>(report->batches),
      static_cast<unsigned long long>(report->segments),
      cli::readable_size(static_cast<double>(report->bytes)).c_str(),
      cli::readable_size(static_cast<double>(report->bytes) / seconds).c_str());
  return {};
}

Result<> with_engine(const std::filesystem::path& directory,
                     const std::function<Result<>(const Engine&)>& work) {
  const Result<Engine> engine = Engine::open(directory);
  if (!engine.ok()) return engine.error();
  const Result<> done = work(*engine);
  if (!done.ok()) return done;
  return engine->close();
}

struct Step {
  std::string name{};
  std::function<Result<>()> run{};
};

bool run_step(const Step& step, std::size_t number) {
  std::printf("%zu. %s\n", number, step.name.c_str());
  std::fflush(stdout);
  const Result<> outcome = step.run();
  if (outcome.ok()) return true;
  std::printf("demo FAILED in step %zu (%s): %s: %s\n", number, step.name.c_str(),
              std::string(outcome.error().name()).c_str(), outcome.error().message().c_str());
  return false;
}

int run_demo(const std::vector<std::filesystem::path>& paths) {
  const auto start = Clock::now();
  const Result<std::filesystem::path> made = make_directory();
  if (!made.ok()) {
    std::printf("demo FAILED before its first step: %s\n", made.error().message().c_str());
    return EXIT_FAILURE;
  }
  const std::filesystem::path directory = *made / "data";
  demo::Input input;
  const auto read = [&]() -> Result<> {
    Result<demo::Input> found = demo::read_input(paths);
    if (!found.ok()) return found.error();
    input = std::move(*found);
    std::printf(
        "   %llu files, %zu events, %s%s\n", static_cast<unsigned long long>(input.files),
        input.events.size(), cli::readable_size(static_cast<double>(input.bytes)).c_str(),
        input.files_left_out == 0
            ? ""
            : (", " + std::to_string(input.files_left_out) + " files left out beyond 256 MiB").c_str());
    return {};
  };
  const std::vector<Step> steps{
      {"read the input", read},
      {"load it into a topic of four partitions",
       [&] {
         return with_engine(directory, [&](const Engine& engine) { return demo::load(engine, input); });
       }},
      {"a reader that stops half way and resumes",
       [&] { return demo::read_in_two_sittings(directory, input, "inventory"); }},
      {"a second reader, with a position of its own",
       [&] { return demo::read_in_two_sittings(directory, input, "audit"); }},
      {"ship a partition by sendfile", [&] { return with_engine(directory, demo::ship); }},
      {"kill a writer and recover", [&] { return demo::crash_and_recover(directory); }},
      {"verify every byte", [&] { return verify_all(directory); }},
  };
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (run_step(steps[i], i + 1)) continue;
    std::printf("the data directory is kept: %s\n", directory.c_str());
    return EXIT_FAILURE;
  }
  std::error_code failure;
  std::filesystem::remove_all(*made, failure);
  if (failure)
    std::printf("   note: %s could not be removed: %s\n", made->c_str(), failure.message().c_str());
  std::printf("demo OK in %.1f s\n", std::chrono::duration<double>(Clock::now() - start).count());
  return EXIT_SUCCESS;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  const std::vector<std::string_view> words(argv + 1, argv + argc);
  try {
    if (words.size() == 2 && words[0] == "--writer-process") return demo::run_writer_process(words[1]);
    return run_demo({words.begin(), words.end()});
  } catch (const std::exception& error) {
    std::printf("demo FAILED: %s\n", error.what());
    return EXIT_FAILURE;
  }
}
