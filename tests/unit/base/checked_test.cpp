#include "base/checked.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <cstdint>
#include <limits>

#include "support/child_process.hpp"

using seriatim::base::narrow;
using seriatim::test::ChildProcess;

TEST_CASE("narrow keeps values that fit") {
  CHECK(narrow<std::int32_t>(std::int64_t{-5}) == -5);
  CHECK(narrow<std::uint8_t>(255) == 255);
  CHECK(narrow<std::int64_t>(std::uint64_t{7}) == 7);
}

TEST_CASE("narrow aborts on a value that does not fit") {
  for (const std::int64_t value : {std::int64_t{-1}, std::int64_t{1} << 32}) {
    ChildProcess child([value](const ChildProcess::Voice& voice) {
      voice.take_stderr();
      static_cast<void>(narrow<std::uint32_t>(value));
    });
    CHECK(child.wait() == -SIGABRT);
  }
}
