#include "os/retry.hpp"

#include <doctest/doctest.h>

#include <cerrno>

namespace seriatim::os {

TEST_CASE("an interrupted call is made again until it is not; any other outcome is the answer") {
  int calls = 0;
  const auto third_time_well = [&] {
    errno = EINTR;
    return ++calls < 3 ? -1 : 5;
  };
  CHECK(retry_interrupted(third_time_well) == 5);
  CHECK(calls == 3);
  calls = 0;
  const auto fails = [&] {
    ++calls;
    errno = EIO;
    return -1;
  };
  CHECK(retry_interrupted(fails) == -1);
  CHECK(errno == EIO);
  CHECK(calls == 1);
}

}  // namespace seriatim::os
