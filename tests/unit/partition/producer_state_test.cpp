#include "partition/producer_state.hpp"

#include "reader_fixture.hpp"
#include "support/log_builder.hpp"

namespace seriatim::test {
namespace {

using format::ProducerSnapshotEntry;
using partition::ProducerState;

constexpr ProducerId producer = ProducerId{1} << 42;

class StateFixture {
 public:
  void note(const LogBuilder& log) {
    for (const BuiltBatch& batch : log.all()) must(state.note(batch.header, batch.bytes));
  }
  /// What the state is: what its snapshot says.
  std::vector<ProducerSnapshotEntry> entries() {
    TempDir other;
    ProducerState copy = state;
    copy.set_end_offset(state.end_offset() + 1'000'000);  // a snapshot that was not written yet
    must(copy.write_snapshot(os::posix_vfs(), other.path()));
    return must(format::parse_producer_snapshot(
        read_file(other / format::file_name(copy.end_offset(), format::FileKind::snapshot))));
  }
  std::string path(Offset offset) const {
    return temp / format::file_name(offset, format::FileKind::snapshot);
  }

  TempDir temp;
  ProducerState state;
};

TEST_CASE(
    "a batch of a producer is remembered with its last sequence, offset and time; plain ones only move the "
    "end") {
  StateFixture f;
  f.note(LogBuilder(5).batch().batch(
      {.records = 3, .timestamp_ms = t0_ms, .producer_id = producer, .producer_epoch = 2, .sequence = 7}));
  CHECK(f.state.end_offset() == 9);
  const auto entries = f.entries();
  REQUIRE(entries.size() == 1);
  CHECK(entries[0] == ProducerSnapshotEntry{.producer_id = producer,
                                            .producer_epoch = 2,
                                            .last_sequence = 9,
                                            .last_offset = 8,
                                            .offset_delta = 2,
                                            .timestamp_ms = t0_ms + 2,
                                            .coordinator_epoch = -1,
                                            .open_transaction_first_offset = -1});
}

TEST_CASE("a transaction is open from its first batch to its marker") {
  StateFixture f;
  LogBuilder log;
  log.batch().batch({.producer_id = producer, .producer_epoch = 1, .sequence = 0, .transactional = true});
  log.batch({.producer_id = producer, .producer_epoch = 1, .sequence = 1, .transactional = true});
  f.note(log);
  CHECK(f.entries().at(0).open_transaction_first_offset == 1);
  LogBuilder end(3);
  end.marker({.type = format::ControlType::commit,
              .producer_id = producer,
              .producer_epoch = 1,
              .timestamp_ms = t0_ms,
              .coordinator_epoch = 4});
  f.note(end);
  CHECK(f.entries().at(0).open_transaction_first_offset == -1);
  CHECK(f.entries().at(0).coordinator_epoch == 4);
  CHECK(f.entries().at(0).last_sequence == 1);
}

TEST_CASE("a marker with a new epoch clears the sequence, so that the next batch begins at 0") {
  StateFixture f;
  LogBuilder log;
  log.batch({.producer_id = producer, .producer_epoch = 1, .sequence = 5, .transactional = true});
  log.marker({.type = format::ControlType::abort,
              .producer_id = producer,
              .producer_epoch = 2,
              .timestamp_ms = t0_ms});
  f.note(log);
  CHECK(f.entries().at(0).producer_epoch == 2);
  CHECK(f.entries().at(0).last_sequence == -1);
  CHECK(f.entries().at(0).last_offset == -1);
}

TEST_CASE("a control batch that does not decode is refused") {
  StateFixture f;
  auto bytes = make_batch({.producer_id = producer, .producer_epoch = 1, .sequence = 0});
  auto header = format::read_batch_header(bytes.data());
  header.attributes =
      static_cast<std::int16_t>(header.attributes | format::control_bit | format::transactional_bit);
  const auto noted = f.state.note(header, bytes);
  REQUIRE_FALSE(noted);
  CHECK(noted.error().code() == Errc::corrupt_record);
}

TEST_CASE("a snapshot brings the whole state back") {
  StateFixture f;
  LogBuilder log;
  for (int i = 0; i < 50; ++i)
    log.batch({.producer_id = producer + i, .producer_epoch = 0, .sequence = i, .transactional = i % 3 == 0});
  f.note(log);
  must(f.state.write_snapshot(os::posix_vfs(), f.temp.path()));
  ProducerState loaded;
  must(loaded.load_snapshot(os::posix_vfs(), f.temp.path(), 50));
  CHECK(loaded.end_offset() == 50);
  StateFixture again;
  again.state = loaded;
  CHECK(again.entries() == f.entries());
  CHECK(f.entries().size() == 50);
}

TEST_CASE("a snapshot that was written already is not written again") {
  StateFixture f;
  f.note(LogBuilder().batch({.producer_id = producer, .producer_epoch = 0, .sequence = 0}));
  must(f.state.write_snapshot(os::posix_vfs(), f.temp.path()));
  std::filesystem::remove(f.path(1));
  must(f.state.write_snapshot(os::posix_vfs(), f.temp.path()));
  CHECK_FALSE(std::filesystem::exists(f.path(1)));
  f.state.set_end_offset(2);
  must(f.state.write_snapshot(os::posix_vfs(), f.temp.path()));
  CHECK(std::filesystem::exists(f.path(2)));
}

TEST_CASE("a damaged snapshot is refused with its name, and the state stays as it was") {
  StateFixture f;
  f.note(LogBuilder().batch({.producer_id = producer, .producer_epoch = 0, .sequence = 0}));
  must(f.state.write_snapshot(os::posix_vfs(), f.temp.path()));
  overwrite(f.path(1), 20, "\x7F");
  const auto before = f.entries();
  const auto loaded = f.state.load_snapshot(os::posix_vfs(), f.temp.path(), 1);
  REQUIRE_FALSE(loaded);
  CHECK(loaded.error().code() == Errc::corrupt_metadata);
  CHECK(says(loaded.error().message(), {f.path(1)}));
  CHECK(f.entries() == before);
}

}  // namespace
}  // namespace seriatim::test
