#include <seriatim/repair.hpp>

#include <doctest/doctest.h>

#include <filesystem>

#include "format/batch_header.hpp"
#include "support/log_builder.hpp"
#include "unit/api/engine_fixture.hpp"

namespace seriatim {
namespace {

namespace fs = std::filesystem;
using test::code_of;
using test::create_topic;
using test::must;
using test::open_engine;
using test::TempDir;

/// A closed directory: topic "t" with 20 records in segments of a few each.
struct Closed {
  Closed() {
    const Engine engine = open_engine(path());
    create_topic(engine, "t", 1, {{"segment.bytes", "4096"}, {"index.interval.bytes", "0"}});
    Producer producer = must(engine.producer({.acks = Acks::leader}));
    for (int i = 0; i < 20; ++i)
      must(producer.send_sync({.topic = "t", .value = std::to_string(i) + std::string(1000, 'x')}));
    must(engine.close());
  }
  std::string path() const { return directory / "data"; }
  std::string log(const std::string& suffix) const {
    return path() + "/log/t-0/00000000000000000000" + suffix;
  }
  void flip(const std::string& file, std::uint64_t position) const {
    auto bytes = test::read_file(file);
    bytes[position] ^= std::byte{1};
    test::write_file(file, bytes);
  }
  std::vector<Offset> offsets() const {
    std::vector<Offset> all;
    const Engine engine = open_engine(path());
    for (const OwnedRecord& record : test::read_all(engine, "t")) all.push_back(record.offset);
    must(engine.close());
    return all;
  }

  TempDir directory;
};

TEST_CASE("a sound directory needs nothing, and what is none is refused") {
  const Closed closed;
  const RepairReport report = must(repair(closed.path()));
  CHECK(report.steps.empty());
  CHECK(report.left.empty());
  CHECK(code_of(repair(closed.directory / "none")) == Errc::not_found);
  CHECK(code_of(repair(closed.directory.path())) == Errc::not_a_data_directory);
}

TEST_CASE("a directory that this process has open is refused") {
  const Closed closed;
  const Engine engine = open_engine(closed.path());
  CHECK(code_of(repair(closed.path())) == Errc::invalid_state);
}

TEST_CASE("a dry run says everything and changes nothing; the run does it; then there is nothing to do") {
  const Closed closed;
  fs::remove(closed.log(".index"));
  const RepairReport plan = must(repair(closed.path(), {.dry_run = true}));
  REQUIRE(plan.steps.size() == 1);
  CHECK_FALSE(plan.steps[0].is_done);
  CHECK_FALSE(plan.steps[0].gives_up);
  CHECK_FALSE(fs::exists(closed.log(".index")));
  const RepairReport report = must(repair(closed.path()));
  REQUIRE(report.steps.size() == 1);
  CHECK(report.steps[0].is_done);
  CHECK(report.left.empty());
  CHECK(must(verify(closed.path())).findings.empty());
  CHECK(must(repair(closed.path())).steps.empty());
}

TEST_CASE("a damaged batch is left alone without accept_loss, and with it only its own records go") {
  const Closed closed;
  closed.flip(closed.log(".log"), 500);
  const RepairReport kept = must(repair(closed.path()));
  REQUIRE(kept.steps.size() == 1);
  CHECK(kept.steps[0].gives_up);
  CHECK_FALSE(kept.steps[0].is_done);
  CHECK(must(verify(closed.path())).worst() == Severity::damage);
  const auto damaged = test::read_file(closed.log(".log"));
  const RepairReport report = must(repair(closed.path(), {.accept_loss = true}));
  for (const RepairStep& step : report.steps) CHECK(step.is_done);
  CHECK(test::read_file(closed.log(".log.damaged")) == damaged);
  CHECK(must(verify(closed.path())).findings.empty());
  std::vector<Offset> expected;
  for (Offset offset = 1; offset < 20; ++offset) expected.push_back(offset);
  CHECK(closed.offsets() == expected);
}

TEST_CASE("a directory of a partition that lost its first segment goes on with the rest") {
  const Closed closed;
  for (const char* const suffix : {".log", ".index", ".timeindex"}) fs::remove(closed.log(suffix));
  const RepairReport report = must(repair(closed.path(), {.accept_loss = true}));
  CHECK(report.left.empty());
  const auto offsets = closed.offsets();
  REQUIRE_FALSE(offsets.empty());
  CHECK(offsets.front() > 0);
  CHECK(offsets.back() == 19);
}

TEST_CASE("records that do not decode although their checksum fits are told as left") {
  const Closed closed;
  auto bytes = test::read_file(closed.log(".log"));
  // The length of the first record, and the checksum of the batch with it.
  bytes[format::header_bytes] = std::byte{0x02};
  const auto size = format::read_batch_header(bytes.data()).size_bytes();
  format::seal_batch(base::MutableByteSpan(bytes).first(size));
  test::write_file(closed.log(".log"), bytes);
  const RepairReport report = must(repair(closed.path(), {.accept_loss = true}));
  REQUIRE(report.left.size() == 1);
  CHECK(report.left[0].severity == Severity::damage);
  CHECK_FALSE(report.steps[0].is_done);
}

}  // namespace
}  // namespace seriatim
