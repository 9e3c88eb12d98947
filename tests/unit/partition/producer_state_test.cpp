#include "partition/producer_state.hpp"

#include <limits>

#include "support/log_builder.hpp"
#include "unit/partition/read/reader_fixture.hpp"

namespace seriatim::test {
namespace {

using format::ProducerSnapshotEntry;
using partition::ProducerState;

class StateFixture {
 public:
  void note(const LogBuilder& log) {
    for (const BuiltBatch& batch : log.all()) must(state.note(batch.header, batch.bytes));
  }
  /// The state, as its snapshot says it.
  std::vector<ProducerSnapshotEntry> entries() {
    TempDir other;
    ProducerState copy = state;
    copy.set_end_offset(state.end_offset() + 1'000'000);  // a snapshot that was not written yet
    must(copy.write_snapshot(os::posix_vfs(), other.path(), t0_ms));
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
  f.note(LogBuilder(5).batch().batch({.records = 3,
                                      .timestamp_ms = t0_ms,
                                      .producer_id = some_producer,
                                      .producer_epoch = 2,
                                      .sequence = 7}));
  CHECK(f.state.end_offset() == 9);
  const auto entries = f.entries();
  REQUIRE(entries.size() == 1);
  CHECK(entries[0] == ProducerSnapshotEntry{.producer_id = some_producer,
                                            .producer_epoch = 2,
                                            .last_sequence = 9,
                                            .last_offset = 8,
                                            .offset_delta = 2,
                                            .timestamp_ms = t0_ms,
                                            .coordinator_epoch = -1,
                                            .open_transaction_first_offset = -1});
  CHECK(f.state.find(some_producer)->last_timestamp_ms == t0_ms + 2);
}

TEST_CASE("a transaction is open from its first batch to its marker") {
  StateFixture f;
  LogBuilder log;
  log.batch().batch(
      {.producer_id = some_producer, .producer_epoch = 1, .sequence = 0, .transactional = true});
  log.batch({.producer_id = some_producer, .producer_epoch = 1, .sequence = 1, .transactional = true});
  f.note(log);
  CHECK(f.entries().at(0).open_transaction_first_offset == 1);
  LogBuilder end(3);
  end.marker({.type = format::ControlType::commit,
              .producer_id = some_producer,
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
  log.batch({.producer_id = some_producer, .producer_epoch = 1, .sequence = 5, .transactional = true});
  log.marker({.type = format::ControlType::abort,
              .producer_id = some_producer,
              .producer_epoch = 2,
              .timestamp_ms = t0_ms});
  f.note(log);
  CHECK(f.entries().at(0).producer_epoch == 2);
  CHECK(f.entries().at(0).last_sequence == -1);
  CHECK(f.entries().at(0).last_offset == -1);
}

// One row of kafka-log 4.2's table, which was executed against Kafka's own class.
struct Incoming {
  ProducerEpoch epoch = 0;
  Sequence first = 0;
  int records = 1;
  bool transactional = false;
};

Errc answer(const ProducerState& state, const Incoming& batch) {
  const LogBuilder log = LogBuilder(state.end_offset())
                             .batch({.records = batch.records,
                                     .producer_id = some_producer,
                                     .producer_epoch = batch.epoch,
                                     .sequence = batch.first,
                                     .transactional = batch.transactional});
  const auto& header = log.all().front().header;
  const auto admitted =
      ProducerState::admit(state.find(some_producer), header, partition::SequenceRule::predicted);
  return admitted ? Errc{} : admitted.error().code();
}

void store(StateFixture& f, const Incoming& batch) {
  f.note(LogBuilder(f.state.end_offset())
             .batch({.records = batch.records,
                     .producer_id = some_producer,
                     .producer_epoch = batch.epoch,
                     .sequence = batch.first,
                     .transactional = batch.transactional}));
}

void end(StateFixture& f, format::ControlType type, ProducerEpoch epoch) {
  f.note(
      LogBuilder(f.state.end_offset())
          .marker(
              {.type = type, .producer_id = some_producer, .producer_epoch = epoch, .timestamp_ms = t0_ms}));
}

constexpr Sequence last_of_all = std::numeric_limits<Sequence>::max();

TEST_CASE("sequences are admitted as Kafka's state manager admits them") {
  StateFixture f;
  CHECK(answer(f.state, {.first = 17}) == Errc{});
  store(f, {.first = 17});
  CHECK(answer(f.state, {.first = 18, .records = 3}) == Errc{});
  store(f, {.first = 18, .records = 3});
  CHECK(answer(f.state, {.first = 25}) == Errc::out_of_order_sequence_number);
  CHECK(answer(f.state, {.first = 18, .records = 3}) == Errc::out_of_order_sequence_number);
  CHECK(answer(f.state, {.first = 20, .records = 3}) == Errc::out_of_order_sequence_number);
  CHECK(answer(f.state, {.epoch = 1, .first = 3}) == Errc::out_of_order_sequence_number);
  CHECK(answer(f.state, {.epoch = 1}) == Errc{});
  store(f, {.epoch = 1});
  CHECK(answer(f.state, {.epoch = 0, .first = 21}) == Errc::invalid_producer_epoch);
}

TEST_CASE("sequences wrap from 2'147'483'647 to 0, inside a batch too") {
  StateFixture f;
  store(f, {.first = last_of_all - 1, .records = 4});
  CHECK(answer(f.state, {.first = 2}) == Errc{});
  StateFixture at_end;
  store(at_end, {.first = last_of_all});
  CHECK(answer(at_end.state, {.first = 1}) == Errc::out_of_order_sequence_number);
  CHECK(answer(at_end.state, {.first = 0}) == Errc{});
}

TEST_CASE("a plain batch in an open transaction is refused, after its sequence was looked at") {
  StateFixture f;
  store(f, {.first = 0, .transactional = true});
  CHECK(answer(f.state, {.first = 1}) == Errc::invalid_txn_state);
  CHECK(answer(f.state, {.first = 9}) == Errc::out_of_order_sequence_number);
  CHECK(answer(f.state, {.first = 1, .transactional = true}) == Errc{});
}

TEST_CASE("a marker with a new epoch fences: the old epoch is refused, the new one begins at 0") {
  StateFixture f;
  store(f, {.first = 0, .transactional = true});
  const LogBuilder abort = LogBuilder(1).marker({.type = format::ControlType::abort,
                                                 .producer_id = some_producer,
                                                 .producer_epoch = 1,
                                                 .timestamp_ms = t0_ms});
  const auto& marker = abort.all().front();
  const auto ended = must(f.state.ended_by(marker.header, marker.bytes));
  REQUIRE(ended);
  CHECK(ended->first_offset == 0);
  CHECK(ended->last_offset == 1);
  CHECK(ended->is_aborted);
  CHECK(ended->last_stable_offset == 2);
  CHECK(f.state.first_open_offset() == 0);
  f.note(abort);
  CHECK(f.state.first_open_offset() == -1);
  CHECK(answer(f.state, {.epoch = 1, .first = 1}) == Errc::out_of_order_sequence_number);
  CHECK(answer(f.state, {.epoch = 0, .first = 1}) == Errc::invalid_producer_epoch);
  CHECK(answer(f.state, {.epoch = 1}) == Errc{});
  const auto is_admitted = [&](ProducerEpoch epoch) {
    return ProducerState::admit_marker(f.state.find(some_producer), {.producer_epoch = epoch}).ok();
  };
  CHECK_FALSE(is_admitted(0));
  CHECK(is_admitted(1));
}

TEST_CASE("a marker of the same epoch leaves the sequences, and a second one changes nothing") {
  StateFixture f;
  store(f, {.epoch = 1, .transactional = true});
  end(f, format::ControlType::commit, 1);
  const LogBuilder again = LogBuilder(2).marker({.type = format::ControlType::commit,
                                                 .producer_id = some_producer,
                                                 .producer_epoch = 1,
                                                 .timestamp_ms = t0_ms});
  CHECK_FALSE(must(f.state.ended_by(again.all().front().header, again.all().front().bytes)));
  f.note(again);
  CHECK(answer(f.state, {.epoch = 1, .first = 1}) == Errc{});
}

TEST_CASE("a producer known through a marker only begins at 0") {
  StateFixture f;
  end(f, format::ControlType::abort, 3);
  CHECK(answer(f.state, {.epoch = 3, .first = 5}) == Errc::out_of_order_sequence_number);
  CHECK(answer(f.state, {.epoch = 3}) == Errc{});
}

TEST_CASE("INV-7: the last five batches are recognised as duplicates, with the offsets of the first copy") {
  StateFixture f;
  for (int i = 0; i < 7; ++i) store(f, {.first = 2 * i, .records = 2});
  for (int i = 0; i < 7; ++i) {
    const LogBuilder log = LogBuilder(99).batch(
        {.records = 2, .producer_id = some_producer, .producer_epoch = 0, .sequence = 2 * i});
    const auto& header = log.all().front().header;
    const auto admitted =
        ProducerState::admit(f.state.find(some_producer), header, partition::SequenceRule::given);
    if (i < 2) {
      REQUIRE_FALSE(admitted);
      CHECK(admitted.error().code() == Errc::out_of_order_sequence_number);
    } else {
      REQUIRE(must(admitted));
      CHECK((*admitted)->base_offset == 2 * i);
      CHECK((*admitted)->last_offset == 2 * i + 1);
    }
  }
}

TEST_CASE("producers are forgotten after their time, but never with a transaction open") {
  StateFixture f;
  store(f, {.first = 0, .transactional = true});
  CHECK(f.state.expire(t0_ms + 1, t0_ms) == 0);
  CHECK(f.state.expire(t0_ms + 2, t0_ms + 1) == 0);
  end(f, format::ControlType::commit, 1);
  CHECK(f.state.expire(t0_ms + 1, t0_ms + 1) == 0);
  CHECK(f.state.expire(t0_ms + 1, t0_ms + 2) == 0);
  CHECK(f.state.expire(t0_ms + 2, t0_ms + 2) == 1);
  CHECK(answer(f.state, {.first = 400}) == Errc{});
}

TEST_CASE("when a producer was last heard of is the wall clock's to say, also across a snapshot") {
  constexpr std::int64_t day_ms = 24 * 3'600'000;
  for (const std::int64_t record_ms : {t0_ms - 100 * day_ms, t0_ms + 100 * day_ms}) {
    CAPTURE(record_ms - t0_ms);
    StateFixture f;
    f.note(LogBuilder().batch(
        {.timestamp_ms = record_ms, .producer_id = some_producer, .producer_epoch = 0, .sequence = 0}));
    REQUIRE(f.state.expire(t0_ms - day_ms, t0_ms) == 0);
    CHECK(f.state.find(some_producer)->last_timestamp_ms == record_ms);
    must(f.state.write_snapshot(os::posix_vfs(), f.temp.path(), t0_ms + day_ms));
    ProducerState loaded;
    must(loaded.load_snapshot(os::posix_vfs(), f.temp.path(), 1));
    CHECK(loaded.find(some_producer)->last_timestamp_ms == record_ms);
    CHECK(loaded.expire(t0_ms, t0_ms + day_ms) == 0);
    CHECK(loaded.expire(t0_ms + 1, t0_ms + day_ms) == 1);
  }
}

TEST_CASE(
    "a snapshot that has the time of a record forgets nobody: older versions wrote it, and Kafka does") {
  StateFixture f;
  const std::int64_t event_ms = t0_ms - 1'000'000;
  write_file(f.path(1), format::encode_producer_snapshot(
                            std::vector<ProducerSnapshotEntry>{{.producer_id = some_producer,
                                                                .producer_epoch = 0,
                                                                .last_sequence = 0,
                                                                .last_offset = 0,
                                                                .timestamp_ms = event_ms}}));
  must(f.state.load_snapshot(os::posix_vfs(), f.temp.path(), 1));
  CHECK(f.state.expire(t0_ms, t0_ms) == 0);
  CHECK(f.state.find(some_producer)->last_timestamp_ms == event_ms);
  CHECK(f.state.expire(t0_ms + 1, t0_ms + 1) == 1);
}

TEST_CASE("a producer that was heard of in the future was heard of now") {
  StateFixture f;
  write_file(f.path(9),
             format::encode_producer_snapshot(std::vector<ProducerSnapshotEntry>{
                 {.producer_id = some_producer, .producer_epoch = 0, .timestamp_ms = t0_ms + 100}}));
  must(f.state.load_snapshot(os::posix_vfs(), f.temp.path(), 9));
  CHECK(f.state.expire(t0_ms, t0_ms) == 0);
  CHECK(f.state.expire(t0_ms + 1, t0_ms + 1) == 1);
}

TEST_CASE("a control batch that does not decode is refused") {
  StateFixture f;
  auto bytes = make_batch({.producer_id = some_producer, .producer_epoch = 1, .sequence = 0});
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
    log.batch(
        {.producer_id = some_producer + i, .producer_epoch = 0, .sequence = i, .transactional = i % 3 == 0});
  f.note(log);
  must(f.state.write_snapshot(os::posix_vfs(), f.temp.path(), t0_ms));
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
  f.note(LogBuilder().batch({.producer_id = some_producer, .producer_epoch = 0, .sequence = 0}));
  must(f.state.write_snapshot(os::posix_vfs(), f.temp.path(), t0_ms));
  std::filesystem::remove(f.path(1));
  must(f.state.write_snapshot(os::posix_vfs(), f.temp.path(), t0_ms));
  CHECK_FALSE(std::filesystem::exists(f.path(1)));
  f.state.set_end_offset(2);
  must(f.state.write_snapshot(os::posix_vfs(), f.temp.path(), t0_ms));
  CHECK(std::filesystem::exists(f.path(2)));
}

TEST_CASE("a damaged snapshot is refused with its name, and the state stays as it was") {
  StateFixture f;
  f.note(LogBuilder().batch({.producer_id = some_producer, .producer_epoch = 0, .sequence = 0}));
  must(f.state.write_snapshot(os::posix_vfs(), f.temp.path(), t0_ms));
  overwrite(f.path(1), 20, "\x7F");
  const auto before = f.entries();
  const auto loaded = f.state.load_snapshot(os::posix_vfs(), f.temp.path(), 1);
  REQUIRE_FALSE(loaded);
  CHECK(loaded.error().code() == Errc::corrupt_metadata);
  CHECK(says(loaded.error().message(), {f.path(1)}));
  CHECK(f.entries() == before);
}

TEST_CASE("a snapshot that says of two producers that they have begun at one offset harms nothing") {
  StateFixture f;
  std::vector<ProducerSnapshotEntry> entries;
  for (const ProducerId id : {some_producer, some_producer + 1})
    entries.push_back({.producer_id = id, .producer_epoch = 0, .open_transaction_first_offset = 3});
  write_file(f.path(9), format::encode_producer_snapshot(entries));
  must(f.state.load_snapshot(os::posix_vfs(), f.temp.path(), 9));
  const LogBuilder commit = LogBuilder(9).marker({.type = format::ControlType::commit,
                                                  .producer_id = some_producer,
                                                  .producer_epoch = 1,
                                                  .timestamp_ms = t0_ms});
  const auto& marker = commit.all().front();
  const auto ended = must(f.state.ended_by(marker.header, marker.bytes));
  REQUIRE(ended);
  CHECK(ended->first_offset == 3);
  CHECK(ended->last_stable_offset == 10);
  f.note(commit);
  CHECK(f.state.first_open_offset() == -1);
}

}  // namespace
}  // namespace seriatim::test
