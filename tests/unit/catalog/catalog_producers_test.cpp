#include <doctest/doctest.h>

#include <limits>
#include <string>

#include "catalog/catalog.hpp"
#include "catalog/record_store.hpp"
#include "catalog/records/catalog_schema.hpp"
#include "catalog/records/value_codec.hpp"
#include "support/child_process.hpp"
#include "unit/catalog/made_catalog.hpp"

namespace seriatim::catalog {
namespace {

TEST_CASE("producer ids begin at 2^40 and are given out once, also after reopening") {
  const MadeCatalog made;
  {
    Catalog catalog = made.open();
    CHECK(must(catalog.producer_id_end()) == 1'099'511'627'776);
    CHECK(must(catalog.reserve_producer_ids(1'000)) == 1'099'511'627'776);
    CHECK(must(catalog.reserve_producer_ids(1)) == first_producer_id + 1'000);
    CHECK(must(catalog.producer_id_end()) == first_producer_id + 1'001);
  }
  Catalog catalog = made.open();
  CHECK(must(catalog.producer_id_end()) == first_producer_id + 1'001);
  CHECK(must(catalog.reserve_producer_ids(5)) == first_producer_id + 1'001);
  for (const std::int32_t count : {0, -1}) {
    const Result<ProducerId> reserved = catalog.reserve_producer_ids(count);
    REQUIRE_FALSE(reserved.ok());
    CHECK(reserved.error().code() == Errc::invalid_argument);
  }
  CHECK(must(catalog.producer_id_end()) == first_producer_id + 1'006);
}

TEST_CASE("no producer id of 2^63 or above is ever given out") {
  const MadeCatalog made;
  constexpr ProducerId last = std::numeric_limits<ProducerId>::max();
  {
    const std::unique_ptr<Environment> environment = must(open_environment(made.path, options()));
    must(environment->write([](WriteTransaction& out) {
      return put_record(out, Database::engine, producer_ids_key, ProducerIds{last - 10});
    }));
  }
  Catalog catalog = made.open();
  const Result<ProducerId> beyond = catalog.reserve_producer_ids(11);
  REQUIRE_FALSE(beyond.ok());
  CHECK(beyond.error().code() == Errc::invalid_state);
  CHECK(must(catalog.reserve_producer_ids(10)) == last - 10);
  CHECK(must(catalog.producer_id_end()) == last);
  CHECK(catalog.reserve_producer_ids(1).error().code() == Errc::invalid_state);
}

TEST_CASE("a process that is killed has given out no producer id that is given out again") {
  const MadeCatalog made;
  test::ChildProcess child([&](const test::ChildProcess::Voice& voice) {
    Result<Catalog> catalog = Catalog::open(made.path, options());
    // Ends by SIGKILL only.
    while (catalog) voice.say(catalog->reserve_producer_ids(7) ? "." : "!");
    voice.say("!");
  });
  CHECK(child.hear(20) == std::string(20, '.'));
  child.kill();
  const auto reservations = static_cast<ProducerId>(20 + child.hear_all().size());
  const ProducerId next = must(made.open().reserve_producer_ids(1));
  CHECK(next >= first_producer_id + 7 * reservations);
  CHECK(next <= first_producer_id + 7 * (reservations + 1));
}

TEST_CASE("named producers are kept, replaced, listed by name and deleted") {
  const MadeCatalog made;
  const NamedProducer first{first_producer_id, 3, 100, 200};
  const NamedProducer second{first_producer_id + 1, 0, 300, 300};
  {
    Catalog catalog = made.open();
    must(catalog.put_named_producer("b", second));
    must(catalog.put_named_producer("a", second));
    must(catalog.put_named_producer("a", first));
  }
  Catalog catalog = made.open();
  CHECK(must(catalog.named_producer("a")) == first);
  CHECK_FALSE(must(catalog.named_producer("c")).has_value());
  CHECK_FALSE(must(catalog.named_producer("")).has_value());
  CHECK(must(catalog.named_producers()) == std::map<std::string, NamedProducer>{{"a", first}, {"b", second}});
  must(catalog.delete_named_producer("a"));
  must(catalog.delete_named_producer("a"));
  must(catalog.delete_named_producer(std::string(600, 'x')));
  CHECK(must(catalog.named_producers()).size() == 1);
}

TEST_CASE("transactional ids are kept, replaced, listed and deleted") {
  const MadeCatalog made;
  const TransactionalId record{first_producer_id, 3, 60'000, 200};
  {
    Catalog catalog = made.open();
    must(catalog.put_transactional_id("b", {}));
    must(catalog.put_transactional_id("b", record));
    must(catalog.put_transactional_id(std::string(255, 'a'), record));
  }
  Catalog catalog = made.open();
  CHECK(must(catalog.transactional_ids()) ==
        std::map<std::string, TransactionalId>{{std::string(255, 'a'), record}, {"b", record}});
  must(catalog.delete_transactional_id("b"));
  must(catalog.delete_transactional_id("b"));
  CHECK(must(catalog.transactional_ids()).size() == 1);
}

TEST_CASE("producers that could not be read back are refused, and nothing is stored") {
  const MadeCatalog made;
  Catalog catalog = made.open();
  const auto is_refused = [](const Result<void>& put) {
    return !put.ok() && put.error().code() == Errc::invalid_argument;
  };
  for (const std::string& name : {std::string(), std::string(256, 'p'), std::string("a\0b", 3)}) {
    CHECK(is_refused(catalog.put_named_producer(name, {})));
    CHECK(is_refused(catalog.put_transactional_id(name, {})));
  }
  CHECK(is_refused(catalog.put_named_producer("p", {-1, 0, 0, 0})));
  CHECK(is_refused(catalog.put_named_producer("p", {0, -1, 0, 0})));
  CHECK(is_refused(catalog.put_transactional_id("p", {-1, 0, 0, 0})));
  CHECK(is_refused(catalog.put_transactional_id("p", {0, -1, 0, 0})));
  CHECK(is_refused(catalog.put_transactional_id("p", {0, 0, -1, 0})));
  CHECK(must(catalog.named_producers()).empty());
  CHECK(must(catalog.transactional_ids()).empty());
}

}  // namespace
}  // namespace seriatim::catalog
