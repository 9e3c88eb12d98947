// The bytes that recovery may not cut: batches that are whole, damage with sound batches behind it, files
// that others have put into a directory.
#include "partition/recovery/partition_recovery.hpp"
#include "support/random.hpp"
#include "unit/partition/writer_fixture.hpp"

namespace seriatim::test {
namespace {

namespace fs = std::filesystem;
using format::BatchFault;
using segment::LastStop;

// The offsets that a reader gets who goes on where each error says.
std::vector<Offset> offsets_past_damage(const partition::PartitionLogPtr& log) {
  std::vector<Offset> offsets;
  partition::FetchCursor cursor(log);
  Offset from = log->log_start_offset();
  for (int errors = 0; errors < 20; ++errors) {
    partition::FetchedBatch batch;
    const auto read = [&]() -> Result<> {
      if (auto sought = cursor.seek(from); !sought) return sought;
      for (;;) {
        const auto step = cursor.peek(log->high_watermark(), true, batch);
        if (!step) return step.error();
        if (*step == partition::FetchCursor::Step::end) return {};
        for (Offset o = batch.header.base_offset; o <= batch.header.last_offset(); ++o) offsets.push_back(o);
        cursor.advance(batch);
      }
    }();
    if (read) break;
    const std::string& text = read.error().message();
    const std::string before = "readable again from offset ";
    const auto found = text.find(before);
    if (found == std::string::npos) break;
    from = std::stoll(text.substr(found + before.size()));
  }
  return offsets;
}

std::vector<Offset> offsets_of_log(const LogBuilder& log, const std::vector<std::size_t>& without = {}) {
  std::vector<Offset> offsets;
  for (std::size_t i = 0; i < log.all().size(); ++i) {
    if (std::find(without.begin(), without.end(), i) != without.end()) continue;
    const auto& header = log[i].header;
    for (Offset o = header.base_offset; o <= header.last_offset(); ++o) offsets.push_back(o);
  }
  return offsets;
}

// A partition that was closed cleanly with one record, in whose directory somebody has put other files.
struct ForeignFixture : WriterFixture {
  ForeignFixture() : WriterFixture(100'000) {
    open();
    put("seed", "1");
    close();
    fs::remove_all(request.directory);
    fs::create_directory(request.directory);
  }
  void put_log(Offset base, const LogBuilder& log) { write_file(path(base), log.bytes()); }
  void open_foreign() {
    request.stop = LastStop::clean;
    open();
  }
  bool has_set_aside() const {
    const auto names = file_names();
    return std::any_of(names.begin(), names.end(),
                       [](const std::string& name) { return name.find("damaged") != std::string::npos; });
  }
};

void flip(const std::string& path, std::uint64_t position, std::byte mask) {
  auto bytes = read_file(path);
  bytes.at(position) ^= mask;
  write_file(path, bytes);
}

TEST_CASE("INV-12: a log of another writer opens whole: with gaps, above 0, with Kafka's producer fields") {
  struct Case {
    const char* what;
    Offset base;
    LogBuilder log;
  };
  const BatchSpec two{.records = 2};
  for (const Case& row : {Case{"gaps", 0, LogBuilder().batches(3, two).gap(5).batches(2, two).gap(1).batch()},
                          Case{"a gap at the front", 0, LogBuilder().gap(700).batches(3, two)},
                          Case{"above 0", 500, LogBuilder(500).batches(4, two)},
                          Case{"one batch behind a gap", 0, LogBuilder().batch().gap(9).batch()}}) {
    CAPTURE(std::string(row.what));
    ForeignFixture f;
    f.put_log(row.base, row.log);
    f.open_foreign();
    CHECK(offsets_of(f.rows()) == offsets_of_log(row.log));
    CHECK_FALSE(f.partition->damage());
    CHECK_FALSE(f.has_set_aside());
    CHECK(f.put("new", "1").base_offset == row.log.next_offset());
    // It stays readable, whether the next open looks at all batches or not.
    const auto offsets = offsets_of(f.rows());
    f.close();
    f.open();
    CHECK(offsets_of(f.rows()) == offsets);
    f.reopen_after_crash();
    CHECK(offsets_of(f.rows()) == offsets);
    CHECK_FALSE(f.partition->damage());
  }
}

TEST_CASE("INV-12: several segments of a compacted log of another writer, with gaps between them") {
  ForeignFixture f;
  const auto first = LogBuilder().batches(2).gap(3).batch();
  const auto second = LogBuilder(20).batches(2);
  f.put_log(0, first);
  f.put_log(20, second);
  f.open_foreign();
  auto expected = offsets_of_log(first);
  for (const Offset offset : offsets_of_log(second)) expected.push_back(offset);
  CHECK(offsets_of(f.rows()) == expected);
  CHECK_FALSE(f.has_set_aside());
}

TEST_CASE("INV-12: of a log of another writer nothing is cut that was not set aside first") {
  const auto log = LogBuilder().batches(4, {.size_bytes = 100});
  const std::string garbage(90, 'x');
  ForeignFixture f;
  auto bytes = log.bytes();
  for (const char c : garbage) bytes.push_back(static_cast<std::byte>(c));
  bytes.resize(bytes.size() + 4096);
  write_file(f.path(0), bytes);
  f.open_foreign();
  CHECK(offsets_of(f.rows()) == offsets_of_log(log));
  const auto kept = read_file(f.path(0) + ".damaged");
  CHECK(std::string(reinterpret_cast<const char*>(kept.data()), kept.size()) == garbage);
  CHECK(std::any_of(f.world->reports.begin(), f.world->reports.end(), [&](const std::string& line) {
    return says(line, {f.path(0), "position 400", "moved to", ".damaged"});
  }));
}

TEST_CASE("a log of another writer that ends below what the last close knew is damage, and nothing is cut") {
  ForeignFixture f;
  f.request.checkpoint.recovery_point_offset = f.request.checkpoint.clean_end_offset = 90;
  const auto log = LogBuilder().batches(4, {.size_bytes = 100});
  f.put_log(0, log);
  f.open_foreign();
  CHECK(says(f.partition->damage().value_or(""), {"ends at offset 4", "up to offset 90"}));
  CHECK(read_file(f.path(0)) == log.bytes());
  CHECK(f.put("new", "1").base_offset == 90);
}

TEST_CASE(
    "INV-12: after a kill one flipped byte takes one batch, whatever byte it is, and the open says so") {
  Random random("one flipped byte");
  for (int round = 0; round < 60; ++round) {
    WriterFixture f(1'000);
    f.open();
    LogBuilder log;
    for (int i = 0; i < 20; ++i) {
      const BatchSpec spec{.size_bytes = 100};
      log.batch(spec);
      f.put_batch(make_batch(spec));
    }
    if (random.one_in(3)) f.store_checkpoint();
    for (int i = 0; i < 5; ++i) {
      const BatchSpec spec{.size_bytes = 100};
      log.batch(spec);
      f.put_batch(make_batch(spec));
    }
    f.die();
    const auto bad = static_cast<std::size_t>(random.between(0, 23));
    const Offset base = static_cast<Offset>(bad) / 10 * 10;
    auto byte = static_cast<std::uint64_t>(random.between(0, 99));
    if (byte >= format::leader_epoch_at && byte < format::magic_at) byte = format::magic_at;
    flip(f.path(base), (bad - static_cast<std::size_t>(base)) * 100 + byte, std::byte{0x24});
    CAPTURE(bad);
    CAPTURE(byte);
    f.request.stop = LastStop::kill;
    f.reopen_after_crash();
    CHECK(offsets_past_damage(f.partition) == offsets_of_log(log, {bad}));
    CHECK(f.partition->log_end_offset() == 25);
    CHECK(f.put("new", "1").base_offset == 25);
    for (const auto& line : f.world->reports) CHECK_FALSE(says(line, {"Nothing was cut"}));
  }
}

TEST_CASE("what is said of damage is true where a torn tail is cut behind it") {
  WriterFixture f(100'000);
  f.open();
  for (int i = 0; i < 4; ++i) f.put_batch(make_batch({.size_bytes = 100}));
  f.store_checkpoint();
  for (int i = 0; i < 2; ++i) f.put_batch(make_batch({.size_bytes = 100}));
  f.die();
  flip(f.path(0), 100 + format::length_at, std::byte{0x20});
  fs::remove(f.path(0, format::FileKind::offset_index));
  flip(f.path(0), 500 + format::records_at, std::byte{1});
  f.request.stop = LastStop::kill;
  f.reopen_after_crash();
  CHECK(says(f.partition->damage().value_or(""), {"position 100", "left where it is"}));
  CHECK_FALSE(says(*f.partition->damage(), {"Nothing was cut"}));
  CHECK(std::any_of(f.world->reports.begin(), f.world->reports.end(),
                    [](const std::string& line) { return says(line, {"cut at position 500"}); }));
  CHECK(offsets_past_damage(f.partition) == std::vector<Offset>{0, 2, 3, 4});
}

TEST_CASE("INV-12: the rest of a segment that lost acknowledged records is set aside before it is cut") {
  WriterFixture f(100'000);
  f.open();
  for (int i = 0; i < 6; ++i) f.put_batch(make_batch({.size_bytes = 100}));
  f.store_checkpoint();
  f.die();
  flip(f.path(0), 100 + format::records_at, std::byte{1});
  fs::resize_file(f.path(0), 350);
  const auto left = read_file(f.path(0));
  f.reopen_after_crash();
  CHECK(f.partition->damage());
  // The damage within is passed over; half a batch is left of the file's end.
  CHECK(offsets_past_damage(f.partition) == std::vector<Offset>{0, 2});
  const auto kept = read_file(f.path(0) + ".damaged");
  CHECK(std::equal(left.begin() + 300, left.end(), kept.begin(), kept.end()));
}

TEST_CASE("INV-5: a recovery that keeps damage and sets bytes aside is repeated by the next one") {
  for (int step = 0;; ++step) {
    REQUIRE(step < 200);
    ForeignFixture f;
    auto log = LogBuilder().batches(3, {.size_bytes = 100}).gap(2).batches(3, {.size_bytes = 100});
    auto bytes = log.bytes();
    bytes[110] ^= std::byte{1};
    bytes.resize(bytes.size() + 70, std::byte{0x55});
    write_file(f.path(0), bytes);
    f.request.stop = LastStop::clean;
    f.world = std::make_unique<WriterWorld>(f.vfs);
    f.vfs.fail_after(step);
    const bool opened = partition::Partition::open(f.world->environment, f.request).ok();
    const bool failed = f.vfs.has_failed();
    CHECK(opened == !failed);
    f.vfs.heal();
    f.open();
    CHECK(offsets_past_damage(f.partition) == offsets_of_log(log, {1}));
    CHECK(f.has_set_aside());
    if (!failed) break;
  }
}

}  // namespace
}  // namespace seriatim::test
