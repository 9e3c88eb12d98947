#include "segment/segment_store.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <map>
#include <set>

#include "support/failing_vfs.hpp"
#include "support/power_vfs.hpp"
#include "unit/segment/segment_fixture.hpp"

using namespace seriatim;
using format::FileKind;
using format::FileState;
using test::LogBuilder;

namespace {

using Names = std::set<std::string>;

struct StoreFixture : test::SegmentFixture {
  void touch(const std::string& name, const std::string& content = "") {
    test::write_file(directory + "/" + name, base::as_bytes(content));
  }
  /// A segment's log and two indexes; the indexes hold a word that tells who wrote them.
  void put(Offset base, const LogBuilder& log, FileState state, const std::string& who) {
    test::write_file(directory + "/" + format::file_name(base, FileKind::log, state), log.bytes());
    touch(format::file_name(base, FileKind::offset_index, state), who);
    touch(format::file_name(base, FileKind::time_index, state), who);
  }
  Names names() const {
    Names result;
    for (const auto& entry : std::filesystem::directory_iterator(directory))
      result.insert(entry.path().filename());
    return result;
  }
  std::string content(Offset base, FileKind kind) const {
    return std::string(base::as_text(test::read_file(path(base, kind))));
  }
  void finish() { test::must(segment::finish_interrupted_work(context, directory)); }
};

// A compaction of segments 0 and 50 (100 offsets) into one output at 0 that ends at offset 99.
const auto first_source = LogBuilder(0).batches(5, {.records = 10});
const auto second_source = LogBuilder(50).batches(5, {.records = 10});
const auto untouched = LogBuilder(100).batches(2, {.records = 10});
const auto output = LogBuilder(0).gap(20).batch({.records = 10}).gap(60).batch({.records = 10});

Names segment_names(Offset base, FileState state = FileState::live) {
  return {format::file_name(base, FileKind::log, state),
          format::file_name(base, FileKind::offset_index, state),
          format::file_name(base, FileKind::time_index, state)};
}

Names join(Names a, const Names& b) {
  a.insert(b.begin(), b.end());
  return a;
}

// Sources and the segment behind them, which no compaction may touch.
void put_sources(StoreFixture& f) {
  f.put(0, first_source, FileState::live, "old");
  f.put(50, second_source, FileState::live, "old");
  f.put(100, untouched, FileState::live, "active");
  f.touch("00000000000000000100.snapshot", "snapshot");
}

void check_old(const StoreFixture& f) {
  CHECK(f.names() == join(join(segment_names(0), segment_names(50)),
                          join(segment_names(100), {"00000000000000000100.snapshot"})));
  CHECK(test::read_file(f.log_path(0)) == first_source.bytes());
  CHECK(f.content(0, FileKind::offset_index) == "old");
}

void check_new(const StoreFixture& f, const std::string& index_content = "new") {
  CHECK(test::read_file(f.log_path(0)) == output.bytes());
  CHECK_FALSE(std::filesystem::exists(f.log_path(50)));
  CHECK_FALSE(std::filesystem::exists(f.index_path(50)));
  CHECK(test::read_file(f.log_path(100)) == untouched.bytes());
  if (!index_content.empty()) CHECK(f.content(0, FileKind::offset_index) == index_content);
  for (const auto& name : f.names()) CHECK(format::parse_file_name(name)->state == FileState::live);
}

}  // namespace

