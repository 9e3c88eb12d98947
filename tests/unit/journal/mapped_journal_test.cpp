// Frames that nobody wants to be synced are stored through a mapping. On real files: those in memory have
// none.
#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "support/passing_vfs.hpp"
#include "support/temp_dir.hpp"
#include "unit/journal/journal_fixture.hpp"

namespace seriatim::test {
namespace {

// Counts the calls that reach files of the journal.
class CountingVfs final : public PassingVfs {
 public:
  Result<std::unique_ptr<os::File>> open(const std::string& path, os::OpenMode mode) override {
    auto file = PassingVfs::open(path, mode);
    if (!file || !path.ends_with(".journal")) return file;
    return std::unique_ptr<os::File>(std::make_unique<Counting>(*this, *std::move(file)));
  }
  std::atomic<int> writes{0};
  std::atomic<int> syncs{0};
  std::atomic<int> maps{0};
  std::vector<std::uint64_t> written_back{};  ///< Where each range began and ended.

 private:
  class Counting final : public PassingFile {
   public:
    Counting(CountingVfs& vfs, std::unique_ptr<os::File> file) : PassingFile(std::move(file)), vfs_(vfs) {}
    Result<void> write_gather_at(std::span<const base::ByteSpan> pieces, std::uint64_t at) override {
      ++vfs_.writes;
      return PassingFile::write_gather_at(pieces, at);
    }
    Result<void> sync_data() override {
      ++vfs_.syncs;
      return PassingFile::sync_data();
    }
    void begin_write_back(std::uint64_t at, std::uint64_t length) noexcept override {
      vfs_.written_back.insert(vfs_.written_back.end(), {at, at + length});
      PassingFile::begin_write_back(at, length);
    }
    Result<os::Mapping> map(std::uint64_t length, os::Access access) override {
      ++vfs_.maps;
      return PassingFile::map(length, access);
    }

   private:
    CountingVfs& vfs_;
  };
};

struct MappedJournal {
  explicit MappedJournal(std::uint32_t file_bytes = journal::journal_file_bytes_min) {
    journal = needed_of(journal::Journal::open(options(file_bytes), {}));
  }
  journal::JournalOptions options(std::uint32_t file_bytes) {
    journal::JournalOptions options{.vfs = vfs};
    options.directory = dir / "journal";
    options.directory_id = test_id(1);
    options.incarnation = 7;
    options.file_bytes = file_bytes;
    options.on_file_taken = [this] { ++files_taken; };
    options.mapped_writes = true;
    return options;
  }
  template <class T>
  static T needed_of(Result<T> result) {
    if (!result) FAIL(result.error().message());
    return *std::move(result);
  }
  std::uint64_t stage(const std::string& text) { return needed_of(journal->stage(frame_of(text))); }
  std::uint64_t write(const std::string& text) {
    const std::uint64_t lsn = stage(text);
    REQUIRE(journal->write_through(lsn));
    return lsn;
  }
  /// The frames that another process finds, or the next run after a kill.
  std::map<std::uint64_t, std::string> read() {
    Collector collector;
    auto found = journal::read_journal(
        {.directory = dir / "journal", .directory_id = test_id(1), .is_writer = false, .vfs = vfs},
        collector);
    if (!found) FAIL(found.error().message());
    return collector.frames;
  }
  TempDir dir;
  CountingVfs vfs;
  int files_taken = 0;
  std::unique_ptr<journal::Journal> journal;
};

}  // namespace

TEST_CASE(
    "the first frame after a sync is written by a call, those behind it are stored, and all are there") {
  MappedJournal f;
  std::map<std::uint64_t, std::string> expected;
  for (int round = 1; round <= 3; ++round) {
    for (int i = 0; i < 20; ++i) {
      const std::string text = std::string(static_cast<std::size_t>(i), 'x') + std::to_string(round);
      expected[f.write(text)] = text;
      CHECK(f.journal->stats().written_lsn == expected.rbegin()->first);
    }
    CHECK(f.read() == expected);
    CHECK(f.vfs.writes == round);
    CHECK(f.vfs.syncs == round - 1);
    REQUIRE(f.journal->wait_durable(expected.rbegin()->first));
  }
  CHECK(f.vfs.maps == 1);
}

TEST_CASE("a sync brings what was stored to stable storage, also that of a file that is full") {
  MappedJournal f;
  std::map<std::uint64_t, std::string> expected;
  for (int i = 0; i < 300; ++i) {
    const std::string text = std::string(1'000, static_cast<char>('a' + i % 26));
    expected[f.write(text)] = text;
  }
  // Several files, each synced before the next was begun.
  CHECK(f.vfs.maps > 3);
  CHECK(f.vfs.syncs == f.vfs.maps - 1);
  // Each time it was told that a file is gone, which somebody may make ready before the next is needed.
  CHECK(f.files_taken == f.vfs.maps);
  CHECK(f.read() == expected);
  REQUIRE(f.journal->wait_durable(expected.rbegin()->first));
  CHECK(f.vfs.syncs == f.vfs.maps);
}

TEST_CASE(
    "the kernel is asked to write what was stored, a MiB at a time and each once, before the file is full") {
  constexpr std::uint64_t mib = 1 << 20;
  MappedJournal f(4 * mib);
  for (int i = 0; i < 70; ++i) f.write(std::string(50'000, 'x'));
  CHECK(f.vfs.written_back == std::vector<std::uint64_t>{0, mib, mib, 2 * mib, 2 * mib, 3 * mib});
  for (int i = 0; i < 40; ++i) f.write(std::string(50'000, 'x'));
  REQUIRE(f.vfs.written_back.size() == 8);
  CHECK(f.vfs.written_back[6] == 0);  // the next file
  CHECK(f.vfs.written_back[7] == mib);
}

TEST_CASE("a frame staged to be written at once needs no further call") {
  MappedJournal f;
  f.write("by a call");
  f.write("maps the file");
  const auto stored = f.journal->stage_through(frame_of("stored"));
  REQUIRE(stored);
  CHECK(f.journal->stats().written_lsn == *stored);
  // With somebody's wish for a sync before it, it waits for that.
  REQUIRE(f.journal->wait_durable(*stored));
  const auto written = f.journal->stage_through(frame_of("first after a sync"));
  REQUIRE(written);
  CHECK(f.journal->stats().written_lsn == *stored);
  REQUIRE(f.journal->write_through(*written));
  CHECK(f.read().size() == 4);
}

TEST_CASE("threads that want frames written, and others that want them durable, each get what they want") {
  MappedJournal f;
  std::vector<std::thread> threads;
  std::atomic<int> failures{0};
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 200; ++i) {
        const auto lsn = thread % 2 == 0 ? f.journal->stage_through(frame_of("frame"))
                                         : f.journal->stage(frame_of("frame"));
        if (!lsn) {
          ++failures;
          continue;
        }
        const bool is_durable = thread == 1 && i % 20 == 0;
        const auto done = is_durable ? f.journal->wait_durable(*lsn) : f.journal->write_through(*lsn);
        const auto stats = f.journal->stats();
        if (!done || stats.written_lsn < *lsn || (is_durable && stats.durable_lsn < *lsn)) ++failures;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(failures == 0);
  CHECK(f.read().size() == 800);
}

}  // namespace seriatim::test
