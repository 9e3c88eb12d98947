#include "directory/recovery/parts_check.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <seriatim/inspect.hpp>
#include <seriatim/repair.hpp>

#include "support/failing_vfs.hpp"
#include "support/log_builder.hpp"
#include "unit/api/engine_fixture.hpp"

namespace seriatim::test {
namespace {

namespace fs = std::filesystem;
using detail::EngineImpl;

const EngineOptions quiet{.maintenance_interval = std::chrono::milliseconds(0),
                          .checkpoint_interval = std::chrono::hours(24),
                          .journal_file_bytes = 64U << 10};

// Bytes of every file that is data; those of locks change with every look.
std::map<std::string, std::vector<std::byte>> bytes_in(const std::string& path) {
  std::map<std::string, std::vector<std::byte>> all;
  for (const auto& entry : fs::recursive_directory_iterator(path)) {
    const std::string name = entry.path().filename().string();
    if (entry.is_regular_file() && name != "LOCK" && name != "lock.mdb" && name != "counters")
      all[entry.path().string()] = read_file(entry.path().string());
  }
  return all;
}

void write_transactions(const Engine& engine, int count) {
  auto sender = must(engine.transactional_producer({.transactional_id = "x"}));
  for (int i = 0; i < count; ++i) {
    auto transaction = must(sender.begin());
    must(transaction.send({.topic = "t", .value = std::string(500, 'v')}));
    must(transaction.send_offsets({{t0, {.offset = 0}}}, {.group_id = "g"}));
    must(transaction.commit());
  }
}

// One directory through three runs, with what a backup would have held at each point.
//   live    in the first run, behind a checkpoint      closed   behind the first run
//   later   behind the second run                      begun    in the third, before its first checkpoint
//   early   in the third, behind its checkpoint        crashed  further on
struct Moments {
  TempDir dir;
  std::string at(const std::string& name) const { return dir / name; }

