#include "text/readable_time.hpp"

#include <doctest/doctest.h>

namespace seriatim::cli {
namespace {

TEST_CASE("times are shown as people read them") {
  CHECK(readable_time(Timestamp(std::chrono::milliseconds(1'500))) == "1970-01-01T00:00:01.500Z");
  CHECK(readable_time(no_timestamp) == "-");
}

}  // namespace
}  // namespace seriatim::cli
