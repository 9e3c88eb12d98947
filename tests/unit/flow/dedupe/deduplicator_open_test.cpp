// The window outlives the process, and belongs to one instance at a time.
#include <seriatim/flow/deduplicator.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

#include "unit/flow/dedupe/dedupe_fixture.hpp"

namespace seriatim::test {

namespace {

using Values = std::vector<std::string>;

}  // namespace

TEST_CASE("the window survives a restart, and a death of the process") {
  DedupeFixture f;
  std::optional<Deduplicator> dedupe = f.open({.window_count = 3});
  for (const char* const id : {"a", "b", "c", "d"}) CHECK(send_once(*dedupe, id, id));
  {
    DedupeTransaction open = must(dedupe->begin());
    must(open.once("e", sending("e", "r")));
    const Engine copy = open_engine(copy_of(f.engine, f.copies));
    Deduplicator again = f.open_in(copy, {.window_count = 3});
    CHECK(again.counts().ids == 4);
    CHECK_FALSE(send_once(again, "b", "b"));
    CHECK_FALSE(send_once(again, "d", "d"));
    CHECK(send_once(again, "e", "e"));
    CHECK(send_once(again, "a", "a"));
  }
  dedupe.reset();
  must(f.engine.close());
  const Engine reopened = open_engine(f.dir / "data");
  Deduplicator again = f.open_in(reopened, {.window_count = 3});
  CHECK_FALSE(send_once(again, "b", "b"));
  CHECK_FALSE(send_once(again, "d", "d"));
  CHECK(send_once(again, "e", "e"));
}

TEST_CASE("of two instances of a name the older one is fenced, and what it had begun is aborted") {
  const DedupeFixture f;
  Deduplicator older = f.open({.transactions_max = 8});
  std::vector<DedupeTransaction> begun;
  for (int i = 0; i < 8; ++i) {
    begun.push_back(must(older.begin()));
    must(begun.back().once("a" + std::to_string(i), sending("older", "r")));
  }
  Deduplicator newer = f.open({.transactions_max = 1});
  for (DedupeTransaction& work : begun) {
    CHECK(code_of(work.check("z")) == Errc::producer_fenced);
    CHECK(code_of(work.commit()) == Errc::producer_fenced);
  }
  begun.clear();
  CHECK(code_of(older.begin()) == Errc::producer_fenced);
  CHECK(code_of(older.sweep()) == Errc{});  // There is nothing to sweep.
  CHECK(code_of(older.forget("a0")) == Errc::producer_fenced);
  TransactionalProducer producer = transactional(f.engine);
  CHECK(code_of(older.join(must(producer.begin()))) == Errc::producer_fenced);
  for (int i = 0; i < 8; ++i) CHECK(send_once(newer, "a" + std::to_string(i), "newer"));
  CHECK(committed_values(f.engine, "t") == Values(8, "newer"));
}

TEST_CASE("names whose one is the beginning of another do not fence each other") {
  const DedupeFixture f;
  Deduplicator one = must(Deduplicator::open(f.engine, {.name = "a"}));
  Deduplicator two = must(Deduplicator::open(f.engine, {.name = "a:1"}));
  Deduplicator again = must(Deduplicator::open(f.engine, {.name = "a"}));
  CHECK(send_once(two, "x", "v"));
  CHECK(send_once(again, "x", "v"));
  CHECK(code_of(one.begin()) == Errc::producer_fenced);
}

}  // namespace seriatim::test
