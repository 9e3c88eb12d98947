#include "os/process.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <set>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "support/child_process.hpp"

using namespace seriatim::os;
using seriatim::test::ChildProcess;

TEST_CASE("a process knows its id and name, and which others exist") {
  CHECK(process_id() == ::getpid());
  CHECK(program_name() == "test_os");
  CHECK(process_exists(process_id()));
  CHECK(process_exists(1));
  CHECK_FALSE(process_exists(0));
  CHECK_FALSE(process_exists(-1));
  ChildProcess child([](const ChildProcess::Voice& voice) { voice.sleep_until_killed(); });
  const std::int64_t pid = child.pid();
  CHECK(process_exists(pid));
  child.kill();
  CHECK_FALSE(process_exists(pid));
}

TEST_CASE("the boot id is the kernel's UUID, the same for every process") {
  const std::string here = boot_id();
  CHECK(here.size() == 36);
  ChildProcess child([](const ChildProcess::Voice& voice) { voice.say(boot_id()); });
  CHECK(child.hear_all() == here);
}

TEST_CASE("the limit of open files is the process's soft limit") {
  rlimit limit{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
  CHECK(open_files_max() == limit.rlim_cur);
}

TEST_CASE("the fork generation is the same in every thread of a process") {
  const std::uint64_t mine = fork_generation();
  CHECK(mine != 0);
  std::vector<std::uint64_t> seen(4);
  {
    std::vector<std::jthread> threads;
    for (std::uint64_t& place : seen) threads.emplace_back([&place] { place = fork_generation(); });
  }
  for (const std::uint64_t other : seen) CHECK(other == mine);
  CHECK(fork_generation() == mine);
}

TEST_CASE("the fork generation differs between a process and those it forks after asking, over generations") {
  const std::string mine = std::to_string(fork_generation());
  ChildProcess child([](const ChildProcess::Voice& voice) {
    voice.say(std::to_string(fork_generation()) + " ");
    ChildProcess grandchild(
        [](const ChildProcess::Voice& inner) { inner.say(std::to_string(fork_generation())); });
    voice.say(grandchild.hear_all());
  });
  const std::string heard = child.hear_all();
  const std::size_t blank = heard.find(' ');
  REQUIRE(blank != std::string::npos);
  const std::set<std::string> all{mine, heard.substr(0, blank), heard.substr(blank + 1)};
  CHECK(all.size() == 3);
  CHECK(std::to_string(fork_generation()) == mine);
}