TEST_CASE("a directory is listed by base offset, with what belongs together") {
  StoreFixture f;
  f.put(200, LogBuilder(200).batch(), FileState::live, "");
  f.put(5, LogBuilder(5).batches(2), FileState::live, "");
  std::filesystem::remove(f.time_index_path(5));
  f.touch("00000000000000000200.txnindex");
  f.touch("00000000000000000200.snapshot");
  f.touch("00000000000000000007.snapshot");
  f.touch("00000000000000000009.index");
  f.touch("00000000000000000009.txnindex");
  f.touch("partition.metadata");
  f.touch("5.log");
  f.touch("00000000000000000005.log.swap");
  f.touch("00000000000000000005.index.tmp");
  std::filesystem::create_directory(f.directory + "/sub");
  const auto listing = test::must(segment::list_segments(os::posix_vfs(), f.directory));
  REQUIRE(listing.segments.size() == 2);
  CHECK(listing.segments[0].base_offset == 5);
  CHECK(listing.segments[0].has_offset_index);
  CHECK_FALSE(listing.segments[0].has_time_index);
  CHECK(listing.segments[0].log_bytes == LogBuilder(5).batches(2).size_bytes());
  CHECK(listing.segments[1].base_offset == 200);
  CHECK(listing.segments[1].has_time_index);
  CHECK(listing.snapshots == std::vector<Offset>{7, 200});
  CHECK(Names(listing.orphans.begin(), listing.orphans.end()) ==
        Names{"00000000000000000009.index", "00000000000000000009.txnindex"});
  CHECK(Names(listing.unknown.begin(), listing.unknown.end()) == Names{"partition.metadata", "5.log", "sub"});
  CHECK(Names(listing.interrupted.begin(), listing.interrupted.end()) ==
        Names{"00000000000000000005.log.swap", "00000000000000000005.index.tmp"});
}

TEST_CASE("something else in place of a log file is refused by name") {
  StoreFixture f;
  std::filesystem::create_symlink("/etc/passwd", f.log_path());
  for (const auto& result : {segment::list_segments(os::posix_vfs(), f.directory)}) {
    REQUIRE_FALSE(result);
    CHECK(result.error().code() == Errc::io_error);
    CHECK(result.error().message().find(f.log_path()) != std::string::npos);
  }
  CHECK(segment::finish_interrupted_work(f.context, f.directory).error().code() == Errc::io_error);
}

TEST_CASE("crash point 1: before any output was complete, the old files win") {
  StoreFixture f;
  put_sources(f);
  f.put(0, output, FileState::cleaned, "new");
  f.finish();
  check_old(f);
}

TEST_CASE("crash point 2: some outputs complete and some not is not done") {
  StoreFixture f;
  put_sources(f);
  // Two outputs; the higher one was renamed first.
  f.put(0, LogBuilder(0).batches(2, {.records = 10}), FileState::cleaned, "new");
  f.put(50, LogBuilder(50).batches(2, {.records = 10}), FileState::swap, "new");
  f.finish();
  check_old(f);
  // Also if only one file of the set is still unfinished.
  f.put(0, output, FileState::swap, "new");
  std::filesystem::rename(f.directory + "/" + format::file_name(0, FileKind::time_index, FileState::swap),
                          f.directory + "/" + format::file_name(0, FileKind::time_index, FileState::cleaned));
  f.finish();
  check_old(f);
}

TEST_CASE("crash point 3: all outputs complete, originals there: the swap is finished") {
  StoreFixture f;
  put_sources(f);
  f.put(0, output, FileState::swap, "new");
  f.finish();
  check_new(f);
}

TEST_CASE("crash point 4: originals partly renamed away: the swap is finished") {
  StoreFixture f;
  put_sources(f);
  f.put(0, output, FileState::swap, "new");
  std::filesystem::rename(f.log_path(0), f.log_path(0) + ".deleted");
  std::filesystem::rename(f.index_path(50), f.index_path(50) + ".deleted");
  f.finish();
  check_new(f);
}

TEST_CASE("crash point 5: originals gone: the swap is finished") {
  StoreFixture f;
  f.put(100, untouched, FileState::live, "active");
  f.put(0, output, FileState::swap, "new");
  f.finish();
  check_new(f);
}

TEST_CASE("crash point 6: outputs partly renamed: the rest follows, and no index of the old log stays") {
  StoreFixture f;
  f.put(100, untouched, FileState::live, "active");
  f.put(0, output, FileState::swap, "new");
  std::filesystem::rename(f.directory + "/" + format::file_name(0, FileKind::log, FileState::swap),
                          f.log_path(0));
  f.finish();
  check_new(f);

  // The other way round the index that came first is taken for an original, and goes; it is rebuilt from its
  // log.
  StoreFixture g;
  g.put(100, untouched, FileState::live, "active");
  g.put(0, output, FileState::swap, "new");
  std::filesystem::rename(g.directory + "/" + format::file_name(0, FileKind::offset_index, FileState::swap),
                          g.index_path(0));
  g.finish();
  check_new(g, "");
  CHECK_FALSE(std::filesystem::exists(g.index_path(0)));
}

