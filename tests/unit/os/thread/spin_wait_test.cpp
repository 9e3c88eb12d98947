#include "os/thread/spin_wait.hpp"

#include <doctest/doctest.h>

using seriatim::os::SpinWait;

TEST_CASE("a spin ends after its rounds") {
  SpinWait spin(3);
  CHECK(spin.once());
  CHECK(spin.once());
  CHECK(spin.once());
  CHECK_FALSE(spin.once());
  CHECK_FALSE(spin.once());
  CHECK_FALSE(SpinWait(0).once());
}
