// Which producer snapshots there are, and that what is known of producers is what the log says.
#include <array>

#include "segment/scan/batch_stream.hpp"
#include "segment/segment_store.hpp"
#include "support/random.hpp"
#include "unit/partition/writer_fixture.hpp"

namespace seriatim::test {
namespace {

namespace fs = std::filesystem;
using format::FileKind;
using Entries = std::map<ProducerId, format::ProducerSnapshotEntry>;

constexpr ProducerId first_producer = ProducerId{1} << 42;

std::vector<std::byte> producer_batch(Sequence sequence, ProducerId producer = first_producer) {
  return make_batch({.size_bytes = 100, .producer_id = producer, .producer_epoch = 0, .sequence = sequence});
}

std::vector<Offset> snapshots_in(const std::string& directory) {
  return must(segment::list_segments(os::posix_vfs(), directory)).snapshots;
}

Entries entries_at(const std::string& directory, Offset offset) {
  Entries entries;
  const auto bytes = read_file(directory + "/" + format::file_name(offset, FileKind::snapshot));
  for (const auto& entry : must(format::parse_producer_snapshot(bytes))) entries[entry.producer_id] = entry;
  return entries;
}

// The producers by the batches of a directory, from the very first.
Entries full_replay(const std::string& directory) {
  partition::ProducerState state;
  Offset end = 0;
  for (const auto& segment : must(segment::list_segments(os::posix_vfs(), directory)).segments) {
    auto file = must(os::posix_vfs().open(
        directory + "/" + format::file_name(segment.base_offset, FileKind::log), os::OpenMode::read));
    segment::BatchStream stream(*file, 0, segment.log_bytes, segment.base_offset);
    for (auto item = must(stream.next()); !item.at_end && item.fault == format::BatchFault::none;
         item = must(stream.next())) {
      must(state.note(item.header, item.bytes));
      end = item.header.next_offset();
    }
  }
  TempDir temp;
  state.set_end_offset(end);
  must(state.write_snapshot(os::posix_vfs(), temp.path(), t0_ms));
  return entries_at(temp.path(), end);
}

// The producers that a recovery of a copy of the files finds.
Entries recovered(const WriterFixture& f, std::int64_t segment_bytes) {
  WriterFixture copy(segment_bytes);
  fs::copy(f.request.directory, copy.request.directory, fs::copy_options::recursive);
  copy.request.checkpoint = f.request.checkpoint;
  copy.open();
  const auto damage = copy.partition->damage();
  CAPTURE(damage.value_or(""));
  CHECK_FALSE(damage);
  const Offset end = copy.partition->log_end_offset();
  copy.close();
  CHECK(full_replay(copy.request.directory) == entries_at(copy.request.directory, end));
  return entries_at(copy.request.directory, end);
}

struct Producers {
  explicit Producers(Random& r) : random(r) {}
  void append(WriterFixture& f) {
    const ProducerId id = first_producer + random.between(0, 4);
    if (id == first_producer + 4) {
      f.put("k", "no producer");
      return;
    }
    const auto known = f.partition->producer(id).value_or(partition::ProducerInfo{.epoch = 0});
    const bool bumps = random.one_in(15);
    f.put_batch(make_batch({.records = static_cast<int>(random.between(1, 3)),
                            .timestamp_ms = t0_ms + clock++,
                            .producer_id = id,
                            .producer_epoch = static_cast<ProducerEpoch>(known.epoch + (bumps ? 1 : 0)),
                            .sequence = bumps ? 0 : known.next_sequence()}));
  }
  Random& random;
  std::int64_t clock = 0;
};

TEST_CASE("after any stop, what is known of producers is what the whole log says") {
  Random random("producers against a full replay");
  for (int round = 0; round < 12; ++round) {
    const std::int64_t segment_bytes = random.between(500, 3'000);
    WriterFixture f(segment_bytes);
    f.request.snapshot_every_bytes = static_cast<std::uint64_t>(random.between(1, 2'000));
    f.open();
    Producers producers(random);
    for (int step = 0; step < 60; ++step) {
      for (auto n = random.between(0, 12); n > 0; --n) producers.append(f);
      if (random.one_in(3)) f.store_checkpoint();
      if (random.one_in(6)) must(f.partition->roll());
      if (random.one_in(4)) {
        f.die();
        if (random.one_in(2)) {
          // A power cut: what was not synced of the last segment is gone from some byte on.
          const auto last =
              must(segment::list_segments(os::posix_vfs(), f.request.directory)).segments.back();
          const bool is_synced = last.base_offset == f.request.checkpoint.recovery_segment_base;
          const auto from = static_cast<std::int64_t>(is_synced ? f.request.checkpoint.recovery_position : 0);
          if (last.base_offset >= f.request.checkpoint.recovery_segment_base)
            fs::resize_file(f.path(last.base_offset), static_cast<std::uintmax_t>(random.between(
                                                          from, static_cast<std::int64_t>(last.log_bytes))));
        }
        f.request.checkpoint.clean_end_offset = -1;
        recovered(f, segment_bytes);
        f.open();
      } else if (random.one_in(8)) {
        f.close();
        recovered(f, segment_bytes);
        f.open();
      }
    }
  }
}

TEST_CASE("what a producer wrote between the last snapshot and the recovery point is known after a crash") {
  WriterFixture f(100'000);
  f.open();
  f.put_batch(producer_batch(0));
  f.store_checkpoint();
  f.put("k", "behind the recovery point");
  f.reopen_after_crash();
  f.close();
  const auto entries = entries_at(f.request.directory, 2);
  REQUIRE(entries.size() == 1);
  CHECK(entries.begin()->second.last_sequence == 0);
}

TEST_CASE("a checkpoint writes a snapshot once the last is far behind, so that little is to be replayed") {
  WriterFixture f(100'000);
  f.request.snapshot_every_bytes = 500;
  f.open();
  for (int i = 0; i < 4; ++i) f.put_batch(producer_batch(i));
  f.store_checkpoint();
  CHECK(snapshots_in(f.request.directory).empty());
  f.put_batch(producer_batch(4));
  f.store_checkpoint();
  CHECK(snapshots_in(f.request.directory) == std::vector<Offset>{5});
  f.put_batch(producer_batch(5));
  f.reopen_after_crash();
  f.store_checkpoint();
  CHECK(snapshots_in(f.request.directory) == std::vector<Offset>{5});
  for (int i = 6; i < 10; ++i) f.put_batch(producer_batch(i));
  f.store_checkpoint();  // with what was replayed, that is 500 bytes
  CHECK(snapshots_in(f.request.directory) == std::vector<Offset>{10});
}

TEST_CASE("a snapshot of records that a crash took goes before their offsets are given out again") {
  WriterFixture f(100'000);
  f.open();
  f.put_batch(producer_batch(0));
  f.put_batch(producer_batch(7, first_producer + 1));
  must(f.partition->roll());  // the snapshot of offset 2 is on the disk, the records are not
  f.die();
  fs::resize_file(f.path(0), 100);
  f.reopen_after_crash();
  CHECK(f.partition->log_end_offset() == 1);
  CHECK_FALSE(fs::exists(f.path(2, FileKind::snapshot)));
  f.put_batch(producer_batch(1));
  f.put_batch(producer_batch(2));
  f.store_checkpoint();
  f.reopen_after_crash();
  f.close();
  const auto entries = entries_at(f.request.directory, 3);
  REQUIRE(entries.size() == 1);
  CHECK(entries.begin()->second.last_sequence == 2);
}

TEST_CASE("closing and opening again leaves one snapshot beside those of the segments") {
  WriterFixture f(100'000);
  f.open();
  for (int i = 0; i < 10; ++i) {
    f.put_batch(producer_batch(i));
    f.close();
    f.open();
    CHECK(snapshots_in(f.request.directory) == std::vector<Offset>{i + 1});
  }
  must(f.partition->roll());
  f.put_batch(producer_batch(10));
  f.close();
  f.open();
  CHECK(snapshots_in(f.request.directory) == std::vector<Offset>{10, 11});
}

TEST_CASE(
    "however often it is closed, rolled, trimmed and compacted, segments have a snapshot and little else "
    "has") {
  Random random("pile of snapshots");
  WriterFixture f(600, CleanupPolicy::compact_and_delete);
  f.request.snapshot_every_bytes = 200;
  f.open();
  Producers producers(random);
  for (int step = 0; step < 150; ++step) {
    for (auto n = random.between(0, 6); n > 0; --n) producers.append(f);
    f.store_checkpoint();
    if (random.one_in(4)) f.compact({.force = true});
    if (random.one_in(10)) {
      must(f.partition->advance_log_start(
          random.between(f.partition->log_start_offset(), f.partition->log_end_offset())));
      must(f.partition->apply_retention());
    }
    if (random.one_in(3)) f.close();
    if (!f.partition || random.one_in(5)) f.open();
    const auto bases = f.segment_bases();
    const auto snapshots = snapshots_in(f.request.directory);
    // Of a segment, at the stored recovery point, at the end.
    const auto loose = std::count_if(snapshots.begin(), snapshots.end(), [&](Offset offset) {
      return std::find(bases.begin(), bases.end(), offset) == bases.end();
    });
    REQUIRE(loose <= 2);
    REQUIRE((snapshots.empty() || snapshots.back() <= f.partition->log_end_offset()));
    for (const Offset base : bases) {
      CAPTURE(base);
      REQUIRE((base == 0 || std::find(snapshots.begin(), snapshots.end(), base) != snapshots.end()));
    }
  }
}

TEST_CASE("a snapshot that cannot be removed is told of and goes another time") {
  WriterFixture f(100'000);
  f.request.snapshot_every_bytes = 1;
  f.open();
  f.put_batch(producer_batch(0));
  f.store_checkpoint();
  f.put_batch(producer_batch(1));
  must(f.partition->sync_to(must(f.partition->prepare_checkpoint())));
  f.request.checkpoint = f.partition->checkpoint();
  f.vfs.fail_after(0);
  f.partition->checkpoint_stored(f.request.checkpoint);
  f.vfs.heal();
  CHECK(snapshots_in(f.request.directory) == std::vector<Offset>{1, 2});
  REQUIRE(f.world->reports.size() == 1);
  CHECK(says(f.world->reports[0], {f.path(1, FileKind::snapshot)}));
  CHECK(must(f.partition->prune_snapshots()) == 1);
  CHECK(snapshots_in(f.request.directory) == std::vector<Offset>{2});
}

}  // namespace
}  // namespace seriatim::test