TEST_CASE("a power cut while a swap is finished for a killed writer leaves the sources or the output") {
  test::Random random("power cut in a swap");
  for (int history = 0; history < 40; ++history) {
    StoreFixture f;
    put_sources(f);
    f.put(0, output, FileState::cleaned, "new");
    const test::TempDir images;
    test::PowerVfs vfs(f.directory);
    for (const FileKind kind : {FileKind::offset_index, FileKind::time_index, FileKind::log}) {
      test::must(vfs.rename(f.directory + "/" + format::file_name(0, kind, FileState::cleaned),
                            f.directory + "/" + format::file_name(0, kind, FileState::swap)));
    }
    int moments = 0;
    vfs.before_change = [&](std::string_view what, const std::string&, test::PowerDisk& disk) {
      CAPTURE(what);
      const auto image = images.path() + "/" + std::to_string(++moments);
      disk.power_cut(image, random);
      os::FdCache files(os::posix_vfs(), 8);
      test::must(segment::finish_interrupted_work({os::posix_vfs(), files}, image));
      const auto log_of = [&](Offset base) { return image + "/" + format::file_name(base, FileKind::log); };
      REQUIRE(std::filesystem::exists(log_of(0)));
      const bool is_old = std::filesystem::exists(log_of(50));
      CHECK(test::read_file(log_of(0)) == (is_old ? first_source : output).bytes());
    };
    os::FdCache files(vfs, 8);
    test::must(segment::finish_interrupted_work({vfs, files}, f.directory));
    CHECK(moments > 5);
  }
}

TEST_CASE("two outputs of one compaction take the place of all their sources, between them too") {
  StoreFixture f;
  put_sources(f);
  f.put(0, LogBuilder(0).batch({.records = 10}), FileState::swap, "new");
  f.put(70, LogBuilder(70).batches(3, {.records = 10}), FileState::swap, "new");
  f.finish();
  CHECK(f.names() == join(join(segment_names(0), segment_names(70)),
                          join(segment_names(100), {"00000000000000000100.snapshot"})));
  CHECK(f.content(0, FileKind::time_index) == "new");
}

namespace {

using Directory = std::map<std::string, std::vector<std::byte>>;

Directory read_directory(const StoreFixture& f) {
  Directory result;
  for (const auto& name : f.names()) result[name] = test::read_file(f.directory + "/" + name);
  return result;
}

void put_state(StoreFixture& f, int state) {
  put_sources(f);
  if (state == 0) {
    f.put(0, LogBuilder(0).batches(2, {.records = 10}), FileState::cleaned, "new");
    f.put(50, LogBuilder(50).batches(2, {.records = 10}), FileState::swap, "new");
  } else {
    f.put(0, LogBuilder(0).batch({.records = 10}), FileState::swap, "new");
    f.put(70, LogBuilder(70).batches(3, {.records = 10}), FileState::swap, "new");
  }
  f.touch("00000000000000000200.log.deleted");
  f.touch("00000000000000000100.index.tmp");
}

}  // namespace

TEST_CASE("finishing interrupted work may itself be interrupted anywhere, and ends the same") {
  for (const int state : {0, 1}) {
    StoreFixture straight;
    put_state(straight, state);
    straight.finish();
    const auto expected = read_directory(straight);
    int changes = 0;
    for (bool crashed = true; crashed; ++changes) {
      StoreFixture f;
      put_state(f, state);
      test::FailingVfs vfs;
      vfs.fail_after(changes);
      os::FdCache files(vfs, 8);
      const auto first = segment::finish_interrupted_work({vfs, files}, f.directory);
      crashed = vfs.has_failed();
      CHECK(first.ok() == !crashed);
      f.finish();
      // A log renamed before its index costs nothing; an index is never the wrong log's.
      CHECK(read_directory(f) == expected);
      f.finish();
      CHECK(read_directory(f) == expected);
    }
    CHECK(changes > 8);
  }
}

