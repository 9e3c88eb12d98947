#include <doctest/doctest.h>

#include <seriatim/inspect.hpp>

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "support/child_process.hpp"
#include "unit/api/engine_fixture.hpp"

namespace seriatim {
namespace {

namespace fs = std::filesystem;
using test::code_of;
using test::create_topic;
using test::must;
using test::open_engine;
using test::TempDir;

/// A closed directory: topic "t" of 2 partitions with some segments, topic "other" with one record.
struct Written {
  Written() {
    const Engine engine = open_engine(path());
    create_topic(engine, "t", 2, {{"segment.bytes", "4096"}, {"index.interval.bytes", "0"}});
    create_topic(engine, "other");
    create_topic(engine, "empty");
    Producer producer = must(engine.producer({.acks = Acks::leader}));
    for (int i = 0; i < 20; ++i)
      must(producer.send_sync({.topic = "t", .value = std::string(1000, 'x'), .partition = i % 2}));
    must(producer.send_sync({.topic = "other", .value = "x"}));
    must(engine.close());
  }
  std::string path() const { return directory / "data"; }
  std::string log(Offset base = 0) const {
    std::string name = std::to_string(base);
    return path() + "/log/t-0/" + std::string(20 - name.size(), '0') + name;
  }
  VerifyReport report(const VerifyOptions& options = {}) const { return must(verify(path(), options)); }

