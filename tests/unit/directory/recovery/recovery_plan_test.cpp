// The open does exactly what `verify` and a dry run of `repair` say beforehand.
#include "directory/recovery/recovery_plan.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <tuple>

#include <seriatim/repair.hpp>

#include "format/batch_header.hpp"
#include "format/file_name.hpp"
#include "support/log_builder.hpp"
#include "support/random.hpp"
#include "unit/api/transaction_fixture.hpp"

namespace seriatim {
namespace {

namespace fs = std::filesystem;
using test::committed_values;
using test::must;
using test::read_file;
using test::TempDir;
using test::transactional;

EngineOptions small_journal() {
  return {.maintenance_interval = std::chrono::milliseconds(0),
          .checkpoint_interval = std::chrono::hours(24),
          .journal_max_bytes = std::uint64_t{1} << 30,
          .journal_file_bytes = 64U << 10};
}

std::string log_of(const std::string& directory, const std::string& partition, Offset base = 0) {
  return directory + "/log/" + partition + "/" + format::file_name(base, format::FileKind::log);
}

// The machine went down since: LOCK names another boot.
void boot_again(const std::string& directory) { fs::remove(directory + "/LOCK"); }

void zero(const std::string& path, std::uint64_t from, std::uint64_t to) {
  auto bytes = read_file(path);
  std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(from),
            bytes.begin() + static_cast<std::ptrdiff_t>(to), std::byte{0});
  test::write_file(path, bytes);
}

// Where each batch of a log lies, and where the last ends.
std::vector<std::uint64_t> positions_of(const std::string& path) {
  const auto bytes = read_file(path);
  std::vector<std::uint64_t> positions{0};
  for (;;) {
    const std::uint64_t at = positions.back();
    if (at + format::header_bytes > bytes.size()) return positions;
    const auto header = format::read_batch_header(bytes.data() + at);
    if (header.length < format::length_min) return positions;
    positions.push_back(at + header.size_bytes());
  }
}

std::vector<Finding> damage_in(const std::string& directory) {
  auto findings = must(verify(directory)).findings;
  std::erase_if(findings, [](const Finding& finding) { return finding.severity == Severity::note; });
  return findings;
}

std::vector<Offset> offsets_in(const std::string& directory, const std::string& topic) {
  const Engine engine = test::open_engine(directory, small_journal());
  std::vector<Offset> offsets;
  for (const auto& record : test::read_all(engine, topic)) offsets.push_back(record.offset);
  must(engine.close());
  return offsets;
}

struct Written {
  explicit Written(Acks acks) {
    test::create_topic(engine, "t", 1, {{"segment.bytes", "8192"}, {"index.interval.bytes", "0"}});
    Producer producer = must(engine.producer({.acks = acks}));
    for (int i = 0; i < 30; ++i)
      must(producer.send_sync({.topic = "t", .value = std::to_string(i) + std::string(1000, 'x')}));
  }
  std::string image() {
    const std::string copy = directory / ("image" + std::to_string(++images));
    test::copy_live(engine.directory(), copy);
    return copy;
  }
  TempDir directory;
  Engine engine = test::open_engine(directory / "data", small_journal());
  int images = 0;
};

TEST_CASE("what a power cut has left and the next open heals is no damage to verify") {
  Written written(Acks::leader);
  struct Case {
    const char* what;
    std::function<void(const std::string& image)> lose;
  };
  const Case cases[] = {
      {"a hole", [](const auto& image) { zero(log_of(image, "t-0"), 2000, 4000); }},
      {"the end of a sealed segment", [](const auto& image) { fs::resize_file(log_of(image, "t-0"), 3000); }},
      {"indexes",
       [](const auto& image) {
         fs::resize_file(image + "/log/t-0/00000000000000000000.index", 3);
         fs::remove(image + "/log/t-0/00000000000000000000.timeindex");
       }},
      {"all of the first segment", [](const auto& image) { fs::resize_file(log_of(image, "t-0"), 0); }}};
  for (const auto& row : cases) {
    CAPTURE(std::string(row.what));
    const std::string image = written.image();
    row.lose(image);
    boot_again(image);
    CHECK(damage_in(image).empty());
    // The records that it says are taken out of the log are the ones missing afterwards.
    std::set<Offset> expected;
    for (Offset offset = 0; offset < 30; ++offset) expected.insert(offset);
    for (const Finding& finding : must(verify(image)).findings) {
      for (Offset o = finding.first_offset; o >= 0 && o <= finding.last_offset; ++o) expected.erase(o);
    }
    const auto left = offsets_in(image, "t");
    // A batch in a hole is no batch: nobody can say which offsets it had.
    CHECK(std::includes(expected.begin(), expected.end(), left.begin(), left.end()));
    CHECK(expected.size() - left.size() <= 8);
    CHECK(damage_in(image).empty());
  }
}

TEST_CASE("what the journal brings home is no damage to verify") {
  Written written(Acks::all);
  const std::string image = written.image();
  zero(log_of(image, "t-0"), 500, 5000);
  boot_again(image);
  CHECK(damage_in(image).empty());
  CHECK(must(verify(image)).records == 30);
  CHECK(offsets_in(image, "t").size() == 30);
}

TEST_CASE("damage that the open will not heal is damage, beforehand as afterwards") {
  Written written(Acks::leader);
  const std::string image = written.image();
  zero(log_of(image, "t-0"), 2000, 2010);
  const auto before = damage_in(image);
  REQUIRE(before.size() == 1);
  {
    const Engine engine = test::open_engine(image, small_journal());
    CHECK(must(engine.admin().describe_topic("t")).partitions[0].damage);
    must(engine.close());
  }
  const auto after = damage_in(image);
  REQUIRE(after.size() == 1);
  CHECK(after[0].position == before[0].position);
  CHECK(after[0].first_offset == before[0].first_offset);
  CHECK(after[0].last_offset == before[0].last_offset);
  CHECK(after[0].first_offset == after[0].last_offset);
}

// Transactions over three partitions at `all`, in several journal files, of which one is lost.
struct LostJournalFile {
  static constexpr int transactions = 150;

