// Every file of a data directory with single bits flipped: right data or a clear error, never wrong bytes,
// never a crash (INV-4). A seeded sample of each kind of file by default, every bit with SERIATIM_FLIPS=all
// (hours).
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>

#include "api/format_file.hpp"
#include "crash/flip_fixture.hpp"
#include "journal/journal_reader.hpp"
#include "os/posix_vfs.hpp"
#include "support/log_builder.hpp"

namespace seriatim {
namespace {

using namespace test;

constexpr std::size_t bits_by_default = SERIATIM_FLIP_BITS;
// Of one child: a crash is told with its bit, and loses no more than the rest of these.
constexpr std::size_t bits_of_child = 100;

/// What may come of a wrong bit.
enum class Kind {
  guarded,   ///< A wrong bit that matters is an error of opening or reading, or told by verify.
  harmless,  ///< Derived, or nobody's data: everything is right all the same.
};

std::vector<std::uint64_t> choose_bits(std::uint64_t bytes, Random& random) {
  std::vector<std::uint64_t> bits;
  const char* const wanted = std::getenv("SERIATIM_FLIPS");
  const bool takes_all = wanted != nullptr && std::string_view(wanted) == "all";
  for (std::uint64_t bit = 0; bit < bytes * 8 && (takes_all || bytes * 8 <= bits_by_default); ++bit)
    bits.push_back(bit);
  while (bits.size() < std::min<std::uint64_t>(bits_by_default, bytes * 8))
    bits.push_back(static_cast<std::uint64_t>(random.between(0, static_cast<std::int64_t>(bytes * 8) - 1)));
  return bits;
}

class Flips {
 public:
  Flips(const std::string& made, const std::string& file)
      : made_(made), file_(file), bytes_(read_file(made + "/" + file)) {}

  std::uint64_t bytes() const { return bytes_.size(); }

  /// In a child. One letter, or W and a line that says what is wrong.
  std::string outcome(const std::string& path, std::uint64_t bit, OpenMode mode) const {
    fs::remove_all(path);
    fs::copy(made_, path, fs::copy_options::recursive);
    auto damaged = bytes_;
    damaged[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    write_file(path + "/" + file_, damaged);
    const auto report = verify(path);
    const bool is_told = !report || !report->findings.empty();
    const FlipAnswer answer = try_flipped(path, mode);
    if (!answer.wrong.empty()) return wrong(bit, mode, answer.wrong);
    if (answer.error.find(path) == std::string::npos && !answer.error.empty())
      return wrong(bit, mode, "an error without the path: " + answer.error);
    if (!answer.error.empty()) return "e";
    if (answer.records >= flip_records) return is_told ? "v" : "r";
    if (is_told) return "t";
    return wrong(bit, mode, "only " + std::to_string(answer.records) + " records, and nothing is said");
  }

 private:
  static std::string wrong(std::uint64_t bit, OpenMode mode, const std::string& what) {
    return "W(bit " + std::to_string(bit) + (mode == OpenMode::read_only ? " read-only" : "") + ": " + what +
           ")";
  }

  std::string made_;
  std::string file_;
  std::vector<std::byte> bytes_;
};

enum class Opened { in_turn, to_write };

/// Flips the bits one at a time, in children; prints and returns the counts of outcomes.
std::map<char, std::size_t> flip_each(const FlipDir& directory, const std::string& file,
                                      const std::vector<std::uint64_t>& bits, Opened opened) {
  const Flips flips(directory / "made", file);
  std::map<char, std::size_t> outcomes;
  for (std::size_t from = 0; from < bits.size(); from += bits_of_child) {
    const std::size_t to = std::min(bits.size(), from + bits_of_child);
    ChildProcess child([&](const ChildProcess::Voice& voice) {
      voice.take_stderr();
      ::alarm(600);
      for (std::size_t i = from; i < to; ++i) {
        const bool reads_only = opened == Opened::in_turn && i % 2 != 0;
        // A name of its own each time: what a failed engine left mapped is the file of another try.
        const std::string path = directory / ("try-" + std::to_string(i));
        voice.say(flips.outcome(path, bits[i], reads_only ? OpenMode::read_only : OpenMode::read_write) +
                  "\n");
        fs::remove_all(path);
      }
    });
    std::istringstream lines(child.hear_all());
    std::size_t answered = 0;
    CAPTURE(file);
    for (std::string line; std::getline(lines, line); ++answered) {
      ++outcomes[line[0]];
      CAPTURE(line);
      CHECK(std::string_view("rvet").find(line[0]) != std::string_view::npos);
    }
    // Of a crash, the bit that it came with.
    CAPTURE(bits[std::min(from + answered, bits.size() - 1)]);
    CHECK(child.wait() == 0);
    REQUIRE(answered == to - from);
  }
  std::cerr << file << ": " << bits.size() << " bits: right " << outcomes['r'] << ", right and told "
            << outcomes['v'] << ", error " << outcomes['e'] << ", fewer and told " << outcomes['t'] << '\n';
  return outcomes;
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
    auto bits = choose_bits(bytes, random);
    const bool is_sample = bits.size() == bits_by_default && row.file.starts_with("log/");
    if (is_sample) bits.resize(bits_by_default / 2);
    const auto outcomes = flip_each(directory, row.file, bits, Opened::in_turn);
    flipped += bits.size();
    if (row.kind == Kind::guarded) CHECK(outcomes.contains('e'));
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
  lose_logs(made);
  const std::string file = "journal/" + begun_journal(made);
  const auto format = api::read_format_file(os::posix_vfs(), made);
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
  // Only to write: who reads does not look at the journal.
  // Who only reads does not look at the journal. The last frame is the record "last": of it alone a flip
  // makes the torn end of a write, and nobody can tell.
  const auto outcomes = flip_each(directory, file, choose_bits(used, random), Opened::to_write);
  CHECK(outcomes.contains('e'));
  // What lies behind the frames cannot become one.
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

}  // namespace
}  // namespace seriatim
