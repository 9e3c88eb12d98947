#include "text/line_reader.hpp"

#include <array>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <unistd.h>

namespace seriatim::cli {
namespace {

// A pipe that a test writes to piece by piece.
class Pipe {
 public:
  Pipe() { REQUIRE(::pipe(ends_.data()) == 0); }
  ~Pipe() {
    ::close(ends_[0]);
    finish();
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  int input() const { return ends_[0]; }
  void put(std::string_view text) {
    REQUIRE(::write(ends_[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  void finish() {
    if (ends_[1] >= 0) ::close(ends_[1]);
    ends_[1] = -1;
  }

 private:
  std::array<int, 2> ends_{-1, -1};
};

std::vector<std::string> next(LineReader& reader) {
  const auto lines = reader.read_lines();
  REQUIRE(lines.ok());
  return {lines->begin(), lines->end()};
}

using Lines = std::vector<std::string>;

TEST_CASE("whole lines are handed over without waiting for more") {
  Pipe pipe;
  LineReader reader(pipe.input(), "\n");
  pipe.put("one\ntwo\nthr");
  CHECK(next(reader) == Lines{"one", "two"});
  CHECK_FALSE(reader.has_input());
  pipe.put("ee\n");
  CHECK(reader.has_input());
  CHECK(next(reader) == Lines{"three"});
}

TEST_CASE("the last line counts without its delimiter, an empty one between delimiters does too") {
  Pipe pipe;
  LineReader reader(pipe.input(), "\n");
  pipe.put("a\n\nb");
  pipe.finish();
  CHECK(next(reader) == Lines{"a", ""});
  CHECK(next(reader) == Lines{"b"});
  CHECK(next(reader).empty());
}

TEST_CASE("a delimiter that arrives in parts is found") {
  Pipe pipe;
  LineReader reader(pipe.input(), "\r\n--");
  pipe.put("a\r\n");
  pipe.put("-");
  pipe.put("-b\r");
  CHECK(next(reader) == Lines{"a"});
  pipe.put("\n--");
  CHECK(next(reader) == Lines{"b"});
  pipe.finish();
  CHECK(next(reader).empty());
}

TEST_CASE("a line may be longer than what one read brings") {
  Pipe pipe;
  LineReader reader(pipe.input(), "\n");
  const std::string half(40'000, 'x');
  pipe.put(half);
  pipe.put("y\n");
  CHECK(next(reader) == Lines{half + "y"});
}

TEST_CASE("a line beyond the limit is refused when as much was read, the lines before it are handed over") {
  Pipe pipe;
  LineReader reader(pipe.input(), "\n", 5);
  pipe.put("12345\n1234567");
  CHECK(next(reader) == Lines{"12345"});
  pipe.put("8");
  const auto lines = reader.read_lines();
  REQUIRE_FALSE(lines.ok());
  CHECK(lines.error().code() == Errc::record_too_large);
}

}  // namespace
}  // namespace seriatim::cli
