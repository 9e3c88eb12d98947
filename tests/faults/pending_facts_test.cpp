// A catalog that refuses what was gathered for it: facts stay where lookups find them, and are told again.
#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <vector>

#include "catalog/stored_state.hpp"
#include "support/catalog_writes.hpp"
#include "unit/api/engine_fixture.hpp"

namespace seriatim::test {
namespace {

using detail::EngineImpl;

struct Committed {
  TempDir dir;
  Engine engine = open_engine(dir / "data", {.checkpoint_interval = std::chrono::hours(24)});
  EngineImpl& impl = *EngineImpl::of(engine);

  Committed() {
    create_topic(engine, "t");
    must(must(engine.producer()).send_sync({.topic = "t", .value = "v"}));
    must(impl.checkpointer->checkpoint());
    auto sender = must(engine.transactional_producer({.transactional_id = "x"}));
    auto transaction = must(sender.begin());
    must(transaction.state("table").put("key", "value"));
    must(transaction.send_offsets({{t0, {.offset = 1}}}, {.group_id = "g"}));
    must(transaction.commit());
  }
  void check_it_is_found() const {
    CHECK(must(engine.admin().group_offsets("g"))[0].committed.offset == 1);
    CHECK(must(must(engine.state("table")).get("key")).has_value());
  }
  void check_the_catalog_has_it() const {
    const auto found = must(impl.catalog->committed("g", t0));
    CHECK((found && found->offset == 1));
    CHECK(must(catalog::state_names(*impl.catalog)) == std::vector<std::string>{"table"});
  }
};

}  // namespace

TEST_CASE("what a full disk keeps from the catalog is told again, and was never forgotten") {
  const Committed made;
  {
    const CatalogWrites full(1, WriteFault::fails_with_enospc);
    CHECK(code_of(made.impl.checkpointer->store_commits()) == Errc::storage_full);
    REQUIRE(CatalogWrites::has_struck());
  }
  CHECK_FALSE(must(made.impl.catalog->committed("g", t0)));
  made.check_it_is_found();
  must(made.impl.checkpointer->store_commits());
  made.check_the_catalog_has_it();
  made.check_it_is_found();
}

TEST_CASE("a checkpoint that is made again with the reserve given up has what the first one gathered") {
  const Committed made;
  {
    const CatalogWrites full(1, WriteFault::fails_with_enospc);
    must(made.impl.checkpointer->checkpoint());
    REQUIRE(CatalogWrites::has_struck());
  }
  made.check_the_catalog_has_it();
  made.check_it_is_found();
}

}  // namespace seriatim::test
