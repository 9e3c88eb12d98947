#include "transaction/unflushed_commits.hpp"

#include <doctest/doctest.h>

#include "unit/transaction/transaction_fixture.hpp"

namespace seriatim::test {
namespace {

struct UnflushedFixture : TransactionFixture {
  void write(std::size_t at, std::uint64_t lsn) {
    auto bytes = make_batch({});
    must(partitions[at]->append(format::framed_batch(bytes)));
    commits.enter(*partitions[at]);
    commits.note_staged(lsn);
  }
  std::uint64_t syncs() const { return world->counters.syncs.value(); }
  transaction::UnflushedCommits commits;
};

TEST_CASE("every partition of a commit is flushed, once, and nothing is called durable") {
  UnflushedFixture f;
  f.write(0, 5);
  f.write(1, 5);
  f.write(1, 6);
  CHECK(f.syncs() == 0);
  must(f.commits.flush(4));
  CHECK(f.syncs() == 2);
  must(f.commits.flush(6));
  must(f.commits.flush(99));
  CHECK(f.syncs() == 2);
  CHECK(f.partitions[0]->durable_offset() == 0);
  f.write(0, 7);
  must(f.commits.flush(6));
  CHECK(f.syncs() == 2);
  must(f.commits.flush(7));
  CHECK(f.syncs() == 3);
}

TEST_CASE("a flush that failed is gone on with by the next, in every partition") {
  for (const std::size_t refusing : {std::size_t{0}, std::size_t{1}}) {
    UnflushedFixture f;
    f.write(0, 5);
    f.write(1, 5);
    // Its flush would wait for this thread.
    must(f.partitions[refusing]->claim(100));
    CHECK(code_of(f.commits.flush(5)) == Errc::invalid_state);
    f.partitions[refusing]->abandon_claim();
    must(f.commits.flush(5));
    CHECK(f.syncs() == 2);
  }
}

}  // namespace
}  // namespace seriatim::test
