// Every file of a data directory with single bits flipped: right data or a clear error, never wrong bytes,
// never a crash (INV-4). A seeded sample of each kind of file by default, every bit with SERIATIM_FLIPS=all
// (hours).
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>

#include "crash/flip_fixture.hpp"
#include "directory/files/format_file.hpp"
#include "journal/journal_reader.hpp"
#include "os/file/posix_vfs.hpp"
#include "support/log_builder.hpp"

namespace seriatim {
namespace {

using namespace test;

constexpr std::size_t bits_by_default = SERIATIM_FLIP_BITS;
// Of one child: a crash is told with its bit, and loses no more than the rest of these.
constexpr std::size_t bits_of_child = 100;

/// The effects that a wrong bit may have.
enum class Kind {
  guarded,   ///< A wrong bit that matters is an error of opening or reading, or told by verify.
  harmless,  ///< Derived, or nobody's data: everything is right all the same.
};

bool takes_all() {
  const char* const wanted = std::getenv("SERIATIM_FLIPS");
  return wanted != nullptr && std::string_view(wanted) == "all";
}

std::vector<std::uint64_t> choose_bits(std::uint64_t bytes, Random& random) {
  std::vector<std::uint64_t> bits;
  for (std::uint64_t bit = 0; bit < bytes * 8 && (takes_all() || bytes * 8 <= bits_by_default); ++bit)
    bits.push_back(bit);
  while (bits.size() < std::min<std::uint64_t>(bits_by_default, bytes * 8))
    bits.push_back(static_cast<std::uint64_t>(random.between(0, static_cast<std::int64_t>(bytes * 8) - 1)));
  return bits;
}

/// Half of them in bytes that are not zero. Most pages of a small catalog are free: a sample of a hundred
/// bits of the whole file missed everything that counts in one run of three.
std::vector<std::uint64_t> choose_bits_of_pages(const std::vector<std::byte>& file, Random& random) {
  auto bits = choose_bits(file.size(), random);
  if (takes_all()) return bits;
  std::vector<std::uint64_t> used;
  for (std::size_t at = 0; at < file.size(); ++at) {
    if (file[at] != std::byte{0}) used.push_back(at);
  }
  for (std::size_t i = 0; i < bits.size(); ++i) {
    const bool stays_anywhere = i % 4 >= 2;  // pairs: readers and writers take turns
    if (stays_anywhere) continue;
    bits[i] = used[static_cast<std::size_t>(random.between(0, std::ssize(used) - 1))] * 8 + bits[i] % 8;
  }
  return bits;
}

/// A directory that was made, and what came of copies of it that something was done to.
class Attempts {
 public:
  Attempts(const FlipDir& directory, FlipTruth truth) : made_(directory / "made"), truth_(std::move(truth)) {}

  const FlipTruth& truth() const { return truth_; }
  std::string path_of(const std::string& file) const { return made_ + "/" + file; }

  /// In a child. One letter, or W and a line that says what is wrong.
  /// @param damage  what is done to the copy at `path`.
  /// @param what  tells of it.
  template <class Damage>
  std::string outcome(const std::string& path, OpenMode mode, const Damage& damage,
                      const std::string& what) const {
    fs::remove_all(path);
    fs::copy(made_, path, fs::copy_options::recursive);
    damage(path);
    const auto report = verify(path);
    const bool is_told = !report || !report->findings.empty();
    const FlipAnswer answer = try_flipped(path, truth_, flip_options(mode));
    const auto wrong = [&](const std::string& how) {
      return "W(" + what + (mode == OpenMode::read_only ? " read-only" : "") + ": " + how + ")";
    };
    if (!answer.wrong.empty()) return wrong(answer.wrong);
    if (answer.error.find(path) == std::string::npos && !answer.error.empty())
      return wrong("an error without the path: " + answer.error);
    if (!answer.error.empty()) return "e";
    if (answer.records >= truth_.needed) return is_told ? "v" : "r";
    if (is_told) return "t";
    return wrong("only " + std::to_string(answer.records) + " records, and nothing is said");
  }

