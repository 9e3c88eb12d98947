// Windows as they are stored, for who does not run them.
#include <seriatim/flow/deduplicator.hpp>

#include <doctest/doctest.h>

#include "flow/own_tables.hpp"
#include "unit/flow/dedupe/dedupe_fixture.hpp"

namespace seriatim::test {
namespace {

using std::chrono::milliseconds;

}  // namespace

TEST_CASE("names, limits and ids of deduplicators are listed") {
  DedupeFixture f;
  CHECK(must(list_deduplicators(f.engine)).empty());
  CHECK(code_of(describe_deduplicator(f.engine, "shop")) == Errc::not_found);
  Deduplicator dedupe = f.open({.window_time = milliseconds(5'000), .window_count = 9});
  const DedupeDescription empty = must(describe_deduplicator(f.engine, "shop"));
  CHECK(empty.ids == 0);
  CHECK_FALSE(empty.oldest);
  const Timestamp began{milliseconds(f.clock.wall_ms())};
  for (int i = 0; i < 300; ++i) {
    DedupeTransaction work = must(dedupe.begin());
    const std::string id = "id" + std::to_string(1'000 + i);
    REQUIRE(must(work.check(id)).is_first);
    must(work.record(id, i == 7 ? BytesView("result") : BytesView()));
    must(work.commit());
    f.clock.advance_ms(1);
  }
  CHECK(must(list_deduplicators(f.engine)) == std::vector<std::string>{"shop"});
  const DedupeDescription described = must(describe_deduplicator(f.engine, "shop"));
  CHECK(described.name == "shop");
  CHECK(described.window_time == milliseconds(5'000));
  CHECK(described.window_count == 9);
  CHECK(described.ids == 300);
  CHECK(described.results == 1);
  CHECK(described.result_bytes == 6);
  CHECK(described.oldest == began);
  CHECK(described.newest == began + milliseconds(299));
  const auto entries = must(list_dedupe_ids(f.engine, "shop", "id1007", 2));
  REQUIRE(entries.size() == 2);
  CHECK(entries[0].id == "id1007");
  CHECK(entries[0].result == "result");
  CHECK(entries[0].time == began + milliseconds(7));
  CHECK(entries[1].id == "id1008");
  CHECK_FALSE(entries[1].result);
}

TEST_CASE("the limits of the last open are stored") {
  const DedupeFixture f;
  f.open({.window_count = 9});
  f.open({.window_count = 7});
  CHECK(must(describe_deduplicator(f.engine, "shop")).window_count == 7);
}

TEST_CASE("a deduplicator that is deleted forgets all ids and its name, and fences who has it open") {
  const DedupeFixture f;
  Deduplicator dedupe = f.open();
  for (int i = 0; i < 200; ++i) CHECK(send_once(dedupe, "id" + std::to_string(i), "v"));
  CHECK(code_of(delete_deduplicator(f.engine, "no")) == Errc::not_found);
  CHECK(must(delete_deduplicator(f.engine, "shop")) == 200);
  CHECK(must(list_deduplicators(f.engine)).empty());
  CHECK(must(list_dedupe_ids(f.engine, "shop", {}, 10)).empty());
  CHECK(code_of(dedupe.begin()) == Errc::producer_fenced);
  Deduplicator again = f.open();
  CHECK(send_once(again, "id7", "v"));
}

TEST_CASE("rows that are none are an error of everything but the deletion") {
  const DedupeFixture f;
  { const Deduplicator dedupe = f.open(); }
  {
    TransactionalProducer producer = transactional(f.engine);
    Transaction transaction = must(producer.begin());
    must(flow::own_table(transaction, flow::dedupe_state("shop")).put("id", "x"));
    must(flow::own_table(transaction, flow::dedupe_window_state("shop")).put("window", "x"));
    must(transaction.commit());
  }
  CHECK(code_of(Deduplicator::open(f.engine, {.name = "shop"})) == Errc::corrupt_metadata);
  CHECK(code_of(describe_deduplicator(f.engine, "shop")) == Errc::corrupt_metadata);
  CHECK(code_of(list_dedupe_ids(f.engine, "shop", {}, 10)) == Errc::corrupt_metadata);
  CHECK(must(delete_deduplicator(f.engine, "shop")) == 1);
  Deduplicator again = f.open();
  CHECK(send_once(again, "id", "v"));
}

TEST_CASE("a row that is damaged while its deduplicator is open is an error of its check and of sweeps") {
  const DedupeFixture f;
  Deduplicator dedupe = f.open();
  CHECK(send_once(dedupe, "id", "v"));
  TransactionalProducer producer = transactional(f.engine);
  Transaction transaction = must(producer.begin());
  must(flow::own_table(transaction, flow::dedupe_state("shop")).put("id", "x"));
  must(transaction.commit());
  DedupeTransaction work = must(dedupe.begin());
  CHECK(code_of(work.check("id")) == Errc::corrupt_metadata);
  CHECK(code_of(work.check("id")) == Errc::corrupt_metadata);
  CHECK(code_of(dedupe.forget("id")) == Errc::corrupt_metadata);
  CHECK(code_of(dedupe.sweep()) == Errc::corrupt_metadata);
}

TEST_CASE("more ids than one transaction takes are erased in several") {
  const DedupeFixture f;
  const Engine engine = open_engine(f.dir / "small", {.transaction_max_bytes = 4'096});
  Deduplicator dedupe = f.open_in(engine, {.window_count = 1});
  for (int i = 0; i < 100; ++i) {
    DedupeTransaction work = must(dedupe.begin());
    const std::string id = std::to_string(i) + std::string(390, 'x');
    REQUIRE(must(work.check(id)).is_first);
    must(work.record(id));
    must(work.commit());
  }
  CHECK(must(dedupe.sweep()) == 99);
  CHECK(dedupe.counts().ids == 1);
}

}  // namespace seriatim::test
