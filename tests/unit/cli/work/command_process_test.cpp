#include "work/command_process.hpp"

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "support/must.hpp"
#include "support/temp_dir.hpp"

namespace seriatim::cli {
namespace {

using std::chrono::steady_clock;
using test::must;

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

CommandStatus end_of(CommandProcess& process) {
  const auto ended = process.wait_until(steady_clock::now() + std::chrono::minutes(2));
  REQUIRE(ended.has_value());
  return *ended;
}

CommandStatus run_shell(const std::string& script, BytesView input = {}) {
  return end_of(*must(CommandProcess::start(
      {.program = "/bin/sh", .words = {"sh", "-c", script}, .environment = {}, .input = input})));
}

TEST_CASE("a command reads the record's bytes on its standard input, and their end") {
  const test::TempDir folder(test::TempDir::in_memory());
  const std::string target = folder / "copy";
  const std::string bytes("line\n\0\xff more", 12);
  CHECK(run_shell("exec cat > " + target, bytes) == CommandStatus{});
  CHECK(content_of(target) == bytes);
  CHECK(run_shell("exec cat > " + target) == CommandStatus{});
  CHECK(content_of(target).empty());
}

TEST_CASE("a command that leaves its input unread ends as it says") {
  const std::string bytes(4 * 1024 * 1024, 'x');
  CHECK(run_shell("exit 7", bytes) == CommandStatus{.exit_status = 7});
  CHECK(run_shell("exit 0", bytes) == CommandStatus{});
}

TEST_CASE("a command gets its words and its environment as they are, and no other") {
  const test::TempDir folder(test::TempDir::in_memory());
  const std::string target = folder / "words";
  const auto process = must(
      CommandProcess::start({.program = "/bin/sh",
                             .words = {"sh", "-c", R"(printf '<%s>' "$@" "$ONE" "${TERM-none}" > "$TARGET")",
                                       "name", "a b", "", "[c]"},
                             .environment = {"ONE=1 2", "TARGET=" + target}}));
  CHECK(end_of(*process) == CommandStatus{});
  CHECK(content_of(target).starts_with("<a b><><[c]><1 2>"));
}

TEST_CASE("a script that does not say who runs it is run by the shell") {
  const test::TempDir folder(test::TempDir::in_memory());
  const std::filesystem::path script = folder / "script";
  std::ofstream(script) << "test \"$1\" = word && exit 9\n";
  std::filesystem::permissions(script, std::filesystem::perms::owner_all);
  const auto process = must(CommandProcess::start({.program = script.string(), .words = {"script", "word"}}));
  CHECK(end_of(*process) == CommandStatus{.exit_status = 9});
}

TEST_CASE("a command that cannot be started is an error that names it") {
  const auto process = CommandProcess::start({.program = "/no/such/program", .words = {"program"}});
  REQUIRE_FALSE(process.ok());
  CHECK(process.error().code() == Errc::not_found);
  CHECK(process.error().message().find("/no/such/program") != std::string::npos);
}

TEST_CASE("a signal that ends a command is told, one that this process ignores among them") {
  const auto before = std::signal(SIGPIPE, SIG_IGN);
  CHECK(run_shell("kill -PIPE $$; exit 0") == CommandStatus{.signal = SIGPIPE});
  CHECK(run_shell("kill -KILL $$") == CommandStatus{.signal = SIGKILL});
  std::signal(SIGPIPE, before);
}

TEST_CASE("a running command is waited for, and can be sent a signal until it has ended") {
  const test::TempDir folder(test::TempDir::in_memory());
  // It runs until it is told to end.
  const auto process =
      must(CommandProcess::start({.program = "/bin/sh", .words = {"sh", "-c", "while :; do :; done"}}));
  CHECK_FALSE(process->wait_until(steady_clock::now()).has_value());
  process->send_signal(SIGTERM);
  CHECK(end_of(*process) == CommandStatus{.signal = SIGTERM});
  process->send_signal(SIGTERM);
  CHECK(process->wait_until(steady_clock::now()) == CommandStatus{.signal = SIGTERM});
}

}  // namespace
}  // namespace seriatim::cli