  Moments() {
    const std::string path = at("data");
    {
      Engine engine = open_engine(path, quiet);
      create_topic(engine, "t", 1, {{"segment.bytes", "8192"}});
      write_transactions(engine, 20);
      must(EngineImpl::of(engine)->checkpointer->checkpoint());
      keep("live");
      write_transactions(engine, 20);
      must(engine.close());
    }
    keep("closed");
    {
      Engine engine = open_engine(path, quiet);
      write_transactions(engine, 20);
      must(engine.close());
    }
    keep("later");
    Engine engine = open_engine(path, quiet);
    write_transactions(engine, 10);
    keep("begun");
    write_transactions(engine, 10);
    must(EngineImpl::of(engine)->checkpointer->checkpoint());
    write_transactions(engine, 5);
    keep("early");
    write_transactions(engine, 15);
    keep("crashed");
  }
  void keep(const std::string& name) const { copy_live(at("data"), at(name)); }
  // `part` of one moment in the place of another's; an empty one where there is no such moment.
  std::string mix(const std::string& base, const std::string& part, const std::string& from) const {
    const std::string mixed = at("mixed");
    copy_live(at(base), mixed);
    fs::remove_all(mixed + "/" + part);
    if (!from.empty() && !fs::is_directory(at(from) + "/" + part)) {
      fs::copy(at(from) + "/" + part, mixed + "/" + part);
    } else if (from.empty()) {
      fs::create_directory(mixed + "/" + part);
    } else {
      fs::copy(at(from) + "/" + part, mixed + "/" + part, fs::copy_options::recursive);
    }
    return mixed;
  }
  // Catalog and journal of one moment beside the logs of another.
  std::string mix_old_parts(const std::string& base, const std::string& from) const {
    const std::string mixed = mix(base, "catalog", from);
    fs::remove_all(mixed + "/journal");
    fs::copy(at(from) + "/journal", mixed + "/journal", fs::copy_options::recursive);
    return mixed;
  }
};

std::size_t records_of(const std::string& path) {
  Engine engine = open_engine(path, quiet);
  const std::size_t count = read_values(engine, "t").size();
  must(engine.close());
  return count;
}

void check_refused(const std::string& path, const char* part_of_message) {
  const auto before = bytes_in(path);
  for (int attempt = 0; attempt < 2; ++attempt) {  // A refusal must not make the next open go on.
    const auto opened = Engine::open(path, quiet);
    REQUIRE_FALSE(opened.ok());
    CHECK(opened.error().code() == Errc::corrupt_metadata);
    const std::string message = opened.error().message();
    CAPTURE(message);
    CHECK(message.find(part_of_message) != std::string::npos);
    CHECK(message.find("repair --accept-loss") != std::string::npos);
    CHECK(bytes_in(path) == before);
  }
  const auto report = must(verify(path));
  REQUIRE(report.worst().has_value());
  CHECK(*report.worst() == Severity::damage);
  CHECK(bytes_in(path) == before);
}

// Without leave to lose anything it does nothing; with it, no record that the log has is cut.
void check_repair(const std::string& path, std::size_t records) {
  const auto before = bytes_in(path);
  const auto refused = must(repair(path));
  CHECK(std::any_of(refused.steps.begin(), refused.steps.end(),
                    [](const RepairStep& step) { return step.gives_up && !step.is_done; }));
  CHECK(bytes_in(path) == before);
  const auto done = must(repair(path, {.accept_loss = true}));
  CHECK(
      std::all_of(done.steps.begin(), done.steps.end(), [](const RepairStep& step) { return step.is_done; }));
  CHECK(records_of(path) == records);
  CHECK_FALSE(must(verify(path)).worst().has_value());
}

}  // namespace

TEST_CASE("a directory as it was at any moment opens, with everything, again and again") {
  const Moments moments;
  const std::pair<const char*, std::size_t> rows[] = {{"live", 20},  {"closed", 40}, {"later", 60},
                                                      {"begun", 70}, {"early", 85},  {"crashed", 100}};
  for (const auto& [name, records] : rows) {
    CAPTURE(name);
    // A backup may have left LOCK as it is, or have none.
    for (const char* other : {"live", "crashed"}) {
      const std::string restored = moments.mix(name, "LOCK", other);
      CHECK(must(verify(restored)).worst().value_or(Severity::note) == Severity::note);
      CHECK(records_of(restored) == records);
    }
    for (int round = 0; round < 3; ++round) CHECK(records_of(moments.at(name)) == records);
    CHECK_FALSE(must(verify(moments.at(name))).worst().has_value());
  }
}

TEST_CASE("a restored older catalog is refused, whatever journal and logs are beside it") {
  const Moments moments;
  check_refused(moments.mix("later", "catalog", "live"), "older");
  check_repair(moments.at("mixed"), 60);
  check_refused(moments.mix("crashed", "catalog", "live"), "older");
  check_refused(moments.mix("crashed", "catalog", "closed"), "older");
  check_repair(moments.at("mixed"), 100);
  check_refused(moments.mix("crashed", "catalog", "later"), "older");
  // Of the same run, and no frame since is missing: topics and settings since would be missing all the same.
  check_refused(moments.mix("closed", "catalog", "live"), "an earlier moment than the logs");
  check_repair(moments.at("mixed"), 40);
}

TEST_CASE("a newer catalog beside an older journal, or none, is refused where the journal was needed") {
  const Moments moments;
  check_refused(moments.mix("crashed", "journal", ""), "the journal is the older one, or was emptied");
  check_repair(moments.at("mixed"), 100);
  check_refused(moments.mix("crashed", "journal", "live"), "the journal is the older one");
  check_refused(moments.mix("crashed", "journal", "closed"), "the journal is the older one");
  check_refused(moments.mix("live", "journal", ""), "was emptied");
}

TEST_CASE(
    "behind a clean close everything is in the catalog and the logs: without the journal all is there") {
  const Moments moments;
  for (const char* from : {"", "live", "closed"}) {
    CAPTURE(from);
    const std::string mixed = moments.mix("later", "journal", from);
    CHECK(records_of(mixed) == 60);
    CHECK(records_of(mixed) == 60);
  }
}

TEST_CASE("an older log beside newer rest is reported with its offsets; nothing of it is cut or moved") {
  const Moments moments;
  for (const char* base : {"later", "crashed"}) {
    CAPTURE(base);
    const std::string mixed = moments.mix(base, "log", "closed");
    CHECK(must(verify(mixed)).worst() == Severity::damage);
    std::vector<std::string> lines;
    {
      EngineOptions options = quiet;
      options.log_sink = [&](LogLevel, std::string_view line) { lines.emplace_back(line); };
      const Engine engine = open_engine(mixed, options);
      const LogReader reader = must(engine.reader(t0));
      CHECK_FALSE(must(reader.read(0, 10)).empty());
    }
    CHECK(std::any_of(lines.begin(), lines.end(), [](const std::string& line) {
      return line.find("were on stable storage") != std::string::npos;
    }));
    for (const auto& entry : fs::recursive_directory_iterator(mixed + "/log"))
      CHECK(entry.path().extension() != ".damaged");
  }
}

TEST_CASE("an older catalog and the journal of its moment are refused beside newer logs") {
  const Moments moments;
  struct Row {
    const char* base;
    std::vector<const char*> from;
    std::size_t records;
  };
  const Row rows[] = {{"crashed", {"live", "closed", "later", "begun"}, 100},
                      {"early", {"live", "closed", "later", "begun"}, 85},
                      {"later", {"live", "closed"}, 60},
                      {"closed", {"live"}, 40}};
  for (const Row& row : rows) {
    for (const char* from : row.from) {
      CAPTURE(row.base);
      CAPTURE(from);
      check_refused(moments.mix_old_parts(row.base, from), "an earlier moment than the logs");
      check_repair(moments.at("mixed"), row.records);
    }
  }
}

TEST_CASE("a reader too is refused an older catalog beside newer logs: it would show positions of then") {
  const Moments moments;
  for (const char* base : {"early", "later"}) {
    CAPTURE(base);
    for (const std::string& mixed : {moments.mix(base, "catalog", "live"), moments.at(base)}) {
      const auto opened = Engine::open(mixed, {.mode = OpenMode::read_only});
      REQUIRE(opened.ok() == (mixed == moments.at(base)));
      if (!opened) CHECK(opened.error().code() == Errc::corrupt_metadata);
    }
  }
}

TEST_CASE("newer logs that are put beside an older rest, or its LOCK as well, are refused alike") {
  const Moments moments;
  for (const char* base : {"live", "closed", "later", "begun"}) {
    CAPTURE(base);
    check_refused(moments.mix(base, "log", "crashed"), "an earlier moment than the logs");
    fs::copy(moments.at("crashed/LOCK"), moments.at("mixed/LOCK"), fs::copy_options::overwrite_existing);
    check_refused(moments.at("mixed"), "log/MOMENT says so");
    check_repair(moments.at("mixed"), 100);
  }
}

TEST_CASE("a repair that goes on from parts of different moments and is stopped does not let others go on") {
  const Moments moments;
  for (const bool is_catalog_older : {false, true}) {
    CAPTURE(is_catalog_older);
    int stops = 0;
    for (bool is_done = false; !is_done; ++stops) {
      CAPTURE(stops);
      const std::string mixed = is_catalog_older ? moments.mix_old_parts("crashed", "live")
                                                 : moments.mix("crashed", "journal", "closed");
      fs::remove(mixed + "/LOCK");  // A power cut is reckoned with, which explains most.
      FailingVfs vfs;
      vfs.fail_after(stops);
      is_done = EngineImpl::open(mixed, quiet, vfs, base::system_clock(), true).ok() && !vfs.has_failed();
      const auto opened = Engine::open(mixed, quiet);
      if (opened) {
        CHECK(read_values(*opened, "t").size() == 100);
      } else {
        CHECK(opened.error().code() == Errc::corrupt_metadata);
      }
    }
    CHECK(stops > 20);
  }
}

// No checkpoint lies between the two moments.
TEST_CASE("a journal that lacks what the logs show committed is refused where only the process died") {
  const Moments moments;
  for (const bool with_catalog : {false, true}) {
    CAPTURE(with_catalog);
    const auto mix = [&] {
      return with_catalog ? moments.mix_old_parts("crashed", "early")
                          : moments.mix("crashed", "journal", "early");
    };
    const std::string mixed = mix();
    for (int attempt = 0; attempt < 2; ++attempt) {
      const auto opened = Engine::open(mixed, quiet);
      REQUIRE_FALSE(opened.ok());
      CHECK(opened.error().code() == Errc::corrupt_metadata);
      CHECK(opened.error().message().find("an earlier moment than the logs") != std::string::npos);
      CHECK(must(verify(mixed)).worst() == Severity::damage);
    }
    check_repair(mixed, 100);
    // Verified and repaired before anything has opened it.
    const std::string untouched = mix();
    const auto before = bytes_in(untouched);
    CHECK(must(verify(untouched)).worst() == Severity::damage);
    CHECK(bytes_in(untouched) == before);
    check_repair(untouched, 100);
  }
}

// Their decisions are covered, and no longer in the journal.
TEST_CASE("markers in a log that lost its synced end are kept, and are no sign of a later journal") {
  const TempDir dir;
  const std::string left = dir / "left";
  {
    const Engine engine = open_engine(dir / "data", quiet);
    create_topic(engine, "t");
    write_transactions(engine, 20);
    must(EngineImpl::of(engine)->checkpointer->checkpoint());
    copy_live(dir / "data", left);
  }
  fs::resize_file(left + "/log/t-0/00000000000000000000.log", 10'000);
  const Engine engine = open_engine(left, quiet);
  CHECK(must(must(engine.reader(t0)).read(0, 10)).count() == 10);
}

// Nothing proves it (docs/durability.md): the machine was down, and no checkpoint lies between.
TEST_CASE("after a power cut a journal older by less than a checkpoint is not told; the cuts are") {
  const Moments moments;
  const std::string mixed = moments.mix_old_parts("crashed", "early");
  fs::remove(mixed + "/LOCK");  // An open that does not know the boot reckons with a power cut.
  const auto tells_of_cuts = [](std::string_view text) {
    return text.find("commits a transaction whose decision did not survive") != std::string::npos;
  };
  const auto report = must(verify(mixed));
  CHECK(std::any_of(report.findings.begin(), report.findings.end(),
                    [&](const Finding& finding) { return tells_of_cuts(finding.what); }));
  bool is_logged = false;
  EngineOptions options = quiet;
  options.log_sink = [&](LogLevel, std::string_view line) { is_logged |= tells_of_cuts(line); };
  const Engine engine = open_engine(mixed, options);
  CHECK(is_logged);
}

TEST_CASE("logs that tell of no moment, as an older program leaves them, are taken as they are") {
  const Moments moments;
  for (const char* from : {"closed", "later"}) {
    CAPTURE(from);
    const std::string mixed = moments.mix_old_parts("crashed", from);
    fs::remove(mixed + "/log/MOMENT");
    CHECK(records_of(mixed) == 100);
    CHECK(fs::exists(mixed + "/log/MOMENT"));
  }
}

TEST_CASE("a catalog that an older program wrote last is believed") {
  journal::JournalContents contents;
  CHECK(directory::check_parts_fit({.engine = {.covered_lsn = 9}}, contents, "d").ok());
  contents.stored_lsn = 12;
  contents.newest_incarnation = 7;
  CHECK(directory::check_parts_fit({.engine = {.covered_lsn = 9}}, contents, "d").ok());
  const catalog::JournalTie tie{.stored_lsn = 12, .incarnation = 7, .found_incarnation = 5};
  CHECK(directory::check_parts_fit({.engine = {.covered_lsn = 9}, .tie = tie}, contents, "d").ok());
  contents.newest_incarnation = 5;
  CHECK(directory::check_parts_fit({.engine = {.covered_lsn = 9}, .tie = tie}, contents, "d").ok());
  contents.newest_incarnation = 6;
  CHECK_FALSE(directory::check_parts_fit({.engine = {.covered_lsn = 9}, .tie = tie}, contents, "d").ok());
  contents.newest_incarnation = 7;
  contents.stored_lsn = 11;
  CHECK_FALSE(directory::check_parts_fit({.engine = {.covered_lsn = 9}, .tie = tie}, contents, "d").ok());
}

TEST_CASE("logs may have seen the catalog's moment or an earlier one, after whatever stop") {
  const journal::JournalContents contents;
  for (const bool was_clean : {false, true}) {
    const auto fits = [&](std::uint64_t moment, std::uint64_t log_moment) {
      return directory::check_parts_fit(
                 {.engine = {.clean_shutdown = was_clean}, .moment = moment, .log_moment = log_moment},
                 contents, "d")
          .ok();
    };
    CHECK(fits(0, 0));
    CHECK(fits(7, 0));
    CHECK(fits(7, 6));
    CHECK(fits(7, 7));
    CHECK_FALSE(fits(7, 8));
    CHECK_FALSE(fits(0, 1));
  }
}

}  // namespace seriatim::test