  TempDir directory;
};

void flip(const std::string& path, std::uint64_t position) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(static_cast<std::streamoff>(position));
  const char byte = static_cast<char>(file.get() ^ 0x55);
  file.seekp(static_cast<std::streamoff>(position));
  file.put(byte);
  REQUIRE(file.good());
}

void check_one(const VerifyReport& report, Severity severity, const std::string& path) {
  REQUIRE(report.findings.size() == 1);
  const Finding& finding = report.findings[0];
  CAPTURE(finding.what);
  CHECK(finding.severity == severity);
  CHECK(finding.path == path);
  CHECK(report.worst() == severity);
}

TEST_CASE("a sound directory has no finding, and everything in it was looked at") {
  const Written written;
  const VerifyReport report = written.report();
  CHECK(report.findings.empty());
  CHECK_FALSE(report.worst().has_value());
  CHECK(report.topics == 3);
  CHECK(report.partitions == 4);
  CHECK(report.records == 21);
  CHECK(report.batches == 21);
  CHECK(report.segments > 4);
  CHECK(report.bytes > 20'000);
  CHECK(written.report({.deep = false}).records == 21);
}

TEST_CASE("only what was asked for is verified; an unknown topic is refused with the nearest name") {
  const Written written;
  CHECK(written.report({.topics = {"other"}}).records == 1);
  CHECK(code_of(verify(written.path(), {.topics = {"othr"}})) == Errc::unknown_topic_or_partition);
  CHECK(test::message_of(verify(written.path(), {.topics = {"othr"}})).find("other") != std::string::npos);
}

TEST_CASE("what is no data directory is an error, not a report") {
  const TempDir directory;
  CHECK(code_of(verify(directory / "missing")) == Errc::not_found);
  CHECK(code_of(verify(directory.path())) == Errc::not_a_data_directory);
  CHECK(code_of(writer_of(directory.path())) == Errc::not_a_data_directory);
}

TEST_CASE(
    "one flipped byte anywhere in a batch of the log is damage at its place, and what is behind it is still "
    "counted") {
  const Written written;
  const std::string log = written.log() + ".log";
  const std::uint64_t batch_bytes = fs::file_size(log) / 3;
  for (const std::uint64_t at : {std::uint64_t{3}, std::uint64_t{9}, std::uint64_t{16}, std::uint64_t{21},
                                 std::uint64_t{40}, std::uint64_t{500}}) {
    CAPTURE(at);
    flip(log, batch_bytes + at);
    const VerifyReport report = written.report();
    REQUIRE(report.findings.size() >= 1);
    CHECK(report.worst() == Severity::damage);
    CHECK(report.findings[0].path == "log/t-0/00000000000000000000.log");
    CHECK(report.findings[0].position == batch_bytes);
    CHECK(report.findings[0].first_offset == 1);
    CHECK(report.records == 20);
    flip(log, batch_bytes + at);
  }
  CHECK(written.report().findings.empty());
}

TEST_CASE("a missing segment, and a missing partition directory, are damage with the offsets that are gone") {
  const Written written;
  fs::remove(written.log(3) + ".log");
  fs::remove(written.log(3) + ".index");
  fs::remove(written.log(3) + ".timeindex");
  const VerifyReport report = written.report();
  check_one(report, Severity::damage, "log/t-0/00000000000000000006.log");
  CHECK(report.findings[0].first_offset == 3);
  CHECK(report.findings[0].last_offset == 5);
  fs::remove_all(written.path() + "/log/t-0");
  check_one(written.report(), Severity::damage, "log/t-0");
}

TEST_CASE("a log that lost its durable end is damage") {
  const Written written;
  const std::string last = written.log(9) + ".log";
  REQUIRE(fs::exists(last));
  fs::resize_file(last, 0);
  const VerifyReport report = written.report({.topics = {"t"}});
  CHECK(report.worst() == Severity::damage);
}

TEST_CASE("wrong or missing indexes are repairable, and opening for writing repairs them") {
  const Written written;
  flip(written.log() + ".index", 3);
  check_one(written.report(), Severity::repairable, "log/t-0/00000000000000000000.index");
  fs::remove(written.log() + ".index");
  check_one(written.report(), Severity::repairable, "log/t-0/00000000000000000000.index");
}

TEST_CASE("damaged metadata is damage in the report, and the records are judged all the same") {
  const Written written;
  flip(written.path() + "/FORMAT", 40);
  VerifyReport report = written.report();
  check_one(report, Severity::damage, "FORMAT");
  CHECK(report.records == 21);
  flip(written.path() + "/FORMAT", 40);
  fs::resize_file(written.path() + "/catalog/data.mdb", 100);
  report = written.report();
  check_one(report, Severity::damage, "catalog/data.mdb");
  CHECK(report.records == 21);
}

TEST_CASE("the tail of a killed writer is a note, not damage") {
  const TempDir directory;
  const std::string path = directory / "data";
  test::ChildProcess writer([&](const test::ChildProcess::Voice& voice) {
    const Engine engine = open_engine(path);
    create_topic(engine, "t");
    Producer producer = must(engine.producer({.acks = Acks::leader}));
    for (int i = 0; i < 3; ++i) must(producer.send_sync({.topic = "t", .value = std::string(100, 'x')}));
    voice.say("+");
    voice.sleep_until_killed();
  });
  REQUIRE(writer.hear(1) == "+");
  // Beside the live writer.
  CHECK(must(verify(path)).findings.empty());
  CHECK(must(verify(path)).records == 3);
  writer.kill();
  CHECK(must(verify(path)).findings.empty());
  std::fstream log(path + "/log/t-0/00000000000000000000.log",
                   std::ios::in | std::ios::out | std::ios::binary);
  std::string torn(40, '\0');
  log.read(torn.data(), 40);
  torn[7] = 3;  // the base offset that comes next
  const std::uint64_t size = static_cast<std::uint64_t>(static_cast<unsigned char>(torn[11])) + 12;
  log.seekp(static_cast<std::streamoff>(3 * size));
  log.write(torn.data(), 40);
  log.close();
  check_one(must(verify(path)), Severity::note, "log/t-0/00000000000000000000.log");
  CHECK(must(verify(path)).records == 3);
}

TEST_CASE("records that were deleted before a power cut took them are not missed") {
  const TempDir directory;
  const std::string copy = directory / "copy";
  {
    const Engine engine = open_engine(directory / "data");
    create_topic(engine, "t");
    Producer producer = must(engine.producer({.acks = Acks::leader}));
    for (int i = 0; i < 3; ++i) must(producer.send_sync({.topic = "t", .value = "x"}));
    must(engine.admin().delete_records({"t", 0}, 2));
    fs::copy(directory / "data", copy, fs::copy_options::recursive);
  }
  fs::resize_file(copy + "/log/t-0/00000000000000000000.log", 0);
  const Engine engine = open_engine(copy);
  CHECK(must(engine.reader({"t", 0})).log_start_offset() == 2);
  CHECK(must(engine.admin().verify()).findings.empty());
}

TEST_CASE("progress is told and can stop the work") {
  const TempDir directory;
  const std::string path = directory / "data";
  {
    const Engine engine = open_engine(path);
    create_topic(engine, "t");
    Producer producer = must(engine.producer({.acks = Acks::leader}));
    for (int i = 0; i < 50; ++i) must(producer.send_sync({.topic = "t", .value = std::string(100'000, 'x')}));
  }
  std::uint64_t last = 0;
  int calls = 0;
  const VerifyReport whole = must(verify(path, {.progress = [&](std::uint64_t done, std::uint64_t total) {
                                           CHECK(done > last);
                                           CHECK(done <= total);
                                           last = done;
                                           ++calls;
                                           return true;
                                         }}));
  CHECK(calls >= 4);
  CHECK(whole.records == 50);
  const VerifyReport stopped =
      must(verify(path, {.progress = [](std::uint64_t, std::uint64_t) { return false; }}));
  CHECK(stopped.records < 50);
  CHECK(stopped.findings.empty());
}

TEST_CASE("an engine verifies its own directory; the free function says to ask it") {
  const Written written;
  const Engine engine = open_engine(written.path());
  CHECK(code_of(verify(written.path())) == Errc::invalid_state);
  must(must(engine.producer()).send_sync({.topic = "other", .value = "y"}));
  const VerifyReport report = must(engine.admin().verify());
  CHECK(report.findings.empty());
  CHECK(report.records == 22);
}

TEST_CASE("writer_of says who writes, without disturbing") {
  const Written written;
  CHECK_FALSE(must(writer_of(written.path())).has_value());
  const Engine engine = open_engine(written.path());
  const auto writer = must(writer_of(written.path()));
  REQUIRE(writer.has_value());
  CHECK(writer->pid == ::getpid());
  CHECK_FALSE(writer->program.empty());
  CHECK(writer->since.find('T') != std::string::npos);
}

}  // namespace
}  // namespace seriatim
