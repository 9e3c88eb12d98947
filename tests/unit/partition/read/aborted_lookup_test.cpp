#include "partition/read/aborted_lookup.hpp"

#include <doctest/doctest.h>

#include <fstream>

#include "unit/partition/tail/tailing_log_fixture.hpp"
#include "unit/partition/transactions_fixture.hpp"

namespace seriatim::test {
namespace {

using format::FileKind;

bool is_derived_of_transactions(const std::string& name) {
  return name.ends_with(".txnindex") || name.ends_with(".snapshot") || name.ends_with(".producers");
}

/// Removes one of the files that tell of transactions, or all of a kind, or flips a bit of one.
std::string damage_one(const WriterFixture& f, Random& random) {
  std::vector<std::string> names;
  for (const auto& name : f.file_names()) {
    if (is_derived_of_transactions(name)) names.push_back(name);
  }
  if (names.empty()) return {};
  const auto& chosen =
      names[static_cast<std::size_t>(random.between(0, static_cast<std::int64_t>(names.size()) - 1))];
  const std::string path = f.request.directory + "/" + chosen;
  if (random.one_in(3)) {
    std::filesystem::remove(path);
    return "removed " + chosen;
  }
  if (random.one_in(6)) {
    const std::string kind = chosen.substr(chosen.rfind('.'));
    for (const auto& name : names) {
      if (name.ends_with(kind)) std::filesystem::remove(f.request.directory + "/" + name);
    }
    return "removed every " + kind;
  }
  auto bytes = read_file(path);
  if (bytes.empty()) return {};
  const auto bit = random.between(0, static_cast<std::int64_t>(bytes.size() * 8) - 1);
  bytes[static_cast<std::size_t>(bit / 8)] ^= static_cast<std::byte>(1U << (bit % 8));
  write_file(path, bytes);
  return "flipped bit " + std::to_string(bit) + " of " + chosen;
}

TEST_CASE(
    "INV-8: with a file that tells of transactions damaged or gone, a committed record is shown and an "
    "aborted one is not, by the writer and by a tailing log") {
  Random random("damaged files of transactions");
  for (int round = 0; round < 40; ++round) {
    const bool compacts = round % 4 == 3;
    Transactions f(1'000);
    f.request.config.cleanup_policy = compacts ? CleanupPolicy::compact : CleanupPolicy::delete_;
    f.partition->set_config(f.request.config);
    TransactionModel model(f, random, 3);
    std::string done;
    for (int i = 0; i < 120; ++i) {
      model.step();
      if (random.one_in(20)) f.store_checkpoint();
      if (compacts && random.one_in(40)) {
        f.seal_all();
        f.compact({.force = true});
      }
    }
    const auto expected = model.shown();
    for (int look = 0; look < 4; ++look) {
      const bool closes = random.one_in(2);
      if (closes) f.close();
      if (!closes) f.die();
      f.request.checkpoint.clean_end_offset = closes ? f.request.checkpoint.clean_end_offset : -1;
      done += damage_one(f, random) + (closes ? " after a close; " : " after a death; ");
      CAPTURE(done);
      PartitionWorld other;
      const auto tailing = follow(other, f.request);
      const auto followed = committed_of(tailing);
      // Without a snapshot a tailing log may hold back more, and shows nothing else.
      const std::set<Offset> below(expected.begin(), expected.lower_bound(tailing->last_stable_offset()));
      if (!compacts) REQUIRE(followed == below);
      REQUIRE(std::includes(expected.begin(), expected.end(), followed.begin(), followed.end()));
      f.open();
      f.request.checkpoint.clean_end_offset = -1;
      REQUIRE(f.stable() == model.stable());
      const auto shown = committed_of(f.partition);
      if (!compacts) REQUIRE(shown == expected);
      REQUIRE(std::includes(expected.begin(), expected.end(), shown.begin(), shown.end()));
      if (!expected.empty()) REQUIRE(shown.contains(*expected.rbegin()));
    }
  }
}

// An aborted transaction with its records in the first segment, its marker in the third.
struct SpreadAbort : Transactions {
  SpreadAbort() : Transactions(100'000) {
    record = send(first_producer, 0, 0);
    must(partition->roll());
    put("k", "between");
    must(partition->roll());
    end(ControlType::abort, first_producer, 1);
    put("k", "behind");
    seal_all();
    close();
  }
  Offset record = 0;
};

// Whether the record was aborted, as a reader asks.
Result<bool> is_aborted(const partition::PartitionLogPtr& log, Offset record) {
  partition::AbortedTransactions aborted(*log);
  partition::FetchCursor cursor(log);
  must(cursor.seek(record));
  partition::FetchedBatch batch;
  REQUIRE(must(cursor.peek(log->high_watermark(), true, batch)) == partition::FetchCursor::Step::batch);
  return aborted.contain(batch, record, log->high_watermark());
}

TEST_CASE("INV-8: a segment that is lost with the markers in it does not pass for one without aborts") {
  SpreadAbort f;
  f.open();
  const auto bases = f.segment_bases();
  f.close();
  REQUIRE(bases.size() == 4);
  std::filesystem::remove(f.path(bases[2]));
  SUBCASE("the index before the hole tells where its segment ended") {}
  SUBCASE("only the snapshot behind the hole tells that the transaction has ended") {
    std::filesystem::remove(f.path(bases[0], FileKind::transaction_index));
    std::filesystem::remove(f.path(bases[1], FileKind::transaction_index));
  }
  f.open();
  const auto asked = is_aborted(f.partition, f.record);
  REQUIRE_FALSE(asked);
  CHECK(asked.error().code() == Errc::corrupt_record);
}

TEST_CASE("INV-8: a tailing log does not take the lost end of a log for one without aborts") {
  SpreadAbort f;
  f.open();
  const auto bases = f.segment_bases();
  f.close();
  REQUIRE(bases.size() == 4);
  for (const std::size_t lost : {std::size_t{2}, std::size_t{3}}) {
    for (const FileKind kind : {FileKind::log, FileKind::offset_index, FileKind::time_index})
      std::filesystem::remove(f.path(bases[lost], kind));
  }
  SUBCASE("the index tells where the last segment ended") {}
  SUBCASE("nothing tells it but the end that is known") {
    std::filesystem::remove(f.path(bases[1], FileKind::transaction_index));
  }
  PartitionWorld other;
  const auto& stored = f.request.checkpoint;
  const auto tailing = must(partition::TailingLog::open(
      other.environment, {.name = f.request.name, .directory = f.request.directory, .stored = [&] {
                            return std::optional(stored);
                          }}));
  const auto asked = is_aborted(tailing, f.record);
  REQUIRE_FALSE(asked);
  CHECK(asked.error().code() == Errc::corrupt_record);
}

TEST_CASE("INV-8: a damaged marker is no end of a transaction where no index proves what it was") {
  SpreadAbort f;
  f.open();
  const auto bases = f.segment_bases();
  f.close();
  const std::string log = f.path(bases[2]);
  auto bytes = read_file(log);
  bytes[70] ^= std::byte{1};  // in the record of the marker
  write_file(log, bytes);
  const auto ask = [&] {
    partition::AbortedTransactions aborted(*f.partition);
    partition::FetchCursor cursor(f.partition);
    must(cursor.seek(f.record));
    partition::FetchedBatch batch;
    REQUIRE(must(cursor.peek(f.stable(), true, batch)) == partition::FetchCursor::Step::batch);
    return aborted.contain(batch, f.record, f.stable());
  };
  f.open();
  CHECK(must(ask()));  // The index proves it.
  f.close();
  std::filesystem::remove(f.path(bases[2], FileKind::transaction_index));
  f.open();
  const auto asked = ask();
  REQUIRE_FALSE(asked);
  CHECK(asked.error().code() == Errc::corrupt_record);
}

TEST_CASE("a sealed index spares the walk through the log, and ends the look where nothing is open") {
  Transactions f(100'000);
  f.send(first_producer, 0, 0);
  f.end(ControlType::abort, first_producer, 1);
  must(f.partition->roll());
  f.put("k", "v");
  must(f.partition->roll());
  const auto list = f.partition->segments().load();
  // In this life nothing is known of the file.
  segment::TransactionIndex index(f.world->environment.files, (*list)[0]->transactions().path(), 0);
  CHECK(must(index.proven((*list)[0]->end_position())).has_value());
  std::vector<AbortedTransaction> found;
  const auto end = must(
      partition::AbortedLookup(f.vfs, f.request.directory, *list).collect(0, {.from = 0, .upper = 1}, found));
  CHECK(end == 1);
  CHECK(found.size() == 1);
}

}  // namespace
}  // namespace seriatim::test
