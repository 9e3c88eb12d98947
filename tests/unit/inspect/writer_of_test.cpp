#include <seriatim/inspect.hpp>

#include <doctest/doctest.h>

#include "support/child_process.hpp"
#include "unit/api/engine_fixture.hpp"

namespace seriatim {
namespace {

using test::ChildProcess;
using test::code_of;
using test::message_of;
using test::must;
using test::TempDir;

TEST_CASE("the writer of a directory is known from outside until its process ends") {
  const TempDir directory;
  const std::string path = directory / "data";
  ChildProcess writer([&](const ChildProcess::Voice& voice) {
    const auto engine = Engine::open(path);
    voice.say(engine.ok() ? "+" : "-");
    voice.sleep_until_killed();
  });
  REQUIRE(writer.hear(1) == "+");
  CHECK(must(writer_of(path))->pid == writer.pid());
  writer.kill();
  CHECK_FALSE(must(writer_of(path)).has_value());
}

TEST_CASE("a directory without FORMAT has no writer, and is said to be none of ours") {
  const TempDir directory;
  CHECK(code_of(writer_of(directory.path())) == Errc::not_a_data_directory);
  CHECK(message_of(writer_of(directory.path())).find("FORMAT") != std::string::npos);
}

}  // namespace
}  // namespace seriatim
