#include "directory/upkeep/counters_file.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>

#include "base/bytes.hpp"
#include "os/file/posix_vfs.hpp"
#include "os/process.hpp"
#include "support/log_builder.hpp"
#include "unit/api/engine_fixture.hpp"

namespace seriatim::directory {
namespace {

using test::code_of;
using test::comes_true;
using test::must;
using test::OpenedEngine;
using test::TempDir;

TEST_CASE("what is published is read by its fields, with the writer's pid and the time") {
  const TempDir directory;
  auto file = CountersFile::create(os::posix_vfs(), directory.path());
  REQUIRE(file);
  (*file)->update({.appended_batches = 3, .appended_bytes = std::uint64_t{1} << 40, .buffered_bytes = 7}, {},
                  12345);
  const auto read = must(read_counters(os::posix_vfs(), directory.path()));
  REQUIRE(read);
  CHECK(read->pid == os::process_id());
  CHECK(read->updated_ms == 12345);
  CHECK(read->metrics.appended_batches == 3);
  CHECK(read->metrics.appended_bytes == std::uint64_t{1} << 40);
  CHECK(read->metrics.buffered_bytes == 7);
  CHECK(read->metrics.appended_records == 0);
}

TEST_CASE("the jobs of background work are published with their last run") {
  const TempDir directory;
  auto file = CountersFile::create(os::posix_vfs(), directory.path());
  REQUIRE(file);
  CHECK(must(read_counters(os::posix_vfs(), directory.path()))->jobs.empty());
  (*file)->update({},
                  {{.name = "checkpoint",
                    .period_ms = 60'000,
                    .runs = 5,
                    .failures = 2,
                    .begin_ms = 1'000,
                    .end_ms = 900,
                    .is_running = true,
                    .failure = std::string(1'000, 'f')},
                   {.name = std::string(100, 'n'), .runs = 1}},
                  9);
  auto jobs = must(read_counters(os::posix_vfs(), directory.path()))->jobs;
  REQUIRE(jobs.size() == 2);
  CHECK(jobs[0].name == "checkpoint");
  CHECK(jobs[0].period_ms == 60'000);
  CHECK(jobs[0].runs == 5);
  CHECK(jobs[0].failures == 2);
  CHECK(jobs[0].begin_ms == 1'000);
  CHECK(jobs[0].end_ms == 900);
  CHECK(jobs[0].is_running);
  CHECK(jobs[0].failure == std::string(95, 'f'));
  CHECK(jobs[1].name == std::string(23, 'n'));
  CHECK_FALSE(jobs[1].is_running);
  CHECK(jobs[1].failure.empty());
  // A character of two bytes is kept whole or not at all.
  (*file)->update({}, {{.failure = std::string(94, 'f') + "\u00e9"}}, 9);
  CHECK(must(read_counters(os::posix_vfs(), directory.path()))->jobs[0].failure == std::string(94, 'f'));
  // More than there is room for: the first ones.
  (*file)->update({}, std::vector<JobReport>(100, {.name = "j"}), 9);
  CHECK(must(read_counters(os::posix_vfs(), directory.path()))->jobs.size() == 60);
  const auto bytes = test::read_file(directory / counters_file_name);
  CHECK(bytes.size() == 12288);
  CHECK(base::as_text({bytes.data() + 2048, 8}) == "SERIJOBS");
  CHECK(base::load_le<std::uint64_t>(bytes.data() + 2056) == 60);
  CHECK(base::as_text({bytes.data() + 2064 + 168, 2}) == std::string_view("j\0", 2));
}

TEST_CASE("a counters file of a writer that had room for twelve jobs is read") {
  const TempDir directory;
  const std::string path = directory / counters_file_name;
  must(CountersFile::create(os::posix_vfs(), directory.path()))
      ->update({}, std::vector<JobReport>(12, {.name = "j"}), 9);
  std::filesystem::resize_file(path, 4096);
  CHECK(must(read_counters(os::posix_vfs(), directory.path()))->jobs.size() == 12);
  // One that claims more jobs than it has room for.
  must(CountersFile::create(os::posix_vfs(), directory.path()))
      ->update({}, std::vector<JobReport>(13, {.name = "j"}), 9);
  std::filesystem::resize_file(path, 4096);
  CHECK(must(read_counters(os::posix_vfs(), directory.path()))->jobs.size() == 12);
}

TEST_CASE("the file is what the documentation says, byte by byte, whether it is stored to or written") {
  bool is_mapped = false;
  SUBCASE("mapped") { is_mapped = true; }
  SUBCASE("written") {}
  const TempDir directory;
  auto file = CountersFile::create(os::posix_vfs(), directory.path(), is_mapped);
  REQUIRE(file);
  (*file)->update({.appended_batches = 0x0102}, {}, 9);
  const auto bytes = test::read_file(directory / counters_file_name);
  CHECK(base::as_text({bytes.data(), 8}) == "SERCNTRS");
  CHECK(base::load_le<std::uint32_t>(bytes.data() + 8) == 1);
  CHECK(base::load_le<std::uint32_t>(bytes.data() + 12) == sizeof(Metrics) / 8);
  CHECK(base::load_le<std::uint64_t>(bytes.data() + 24) == 9);
  CHECK(bytes[32] == std::byte{2});
  CHECK(bytes[33] == std::byte{1});
}

TEST_CASE("no file, a foreign file and another version are told apart") {
  const TempDir directory;
  CHECK_FALSE(must(read_counters(os::posix_vfs(), directory.path())).has_value());
  test::write_file(directory / counters_file_name, base::as_bytes("short"));
  CHECK(code_of(read_counters(os::posix_vfs(), directory.path())) == Errc::corrupt_metadata);
  test::write_file(directory / counters_file_name, {});
  CHECK(code_of(read_counters(os::posix_vfs(), directory.path())) == Errc::corrupt_metadata);
  std::string other(64, '\0');
  other.replace(0, 8, "SERCNTRS");
  other[8] = 2;
  test::write_file(directory / counters_file_name, base::as_bytes(other));
  CHECK(code_of(read_counters(os::posix_vfs(), directory.path())) == Errc::unsupported_version);
}

TEST_CASE("a file of fewer values, or one that claims more than it holds, is read as far as it goes") {
  const TempDir directory;
  std::string text(48, '\0');
  text.replace(0, 8, "SERCNTRS");
  text[8] = 1;
  text[12] = 100;
  text[32] = 5;
  text[40] = 6;
  test::write_file(directory / counters_file_name, base::as_bytes(text));
  auto read = must(read_counters(os::posix_vfs(), directory.path()));
  CHECK(read->metrics.appended_batches == 5);
  CHECK(read->metrics.appended_records == 6);
  CHECK(read->metrics.appended_bytes == 0);
  text[12] = 1;
  test::write_file(directory / counters_file_name, base::as_bytes(text));
  read = must(read_counters(os::posix_vfs(), directory.path()));
  CHECK(read->metrics.appended_batches == 5);
  CHECK(read->metrics.appended_records == 0);
}

TEST_CASE("the last numbers are published by close, and outlive the engine") {
  const OpenedEngine opened;
  must(must(opened.engine.producer({.acks = Acks::leader})).send_sync({.topic = "t", .value = "x"}));
  must(opened.engine.close());
  CHECK(must(read_counters(os::posix_vfs(), opened.path()))->metrics.appended_records == 1);
}

TEST_CASE("a running engine publishes its counters") {
  const OpenedEngine opened;
  must(must(opened.engine.producer({.acks = Acks::leader})).send_sync({.topic = "t", .value = "x"}));
  const auto published = [&] { return must(read_counters(os::posix_vfs(), opened.path())); };
  CHECK(comes_true([&] { return published()->metrics.appended_records == 1; }));
}

}  // namespace
}  // namespace seriatim::directory
