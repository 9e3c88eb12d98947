#include "state/state_tables.hpp"

#include <doctest/doctest.h>

#include "format/journal/journal_decision.hpp"
#include "unit/api/engine_fixture.hpp"

namespace seriatim::test {
namespace {

using format::JournalFrameType;

std::vector<std::byte> decision_that_puts(std::string_view key, std::optional<std::string_view> value) {
  format::JournalDecision decision{
      .producer_id = 7, .producer_epoch = 0, .next_epoch = 1, .transactional_id = "x"};
  auto& change = decision.state.emplace_back();
  change.name = "s";
  change.key = base::as_bytes(key);
  if (value) change.value = base::as_bytes(*value);
  return format::encode_journal_decision(decision);
}

}  // namespace

TEST_CASE("state of decisions is restored, the last value of a key stays, other frames are passed over") {
  const std::optional<catalog::Catalog> no_catalog;
  state::StateTables tables(no_catalog);
  must(tables.replay({1, JournalFrameType::committed_offsets, decision_that_puts("k", "other")}));
  CHECK_FALSE(tables.has_changes());
  must(tables.replay({2, JournalFrameType::decision, decision_that_puts("k", "old")}));
  must(tables.replay({3, JournalFrameType::decision_at_leader, decision_that_puts("k", "new")}));
  must(tables.replay({4, JournalFrameType::decision, decision_that_puts("gone", std::nullopt)}));
  CHECK(code_of(tables.replay({5, JournalFrameType::decision, {}})) == Errc::corrupt_metadata);
  const auto value = must(tables.value("s", base::as_bytes(std::string_view("k"))));
  REQUIRE(value);
  CHECK(base::as_text(*value) == "new");
  CHECK_FALSE(must(tables.value("s", base::as_bytes(std::string_view("gone")))));
  catalog::TableWrites gathered;
  tables.gather(gathered);
  REQUIRE(gathered.in_order().size() == 2);
  CHECK(gathered.in_order()[0].kind == catalog::TableWrites::Kind::erase);
  CHECK(gathered.in_order()[1].kind == catalog::TableWrites::Kind::put);
  tables.stored(4);
  CHECK_FALSE(tables.has_changes());
}

}  // namespace seriatim::test