TEST_CASE("a damaged output replaces nothing") {
  StoreFixture f;
  put_sources(f);
  f.put(0, output, FileState::swap, "new");
  auto bytes = output.bytes();
  bytes.back() ^= std::byte{1};
  const auto swap = f.directory + "/" + format::file_name(0, FileKind::log, FileState::swap);
  test::write_file(swap, bytes);
  const auto before = read_directory(f);
  const auto finished = segment::finish_interrupted_work(f.context, f.directory);
  REQUIRE_FALSE(finished);
  CHECK(finished.error().code() == Errc::corrupt_record);
  CHECK(finished.error().message().find(swap) != std::string::npos);
  CHECK(read_directory(f) == before);
}

TEST_CASE("deleting a segment takes all its files and nothing else, also after half was done") {
  StoreFixture f;
  put_sources(f);
  f.touch("00000000000000000050.txnindex");
  std::filesystem::rename(f.log_path(50), f.log_path(50) + ".deleted");
  for (int i = 0; i < 2; ++i) {
    test::must(segment::delete_segment_files(f.context, f.directory, 50));
    CHECK(f.names() == join(join(segment_names(0), segment_names(100)), {"00000000000000000100.snapshot"}));
  }
}

TEST_CASE("a delete that dies half way leaves no log without indexes, and is finished by the next open") {
  for (int changes = 0; changes < 6; ++changes) {
    StoreFixture f;
    f.put(50, second_source, FileState::live, "old");
    test::FailingVfs vfs;
    vfs.fail_after(changes);
    os::FdCache files(vfs, 8);
    CHECK_FALSE(segment::delete_segment_files({vfs, files}, f.directory, 50));
    CHECK((changes == 0) == std::filesystem::exists(f.log_path(50)));
    f.finish();
    const auto listing = test::must(segment::list_segments(os::posix_vfs(), f.directory));
    CHECK(listing.segments.size() == (changes == 0 ? 1 : 0));
    CHECK(listing.interrupted.empty());
  }
}

TEST_CASE("a power cut in a deletion brings no log back without its indexes") {
  test::Random random("power cut in a deletion");
  for (int history = 0; history < 20; ++history) {
    StoreFixture f;
    f.put(50, second_source, FileState::live, "old");
    f.touch("00000000000000000050.txnindex", "aborted");
    const test::TempDir images;
    test::PowerVfs vfs(f.directory);
    int moments = 0;
    vfs.before_change = [&](std::string_view what, const std::string&, test::PowerDisk& disk) {
      CAPTURE(what);
      const auto image = images.path() + "/" + std::to_string(++moments);
      disk.power_cut(image, random);
      const auto exists = [&](FileKind kind) {
        return std::filesystem::exists(image + "/" + format::file_name(50, kind));
      };
      if (!exists(FileKind::log)) return;
      CHECK(exists(FileKind::offset_index));
      CHECK(exists(FileKind::time_index));
      CHECK(exists(FileKind::transaction_index));
    };
    os::FdCache files(vfs, 8);
    test::must(segment::delete_segment_files({vfs, files}, f.directory, 50));
    CHECK(moments > 5);
  }
}

TEST_CASE("what is moved aside is kept under a name of its own, every time") {
  StoreFixture f;
  for (const char* content : {"first", "second", "third"}) {
    f.touch("00000000000000000000.log", content);
    const auto to = test::must(segment::move_aside(os::posix_vfs(), f.log_path()));
    CHECK(base::as_text(test::read_file(to)) == content);
    CHECK_FALSE(std::filesystem::exists(f.log_path()));
  }
  CHECK(f.names() == Names{"00000000000000000000.log.damaged", "00000000000000000000.log.damaged.1",
                           "00000000000000000000.log.damaged.2"});
  CHECK(test::must(segment::list_segments(os::posix_vfs(), f.directory)).unknown.size() == 3);
  CHECK(segment::move_aside(os::posix_vfs(), f.log_path()).error().code() == Errc::not_found);
}
