#include "base/assert.hpp"

#include <doctest/doctest.h>

#include <csignal>

#include "support/child_process.hpp"

using seriatim::test::ChildProcess;

TEST_CASE("a false assertion aborts and says which it was") {
  ChildProcess child([](const ChildProcess::Voice& voice) {
    voice.take_stderr();
    SERIATIM_ASSERT(2 + 2 == 5);
  });
  const std::string heard = child.hear_all();
  CHECK(child.wait() == -SIGABRT);
  CHECK(heard.find("2 + 2 == 5") != std::string::npos);
  CHECK(heard.find("assert_test.cpp") != std::string::npos);
}

TEST_CASE("a true assertion does nothing and its expression is evaluated once") {
  int count = 0;
  SERIATIM_ASSERT(++count == 1);
  CHECK(count == 1);
}
