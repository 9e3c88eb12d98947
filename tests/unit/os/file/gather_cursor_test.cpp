#include "os/file/gather_cursor.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "support/random.hpp"

using namespace seriatim;
using os::GatherCursor;

namespace {

struct Vector {
  void* base;
  std::size_t bytes;
};

// The bytes written by one call of a kernel that stops after `bytes_max`.
std::string write_some(std::span<const Vector> vectors, std::size_t bytes_max) {
  std::string written;
  for (const Vector& vector : vectors) written.append(static_cast<const char*>(vector.base), vector.bytes);
  written.resize(std::min(written.size(), bytes_max));
  return written;
}

}  // namespace

TEST_CASE("wherever the kernel stops, the rest follows without a gap or a repetition") {
  test::Random random("gather_cursor");
  for (int round = 0; round < 300; ++round) {
    std::vector<std::vector<std::byte>> pieces;
    std::vector<base::ByteSpan> views;
    std::string expected;
    for (std::int64_t i = random.between(0, 12); i > 0; --i) {
      pieces.push_back(random.bytes(static_cast<std::size_t>(random.between(0, 9))));
      expected.append(base::as_text(pieces.back()));
    }
    for (const auto& piece : pieces) views.emplace_back(piece);
    GatherCursor cursor(views);
    std::array<Vector, 4> vectors{};
    std::string written;
    while (const std::size_t count = cursor.fill<Vector>(vectors)) {
      REQUIRE(count <= vectors.size());
      const auto bytes_max = static_cast<std::size_t>(random.between(1, 40));
      const std::string now = write_some(std::span<const Vector>(vectors).first(count), bytes_max);
      REQUIRE_FALSE(now.empty());
      written += now;
      cursor.advance(now.size());
    }
    REQUIRE(written == expected);
  }
}

TEST_CASE("without a byte to write there is nothing to fill") {
  std::array<Vector, 2> vectors{};
  CHECK(GatherCursor({}).fill<Vector>(vectors) == 0);
  const base::ByteSpan empty[3] = {};
  CHECK(GatherCursor(empty).fill<Vector>(vectors) == 0);
}
