#include "progress_bar.hpp"

#include <string>

#include <doctest/doctest.h>

namespace seriatim::cli {
namespace {

constexpr std::uint64_t mebibyte = 1 << 20;

TEST_CASE("the line shows the part done, the rate and the time left") {
  const std::string line =
      ProgressBar::line("verify", 50 * mebibyte, 100 * mebibyte, std::chrono::seconds(5));
  CHECK(line == "verify  [############------------] 50 %  50.0 MiB of 100.0 MiB  10.0 MiB/s  ETA 5.0 s");
}

TEST_CASE("the line ends full, and numbers that make no sense cannot break it") {
  CHECK(ProgressBar::line("x", 100, 100, std::chrono::seconds(1)).find("100 %") != std::string::npos);
  CHECK(ProgressBar::line("x", 0, 0, std::chrono::seconds(0)).find("100 %") != std::string::npos);
  CHECK(ProgressBar::line("x", 500, 100, std::chrono::seconds(1)).find("[########################]") !=
        std::string::npos);
}

}  // namespace
}  // namespace seriatim::cli
