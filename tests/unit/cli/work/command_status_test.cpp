#include "work/command_status.hpp"

#include <csignal>

#include <doctest/doctest.h>

namespace seriatim::cli {
namespace {

TEST_CASE("0 accepts, 100 rejects, any other end releases") {
  CHECK(answer_of({.exit_status = 0}) == AcknowledgeType::accept);
  CHECK(answer_of({.exit_status = 100}) == AcknowledgeType::reject);
  for (const int status : {-1, 1, 2, 99, 101, 126, 127, 255})
    CHECK(answer_of({.exit_status = status}) == AcknowledgeType::release);
  CHECK(answer_of({.signal = SIGKILL}) == AcknowledgeType::release);
  CHECK(answer_of({.exit_status = 100, .signal = SIGTERM}) == AcknowledgeType::release);
}

TEST_CASE("an end is told by its status or its signal") {
  CHECK(describe_status({.exit_status = 3}) == "exit status 3");
  CHECK(describe_status({.signal = SIGKILL}) == "signal 9 (Killed)");
}

}  // namespace
}  // namespace seriatim::cli
