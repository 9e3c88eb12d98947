#include "partition/compaction/transaction_fates.hpp"

#include <string>

#include "unit/partition/transactions_fixture.hpp"

namespace seriatim::test {
namespace {

using partition::Fate;
using partition::TransactionFates;

/// The fate of every transactional batch with data, one letter each: committed, aborted, unknown.
std::string fates_of(const Transactions& f, const TransactionFates& fates, Offset end) {
  partition::FetchCursor cursor(f.partition);
  must(cursor.seek(0));
  std::string letters;
  partition::FetchedBatch batch;
  while (must(cursor.peek(end, false, batch)) == partition::FetchCursor::Step::batch) {
    const bool is_asked = batch.header.is_transactional() && !batch.header.is_control();
    const Fate fate = is_asked ? fates.fate_of(batch.header) : Fate::unknown;
    if (is_asked) letters += fate == Fate::committed ? 'c' : fate == Fate::aborted ? 'a' : 'u';
    cursor.advance(batch);
  }
  return letters;
}

TransactionFates found(const Transactions& f, Offset end) {
  TransactionFates fates;
  const auto list = f.partition->segments().load();
  CHECK(must(fates.find(*list, end, [](std::uint64_t) { return true; })));
  return fates;
}

TEST_CASE("the fate of a batch is what the next marker of its producer says, over segments") {
  Transactions f(300);
  f.send(first_producer, 0, 0);
  f.send(second_producer, 0, 0);
  f.put("k", "plain");
  f.send(first_producer, 0, 1);
  const Offset aborted = f.end(ControlType::abort, first_producer, 1);
  f.send(first_producer, 1, 0);
  f.end(ControlType::commit, second_producer, 1);
  f.end(ControlType::commit, first_producer, 2);
  REQUIRE(f.segment_count() > 1);
  const auto fates = found(f, f.stable());
  CHECK(fates_of(f, fates, f.stable()) == "acac");
  const std::vector<AbortedTransaction> expected{{first_producer, 0, aborted, 1}};
  CHECK(fates.aborted() == expected);
}

TEST_CASE("markers behind the end are looked for, as far as they are needed") {
  Transactions f;
  f.send(first_producer, 0, 0);
  const Offset end = f.partition->log_end_offset();
  f.put("k", "plain");
  f.end(ControlType::abort, first_producer, 1);
  f.send(second_producer, 0, 0);
  CHECK(fates_of(f, found(f, end), f.partition->log_end_offset()) == "au");
}

TEST_CASE("the walk tells of every batch that it reads, and ends where it is told to") {
  Transactions f;
  for (Sequence i = 0; i < 10; ++i) f.send(first_producer, 0, i);
  f.end(ControlType::commit, first_producer, 1);
  const auto list = f.partition->segments().load();
  const auto batches_until = [&](std::uint64_t last) {
    TransactionFates fates;
    std::uint64_t batches = 0;
    const bool is_through = must(fates.find(*list, f.stable(), [&](std::uint64_t bytes) {
      CHECK(bytes > 0);
      return ++batches < last;
    }));
    return std::pair(batches, is_through);
  };
  CHECK(batches_until(1'000) == std::pair<std::uint64_t, bool>(11, true));
  CHECK(batches_until(4) == std::pair<std::uint64_t, bool>(4, false));
}

TEST_CASE("where a marker is damaged or not there, nothing is known") {
  Transactions f;
  f.send(first_producer, 0, 0);
  const std::uint64_t position = f.partition->segments().load()->front()->end_position();
  f.end(ControlType::abort, first_producer, 1);
  f.send(first_producer, 1, 0);
  f.end(ControlType::commit, first_producer, 2);
  f.send(second_producer, 0, 0);
  const Offset end = f.partition->log_end_offset();
  CHECK(fates_of(f, found(f, f.stable()), end) == "acu");
  overwrite(f.path(0), position + format::records_at, "\x01");
  CHECK(fates_of(f, found(f, f.stable()), end) == "ucu");
}

}  // namespace
}  // namespace seriatim::test