 private:
  std::string made_;
  FlipTruth truth_;
};

/// Of a copy: who reads leaves traces.
FlipTruth truth_of_made(const FlipDir& directory) {
  fs::copy(directory / "made", directory / "truth", fs::copy_options::recursive);
  return tell_flip_truth(directory / "truth", flip_options(OpenMode::read_only));
}

enum class Opened { in_turn, to_write };

constexpr const char* anything_but_wrong = "rvet";

/// Counts outcomes; each has to be one of `allowed`.
class Outcomes {
 public:
  explicit Outcomes(std::string allowed) : allowed_(std::move(allowed)) {}
  void note(const std::string& line) {
    ++counts_[line[0]];
    CAPTURE(line);
    CHECK(allowed_.find(line[0]) != std::string::npos);
  }
  std::size_t of(char letter) const {
    const auto found = counts_.find(letter);
    return found == counts_.end() ? 0 : found->second;
  }
  void print(const std::string& of_what) const {
    std::cerr << of_what << ": right " << of('r') << ", right and told " << of('v') << ", error " << of('e')
              << ", fewer and told " << of('t') << '\n';
  }

 private:
  std::string allowed_;
  std::map<char, std::size_t> counts_{};
};

struct ToFlip {
  std::string file{};
  std::vector<std::uint64_t> bits{};
  Opened opened = Opened::in_turn;
  std::string allowed = anything_but_wrong;
};

/// Flips the bits one at a time, in children; prints and returns the counts of outcomes.
Outcomes flip_each(const FlipDir& directory, const Attempts& attempts, const ToFlip& to_flip) {
  const std::string& file = to_flip.file;
  const auto& bits = to_flip.bits;
  const auto bytes = read_file(attempts.path_of(file));
  Outcomes outcomes(to_flip.allowed);
  for (std::size_t from = 0; from < bits.size(); from += bits_of_child) {
    const std::size_t to = std::min(bits.size(), from + bits_of_child);
    ChildProcess child([&](const ChildProcess::Voice& voice) {
      voice.take_stderr();
      ::alarm(600);
      for (std::size_t i = from; i < to; ++i) {
        const bool reads_only = to_flip.opened == Opened::in_turn && i % 2 != 0;
        // A name of its own each time: what a failed engine left mapped is the file of another try.
        const std::string path = directory / ("try-" + std::to_string(i));
        const auto flip = [&](const std::string& copy) {
          auto damaged = bytes;
          damaged[bits[i] / 8] ^= static_cast<std::byte>(1U << (bits[i] % 8));
          write_file(copy + "/" + file, damaged);
        };
        const auto mode = reads_only ? OpenMode::read_only : OpenMode::read_write;
        voice.say(attempts.outcome(path, mode, flip, "bit " + std::to_string(bits[i])) + "\n");
        fs::remove_all(path);
      }
    });
    std::istringstream lines(child.hear_all());
    std::size_t answered = 0;
    CAPTURE(file);
    for (std::string line; std::getline(lines, line); ++answered) outcomes.note(line);
    // Of a crash, the bit that it came with.
    CAPTURE(bits[std::min(from + answered, bits.size() - 1)]);
    CHECK(child.wait() == 0);
    REQUIRE(answered == to - from);
  }
  outcomes.print(file + ": " + std::to_string(bits.size()) + " bits");
  return outcomes;
}

std::vector<std::string> files_below(const std::string& directory) {
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    if (entry.is_regular_file()) files.push_back(fs::relative(entry.path(), directory).string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

/// Of what tells of transactions nothing is lost that the log does not tell as well.
const char* allowed_of(const std::string& file) {
  const bool is_derived =
      file.ends_with(".txnindex") || file.ends_with(".snapshot") || file.ends_with(".producers");
  return is_derived ? "rv" : anything_but_wrong;
}

struct Row {
  std::string file{};
  Kind kind = Kind::guarded;
};

TEST_CASE(
    "INV-4: with any bit of any file flipped there is right data or a clear error, never wrong bytes or a "
    "crash") {
  Random random("flipped bits");
  const FlipDir directory;
  make_flip_data(directory / "made", Left::closed);
  const Attempts attempts(directory, truth_of_made(directory));
  REQUIRE(attempts.truth().needed == flip_records);
  std::vector<Row> rows{{"FORMAT"},
                        {"catalog/data.mdb"},
                        {"LOCK", Kind::harmless},
                        {"counters", Kind::harmless},
                        {"catalog/lock.mdb", Kind::harmless}};
  for (const auto& entry : fs::recursive_directory_iterator(directory / "made")) {
    const std::string name = fs::relative(entry.path(), directory / "made").string();
    const bool is_log = name.ends_with(".log");
    if (entry.is_regular_file() && name.starts_with("log/") && fs::file_size(entry.path()) > 0)
      rows.push_back({name, is_log ? Kind::guarded : Kind::harmless});
  }
  CHECK(rows.size() > 10);
  std::size_t flipped = 0;
  for (const Row& row : rows) {
    CAPTURE(row.file);
    // Several segments have the same kinds: they share the sample of one.
    const std::uint64_t bytes = fs::file_size(directory / ("made/" + row.file));
    auto bits = row.file == "catalog/data.mdb"
                    ? choose_bits_of_pages(read_file(attempts.path_of(row.file)), random)
                    : choose_bits(bytes, random);
    const bool is_sample = bits.size() == bits_by_default && row.file.starts_with("log/");
    if (is_sample) bits.resize(bits_by_default / 2);
    const auto outcomes = flip_each(directory, attempts, {.file = row.file, .bits = bits});
    flipped += bits.size();
    if (row.kind == Kind::guarded) CHECK(outcomes.of('e') > 0);
  }
  std::cerr << "flipped bits: " << flipped << '\n';
}

// The logs lose what was not synced, so that only the journal has the records.
void lose_logs(const std::string& path) {
  for (const auto& entry : fs::directory_iterator(path + "/log/t-0")) {
    const std::uint64_t bytes = fs::file_size(entry.path());
    fs::resize_file(entry.path(), 0);
    fs::resize_file(entry.path(), bytes);
  }
}

class NoVisitor final : public journal::JournalVisitor {
 public:
  Result<void> batch(const journal::FramePlace&, const format::JournalBatch&) override { return {}; }
  Result<void> synced_range(const journal::FramePlace&, const format::JournalSyncedRange&) override {
    return {};
  }
  Result<void> committed_offsets(const journal::FramePlace&,
                                 const format::JournalCommittedOffsets&) override {
    return {};
  }
  Result<void> decision(const journal::FramePlace&, const format::JournalDecision&) override { return {}; }
  Result<void> forgotten_group(const journal::FramePlace&, const format::JournalForgottenGroup&) override {
    return {};
  }
};

std::string begun_journal(const std::string& made) {
  std::string begun;
  for (const auto& entry : fs::directory_iterator(made + "/journal")) {
    const auto bytes = read_file(entry.path().string());
    const bool is_begun = base::as_text(base::ByteSpan(bytes).first(8)) == "SERJOURN";
    if (is_begun) begun = entry.path().filename().string();
  }
  return begun;
}

TEST_CASE(
    "INV-4: with any bit of the journal flipped, what it alone holds is brought home or the damage is told") {
  Random random("flipped bits of the journal");
  const FlipDir directory;
  const std::string made = directory / "made";
  make_flip_data(made, Left::killed);
  auto truth = truth_of_made(directory);
  REQUIRE(truth.rows.size() == flip_records + 1);
  // The last frame is the record "last": of it alone a flip makes the torn end of a write, and nobody can
  // tell.
  truth.needed = flip_records;
  const Attempts attempts(directory, std::move(truth));
  lose_logs(made);
  const std::string file = "journal/" + begun_journal(made);
  const auto format = directory::read_format_file(os::posix_vfs(), made);
  REQUIRE(format);
  const auto read = [&] {
    NoVisitor nobody;
    return journal::read_journal({.directory = made + "/journal",
                                  .directory_id = format->directory_id,
                                  .is_writer = false,
                                  .vfs = os::posix_vfs()},
                                 nobody);
  };
  const auto contents = read();
  REQUIRE(contents);
  REQUIRE(contents->files.size() == 1);
  const std::uint64_t used = contents->files[0].used_bytes;
  // A read-only engine does not look at the journal.
  const auto outcomes = flip_each(
      directory, attempts, {.file = file, .bits = choose_bits(used, random), .opened = Opened::to_write});
  CHECK(outcomes.of('e') > 0);
  // Bytes behind the frames cannot become one.
  auto bytes = read_file(made + "/" + file);
  std::size_t unused = 0;
  for (const std::uint64_t bit : choose_bits(bytes.size() - used, random)) {
    bytes[used + bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    write_file(made + "/" + file, bytes);
    const auto again = read();
    bytes[used + bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    REQUIRE(again);
    REQUIRE(again->next_lsn == contents->next_lsn);
    REQUIRE(again->frames_visited == contents->frames_visited);
    ++unused;
  }
  std::cerr << file << ": " << unused << " bits behind the frames make no difference\n";
}

/// Checks of any copy: there are transactions over segments, and none that was aborted is shown.
Attempts attempts_on_transactions(const FlipDir& directory, Left left) {
  make_flip_transactions(directory / "made", left);
  Attempts attempts(directory, truth_of_made(directory));
  const auto& rows = attempts.truth().rows;
  REQUIRE(rows.size() > 20);
  for (const FlipRow& row : rows) CHECK_FALSE(row.key.starts_with("aborted"));
  std::size_t segments = 0;
  for (const auto& file : files_below(directory / "made")) segments += file.ends_with(".log") ? 1 : 0;
  CHECK(segments > 4);
  return attempts;
}

TEST_CASE(
    "INV-8: with any bit of a partition flipped, what was aborted is not shown and what was committed is") {
  Random random("flipped bits of transactions");
  for (const Left left : {Left::closed, Left::killed}) {
    const FlipDir directory;
    const Attempts attempts = attempts_on_transactions(directory, left);
    for (const auto& file : files_below(directory / "made")) {
      const std::uint64_t bytes = fs::file_size(attempts.path_of(file));
      if (!file.starts_with("log/") || bytes == 0) continue;
      auto bits = choose_bits(bytes, random);
      if (file.ends_with(".log")) {
        const auto log = read_file(attempts.path_of(file));
        std::erase_if(bits, [&](std::uint64_t bit) { return is_in_base_offset(log, bit / 8); });
      }
      // Of many files a part of each will do.
      const std::size_t wanted = bits_by_default / (file.ends_with(".txnindex") ? 16 : 24);
      if (bits.size() > wanted && !takes_all()) {
        for (std::size_t k = 0; k < wanted; ++k)
          std::swap(bits[k], bits[static_cast<std::size_t>(
                                 random.between(static_cast<std::int64_t>(k), std::ssize(bits) - 1))]);
        bits.resize(wanted);
      }
      flip_each(directory, attempts, {.file = file, .bits = bits, .allowed = allowed_of(file)});
    }
  }
}

TEST_CASE("INV-8: without any one file, what was aborted is not shown, and what is missing is told") {
  for (const Left left : {Left::closed, Left::killed}) {
    const FlipDir directory;
    const Attempts attempts = attempts_on_transactions(directory, left);
    for (const auto& file : files_below(directory / "made")) {
      Outcomes outcomes(allowed_of(file));
      for (const auto mode : {OpenMode::read_only, OpenMode::read_write}) {
        ChildProcess child([&](const ChildProcess::Voice& voice) {
          voice.take_stderr();
          ::alarm(600);
          const auto remove = [&](const std::string& copy) { fs::remove(copy + "/" + file); };
          voice.say(attempts.outcome(directory / "try", mode, remove, "without " + file));
        });
        outcomes.note(child.hear_all() + " ");
        CAPTURE(file);
        CHECK(child.wait() == 0);
      }
      outcomes.print("without " + file);
    }
  }
}

}  // namespace
}  // namespace seriatim
