#include "text/output_stream.hpp"

#include <doctest/doctest.h>

#include <array>

#include <unistd.h>

namespace seriatim::cli {
namespace {

TEST_CASE("work that takes long notices that the reader of its output has gone") {
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  {
    OutputStream with_reader(ends[1]);
    CHECK(with_reader.has_reader());
  }
  ::close(ends[0]);
  OutputStream without(ends[1]);
  CHECK_FALSE(without.has_reader());
  CHECK(without.reader_is_gone());
  CHECK_FALSE(without.flush().ok());
  ::close(ends[1]);
}

}  // namespace
}  // namespace seriatim::cli
