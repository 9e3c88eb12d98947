#include "transaction/unflushed_commits.hpp"

#include <doctest/doctest.h>

#include "unit/transaction/transaction_fixture.hpp"

namespace seriatim::test {
namespace {

struct UnflushedFixture : TransactionFixture {
  void write(std::size_t at) {
    auto bytes = make_batch({});
    must(partitions[at]->append(format::framed_batch(bytes)));
    commits.enter(*partitions[at]);
  }
  std::uint64_t syncs() const { return world->counters.syncs.value(); }
  transaction::UnflushedCommits commits;
};

TEST_CASE("every partition of a commit is flushed, once, and nothing is called durable") {
  UnflushedFixture f;
  must(f.commits.flush());
  f.write(0);
  f.write(1);
  f.write(1);
  CHECK(f.syncs() == 0);
  must(f.commits.flush());
  CHECK(f.syncs() == 2);
  must(f.commits.flush());
  CHECK(f.syncs() == 2);
  CHECK(f.partitions[0]->durable_offset() == 0);
  f.write(0);
  must(f.commits.flush());
  CHECK(f.syncs() == 3);
}

TEST_CASE("a flush that failed is gone on with by the next, in every partition") {
  for (const std::size_t refusing : {std::size_t{0}, std::size_t{1}}) {
    UnflushedFixture f;
    f.write(0);
    f.write(1);
    // Its flush would wait for this thread.
    must(f.partitions[refusing]->claim(100));
    CHECK(code_of(f.commits.flush()) == Errc::invalid_state);
    f.partitions[refusing]->abandon_claim();
    must(f.commits.flush());
    CHECK(f.syncs() == 2);
  }
}

}  // namespace
}  // namespace seriatim::test
