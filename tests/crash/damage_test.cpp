// Random damage to a data directory, from a seed: flipped bits, missing files, cut ones, parts overwritten.
// INV-13: where `verify` finds nothing, every reader returns everything; `repair` without accept_loss takes
// nothing that could be read; and what a dry run names is what the real run does.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <set>

#include <seriatim/repair.hpp>

#include "crash/flip_fixture.hpp"
#include "support/log_builder.hpp"

namespace seriatim {
namespace {

using namespace test;

constexpr int damages_by_default = SERIATIM_DAMAGES;

int damages_wanted() {
  const char* const wanted = std::getenv("SERIATIM_DAMAGES_WANTED");
  return wanted != nullptr ? std::atoi(wanted) : damages_by_default;
}

/// Damages one file below `path`.
/// @return what was done, in words.
/// After a kill no log is missing: behind a hole above the recovery point, recovery moves the rest aside.
std::string damage_file(const std::string& path, Left left, Random& random) {
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(path)) {
    const std::string name = fs::relative(entry.path(), path).string();
    // Repair cannot make a catalog again, and says so; three quarters of the damage go to the partition.
    if (entry.is_regular_file() && (name.starts_with("log/") || random.one_in(4))) files.push_back(name);
  }
  std::sort(files.begin(), files.end());
  const auto& name = files[static_cast<std::size_t>(random.between(0, std::ssize(files) - 1))];
  const std::string file = path + "/" + name;
  auto bytes = read_file(file);
  const bool is_log = name.ends_with(".log");
  const bool may_go = !is_log || left == Left::closed;
  if (bytes.empty() && !may_go) return {};
  if (bytes.empty() || (may_go && random.one_in(5))) {
    fs::remove(file);
    return "without " + name;
  }
  auto at = static_cast<std::size_t>(random.between(0, std::ssize(bytes) - 1));
  while (is_log && is_in_base_offset(bytes, at)) ++at;
  if (random.one_in(6)) {
    bytes.resize(at);
    write_file(file, bytes);
    return name + " cut at " + std::to_string(at);
  }
  if (random.one_in(6)) {
    std::size_t end = std::min(bytes.size(), at + static_cast<std::size_t>(random.between(1, 100)));
    while (is_log && end < bytes.size() && is_in_base_offset(bytes, end - 1)) end += 8;
    end = std::min(end, bytes.size());
    const bool is_zero = random.one_in(2);
    for (std::size_t i = at; i < end; ++i) bytes[i] = is_zero ? std::byte{0} : random.bytes(1)[0];
    write_file(file, bytes);
    return name + " overwritten from " + std::to_string(at) + " to " + std::to_string(end);
  }
  const int bit = static_cast<int>(random.between(0, 7));
  bytes[at] ^= static_cast<std::byte>(1U << bit);
  write_file(file, bytes);
  return name + " byte " + std::to_string(at) + " bit " + std::to_string(bit);
}

/// Nothing is wrong once a writer has opened the directory.
bool is_clean(const Result<VerifyReport>& report) {
  return report && std::all_of(report->findings.begin(), report->findings.end(),
                               [](const Finding& finding) { return finding.severity == Severity::note; });
}

/// Nothing is left for a writer to mend, either.
bool is_settled(const Result<VerifyReport>& report) { return report && report->findings.empty(); }

std::string first_of(const Result<VerifyReport>& report) {
  if (!report) return report.error().message();
  return report->findings.empty() ? "nothing" : report->findings[0].path + ": " + report->findings[0].what;
}

/// The records of the truth that a log reader of a read-only engine returns, each asked for by itself.
std::set<Offset> readable(const std::string& path, const FlipTruth& truth) {
  std::set<Offset> found;
  const auto engine = Engine::open(path, flip_options(OpenMode::read_only));
  const auto reader = engine ? engine->reader({"t", 0}) : Result<LogReader>(engine.error());
  for (std::size_t i = 0; reader && i < truth.rows.size(); ++i) {
    auto records = reader->read(truth.rows[i].offset, 1);
    if (records && !records->empty() && flip_row(*records->begin()) == truth.rows[i])
      found.insert(truth.rows[i].offset);
  }
  return found;
}

using Steps = std::multiset<std::string>;
Steps steps_of(const RepairReport& report) {
  Steps steps;
  for (const RepairStep& step : report.steps)
    steps.insert(step.path + ": " + step.what + (step.gives_up ? " (gives up)" : ""));
  return steps;
}

class Damages {
 public:
  Damages(const FlipDir& directory, const FlipTruth& truth, Left left)
      : directory_(directory), truth_(truth), left_(left) {}

