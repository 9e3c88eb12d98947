#include "directory/recovery/parts_check.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <map>

#include <seriatim/inspect.hpp>
#include <seriatim/repair.hpp>

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
//   later   behind the second run                      crashed  in the third, behind a checkpoint
struct Moments {
  TempDir dir;
  std::string at(const std::string& name) const { return dir / name; }

  Moments() {
    const std::string path = at("data");
    {
      Engine engine = open_engine(path, quiet);
      create_topic(engine, "t", 1, {{"segment.bytes", "8192"}});
      write_transactions(engine, 20);
      must(EngineImpl::of(engine)->checkpoint());
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
    write_transactions(engine, 20);
    must(EngineImpl::of(engine)->checkpoint());
    write_transactions(engine, 20);
    keep("crashed");
  }
  void keep(const std::string& name) const { copy_live(at("data"), at(name)); }
  // `part` of one moment in the place of another's; an empty one where there is no such moment.
  std::string mix(const std::string& base, const std::string& part, const std::string& from) const {
    const std::string mixed = at("mixed");
    copy_live(at(base), mixed);
    fs::remove_all(mixed + "/" + part);
    if (from.empty()) {
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
  const std::pair<const char*, std::size_t> rows[] = {
      {"live", 20}, {"closed", 40}, {"later", 60}, {"crashed", 100}};
  for (const auto& [name, records] : rows) {
    CAPTURE(name);
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
  // Of the same run, and no frame since is missing: it is as if the last checkpoint had been that one.
  CHECK(records_of(moments.mix("closed", "catalog", "live")) == 40);
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

TEST_CASE("beside an older catalog and journal of a clean close newer logs stay whole") {
  const Moments moments;
  for (const char* from : {"closed", "later"}) {
    CAPTURE(from);
    CHECK(records_of(moments.mix_old_parts("crashed", from)) == 100);
  }
}

// Not told from a power cut (docs/durability.md): what opening will cut is told, and nothing is cut unseen.
TEST_CASE("beside an older catalog and journal of a run that went on verify tells what opening cuts") {
  const Moments moments;
  const std::string mixed = moments.mix_old_parts("crashed", "live");
  const auto report = must(verify(mixed));
  CHECK(report.worst() == Severity::damage);
  const auto tells_of_cuts = [](std::string_view text) {
    return text.find("commits a transaction whose decision did not survive") != std::string::npos;
  };
  CHECK(std::any_of(report.findings.begin(), report.findings.end(),
                    [&](const Finding& finding) { return tells_of_cuts(finding.what); }));
  bool is_logged = false;
  EngineOptions options = quiet;
  options.log_sink = [&](LogLevel, std::string_view line) { is_logged |= tells_of_cuts(line); };
  const Engine engine = open_engine(mixed, options);
  CHECK(is_logged);
}

// Their decisions are covered, and no longer in the journal.
TEST_CASE("markers in a log that lost its synced end are kept, and are no sign of a later journal") {
  const TempDir dir;
  const std::string left = dir / "left";
  {
    const Engine engine = open_engine(dir / "data", quiet);
    create_topic(engine, "t");
    write_transactions(engine, 20);
    must(EngineImpl::of(engine)->checkpoint());
    write_transactions(engine, 1);
    copy_live(dir / "data", left);
  }
  const std::string log = left + "/log/t-0/00000000000000000000.log";
  fs::resize_file(log, 10'000);
  const Engine engine = open_engine(left, quiet);
  CHECK(must(must(engine.reader(t0)).read(0, 10)).count() == 10);
  CHECK_FALSE(fs::exists(log + ".damaged"));
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

}  // namespace seriatim::test