  LostJournalFile() {
    const Engine engine = test::open_engine(directory / "data", small_journal());
    test::create_topic(engine, "t", 3);
    auto producer = transactional(engine);
    for (int i = 0; i < transactions; ++i) {
      Transaction transaction = must(producer.begin());
      for (PartitionId p = 0; p < 3; ++p)
        test::send(transaction, "t", std::to_string(i) + std::string(500, 'v'), p);
      must(transaction.commit());
    }
    test::copy_live(engine.directory(), path);
    must(engine.close());
    std::vector<std::string> files;
    for (const auto& entry : fs::directory_iterator(path + "/journal")) {
      if (entry.path().extension() == ".journal") files.push_back(entry.path().string());
    }
    std::sort(files.begin(), files.end());
    REQUIRE(files.size() > 4);
    fs::remove(files[1]);
  }
  std::vector<std::size_t> readable() const {
    const Engine engine = test::open_engine(path, small_journal());
    std::vector<std::size_t> counts;
    for (PartitionId p = 0; p < 3; ++p) counts.push_back(committed_values(engine, "t", p).size());
    must(engine.close());
    return counts;
  }

  TempDir directory;
  std::string path = directory / "copy";
};

using Step = std::tuple<std::string, std::string, bool>;

std::set<Step> steps_of(const RepairReport& report) {
  std::set<Step> steps;
  for (const auto& step : report.steps) steps.emplace(step.path, step.what, step.gives_up);
  return steps;
}

TEST_CASE("a marker whose decision lies in a lost part of the journal stays, and all that is behind it") {
  const LostJournalFile lost;
  CHECK_FALSE(Engine::open(lost.path, small_journal()));
  const auto dry = must(repair(lost.path, {.dry_run = true, .accept_loss = true}));
  const auto run = must(repair(lost.path, {.accept_loss = true}));
  CHECK(steps_of(dry) == steps_of(run));
  CHECK(run.left.empty());
  for (const auto& step : run.steps) {
    CHECK(step.is_done);
    CHECK(step.what.find("Gone are") == std::string::npos);
  }
  CHECK(lost.readable() == std::vector<std::size_t>(3, LostJournalFile::transactions));
}

TEST_CASE("a dry run that accepts loss names for each partition what the run then takes, no more, no less") {
  test::Random random("dry run and run");
  for (int round = 0; round < 6; ++round) {
    const LostJournalFile lost;
    boot_again(lost.path);
    // Facts that only the lost file had are gone from some of the segments.
    std::map<std::string, std::set<Offset>> there;
    for (PartitionId p = 0; p < 3; ++p) {
      const std::string name = "t-" + std::to_string(p);
      const auto positions = positions_of(log_of(lost.path, name));
      const auto first = static_cast<std::size_t>(random.between(60, 150));
      const auto count = static_cast<std::size_t>(random.between(0, 6));
      if (count > 0) zero(log_of(lost.path, name), positions[first], positions[first + count]);
      for (std::size_t i = 0; i + 1 < positions.size(); ++i) there[name].insert(static_cast<Offset>(i));
    }
    const auto dry = must(repair(lost.path, {.dry_run = true, .accept_loss = true}));
    const auto run = must(repair(lost.path, {.accept_loss = true}));
    const auto planned = steps_of(dry);
    const auto done = steps_of(run);
    CHECK(std::includes(done.begin(), done.end(), planned.begin(), planned.end()));
    // The offsets that the dry run names, and those that are not there.
    std::map<std::string, std::set<Offset>> named;
    for (const auto& step : dry.steps) {
      const auto at = step.what.find("without offsets ");
      const auto gone = step.what.find("Gone are offsets ");
      if (at == std::string::npos && gone == std::string::npos) continue;
      const std::string text = step.what.substr(at != std::string::npos ? at + 16 : gone + 17);
      const Offset first = std::stoll(text);
      const Offset last = std::stoll(text.substr(text.find(" to ") + 4));
      const std::string name = step.path.substr(4, 3);
      for (Offset o = first; o <= last; ++o) named[name].insert(o);
    }
    const Engine engine = test::open_engine(lost.path, small_journal());
    for (PartitionId p = 0; p < 3; ++p) {
      const std::string name = "t-" + std::to_string(p);
      CAPTURE(name);
      std::set<Offset> left;
      const LogReader reader =
          must(engine.reader({"t", p}, {.isolation_level = IsolationLevel::read_uncommitted}));
      for (Offset next = 0; next < reader.high_watermark();) {
        const auto records = must(reader.read(next, 1000));
        if (records.empty()) break;
        for (const RecordView& record : records) {
          left.insert(record.offset());
          next = record.offset() + 1;
        }
      }
      for (const Offset offset : there[name]) {
        const bool is_marker = offset % 2 == 1;  // Each transaction has one record here, and its marker.
        if (is_marker) continue;
        CAPTURE(offset);
        CHECK(left.contains(offset) != named[name].contains(offset));
      }
    }
    must(engine.close());
  }
}

}  // namespace
}  // namespace seriatim