  /// In a child. Empty, or what is wrong.
  std::string outcome(std::uint64_t seed) const {
    Random random(seed);
    const std::string path = directory_ / ("try-" + std::to_string(seed));
    fs::copy(directory_ / "made", path, fs::copy_options::recursive);
    std::string done;
    for (std::int64_t i = random.between(1, 3); i > 0; --i) done += damage_file(path, left_, random) + "; ";
    auto wrong = check_verify(path, path + ".read", random.one_in(2));
    if (wrong.empty()) wrong = check_repair(path);
    fs::remove_all(path);
    fs::remove_all(path + ".read");
    const char* const how = left_ == Left::closed ? ", closed, " : ", killed, ";
    return wrong.empty() ? wrong : "seed " + std::to_string(seed) + how + done + wrong;
  }

 private:
  std::string check_verify(const std::string& path, const std::string& copy, bool reads_only) const {
    fs::copy(path, copy, fs::copy_options::recursive);
    const auto report = verify(copy);
    const auto mode = reads_only ? OpenMode::read_only : OpenMode::read_write;
    const FlipAnswer answer = try_flipped(copy, truth_, flip_options(mode));
    if (!answer.wrong.empty()) return "reading: " + answer.wrong;
    if (reads_only ? !is_settled(report) : !is_clean(report)) return {};
    if (!answer.error.empty()) return "verify is clean, and reading: " + answer.error;
    if (answer.records < truth_.needed)
      return "verify is clean, and " + std::to_string(answer.records) + " records are shown";
    return {};
  }

  std::string check_repair(const std::string& path) const {
    const auto before = readable(path, truth_);
    const auto planned = repair(path, {.dry_run = true});
    const auto repaired = repair(path);
    if (planned.ok() != repaired.ok()) {
      const auto& failed = planned ? repaired.error() : planned.error();
      return std::string(planned ? "the real run" : "the dry run") + " alone failed: " + failed.message();
    }
    if (!repaired) return {};
    const auto named = steps_of(*planned);
    const auto made = steps_of(*repaired);
    if (named != made) return "the dry run named " + differing(named, made);
    const auto after = readable(path, truth_);
    if (!std::includes(after.begin(), after.end(), before.begin(), before.end()))
      return "after repair cannot be read:" + missing(before, after);
    const bool gave_up_none = std::none_of(repaired->steps.begin(), repaired->steps.end(),
                                           [](const RepairStep& step) { return step.gives_up; });
    if (!gave_up_none || !repaired->left.empty()) return {};
    const auto report = verify(path);
    if (!is_clean(report)) return "repair left nothing, and verify finds " + first_of(report);
    return {};
  }

  static std::string missing(const std::set<Offset>& before, const std::set<Offset>& after) {
    std::string offsets;
    for (const Offset offset : before) {
      if (!after.contains(offset)) offsets += " " + std::to_string(offset);
    }
    return offsets;
  }

  static std::string differing(const Steps& named, const Steps& made) {
    for (const auto& step : named) {
      if (!made.contains(step)) return "what was not done: " + step;
    }
    for (const auto& step : made) {
      if (!named.contains(step)) return "less than was done: " + step;
    }
    return "a step another number of times";
  }

  const FlipDir& directory_;
  const FlipTruth& truth_;
  Left left_;
};

TEST_CASE(
    "INV-13: after random damage, clean means right, repair loses nothing, and a dry run says what is done") {
  Random random("random damage");
  for (const Left left : {Left::closed, Left::killed}) {
    const FlipDir directory;
    make_flip_transactions(directory / "made", left);
    fs::copy(directory / "made", directory / "truth", fs::copy_options::recursive);
    const auto truth = tell_flip_truth(directory / "truth", flip_options(OpenMode::read_only));
    REQUIRE(truth.needed > 20);
    const Damages damages(directory, truth, left);
    const int count = damages_wanted() / 2;
    for (int i = 0; i < count; ++i) {
      const std::uint64_t seed = count == 1 ? random.seed() : random.next() % 1'000'000'000;
      ChildProcess child([&](const ChildProcess::Voice& voice) {
        voice.take_stderr();
        ::alarm(120);
        voice.say(damages.outcome(seed));
      });
      const std::string wrong = child.hear_all();
      CAPTURE(seed);
      CHECK_MESSAGE(wrong.empty(), wrong);
      CHECK(child.wait() == 0);
    }
  }
}

}  // namespace
}  // namespace seriatim
