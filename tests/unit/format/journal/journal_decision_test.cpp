#include "format/journal/journal_decision.hpp"

#include <doctest/doctest.h>

#include "support/random.hpp"
#include "unit/format/examples.hpp"

using namespace seriatim;
using namespace seriatim::format;

namespace {

constexpr ProducerId producer = ProducerId{1} << 40;

JournalDecision example() {
  JournalDecision decision{
      .producer_id = producer, .producer_epoch = 3, .next_epoch = 4, .time_ms = 7, .transactional_id = "pay"};
  decision.partitions.push_back(
      {.topic_id = {std::byte{1}}, .partition = 2, .first_offset = 10, .last_offset = 12});
  decision.offsets.push_back({.group = "g",
                              .commit_time_ms = 7,
                              .offsets = {{.topic_id = {std::byte{9}}, .partition = 1, .offset = 5}}});
  decision.state.push_back({.name = "n",
                            .key = base::as_bytes(std::string_view("k")),
                            .value = base::as_bytes(std::string_view("val"))});
  decision.state.push_back({.name = "n", .key = base::as_bytes(std::string_view("gone"))});
  return decision;
}

}  // namespace

TEST_CASE("the worked example of a decision, byte by byte") {
  JournalDecision decision{
      .producer_id = producer, .producer_epoch = 3, .next_epoch = 4, .time_ms = 7, .transactional_id = "pay"};
  decision.partitions.push_back(
      {.topic_id = {std::byte{1}}, .partition = 2, .first_offset = 10, .last_offset = 12});
  decision.state.push_back({.name = "n", .key = base::as_bytes(std::string_view("k"))});
  CHECK(test::to_hex(encode_journal_decision(decision)) ==
        "00 00 00 00 00 01 00 00 03 00 04 00 07 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00 01 00 00 00 "
        "03 00 70 61 79 "
        "01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 02 00 00 00 0a 00 00 00 00 00 00 00 0c 00 00 00 "
        "00 00 00 00 "
        "01 00 01 00 ff ff ff ff 6e 6b");
}

TEST_CASE("deaths of share groups stand behind the state, byte by byte, and only where there are any") {
  JournalDecision decision = example();
  const auto without = encode_journal_decision(decision);
  decision.deaths.push_back(
      {.group = "grp", .topic_id = {std::byte{1}}, .partition = 2, .runs = {{258, 262}, {264, 264}}});
  const auto payload = encode_journal_decision(decision);
  CHECK(test::to_hex(base::ByteSpan(payload).first(without.size())) == test::to_hex(without));
  const auto section = base::ByteSpan(payload).subspan(without.size());
  CHECK(test::to_hex(section) ==
        "01 00 00 00 03 00 67 72 70 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 02 00 00 00 "
        "02 00 00 00 84 04 08 02 00");
  CHECK(section.size() <= decided_deaths_section_bytes + decided_deaths_bytes_max(3, 2));
  const auto parsed = parse_journal_decision(payload);
  REQUIRE(parsed.ok());
  CHECK(parsed->deaths == decision.deaths);
  CHECK(parsed->state.size() == 2);
}

TEST_CASE("a section of deaths that is cut, empty or impossible is refused") {
  JournalDecision decision = example();
  const std::size_t without_bytes = encode_journal_decision(decision).size();
  const DecidedDeaths dead{.group = "g", .partition = 2, .runs = {{258, 262}}};
  const auto is_taken = [&](const DecidedDeaths& changed) {
    decision.deaths = {dead, changed};
    return parse_journal_decision(encode_journal_decision(decision)).ok();
  };
  CHECK(is_taken(dead));
  CHECK_FALSE(is_taken({.group = "", .partition = 2, .runs = dead.runs}));
  CHECK_FALSE(is_taken({.group = "g", .partition = -1, .runs = dead.runs}));
  CHECK_FALSE(is_taken({.group = "g", .partition = 2, .runs = {}}));
  decision.deaths = {dead, dead};
  const auto payload = encode_journal_decision(decision);
  for (std::size_t size = without_bytes + 1; size < payload.size(); ++size)
    CHECK_FALSE(parse_journal_decision(base::ByteSpan(payload).first(size)).ok());
  auto none = payload;
  none.resize(without_bytes + decided_deaths_section_bytes);
  base::store_le(none.data() + without_bytes, std::uint32_t{0});
  CHECK_FALSE(parse_journal_decision(none).ok());
}

TEST_CASE("a decision comes back as it was written") {
  const auto payload = encode_journal_decision(example());
  const auto parsed = parse_journal_decision(payload);
  REQUIRE(parsed.ok());
  CHECK(parsed->producer_id == producer);
  CHECK(parsed->producer_epoch == 3);
  CHECK(parsed->next_epoch == 4);
  CHECK(parsed->transactional_id == "pay");
  CHECK(parsed->partitions == example().partitions);
  REQUIRE(parsed->offsets.size() == 1);
  CHECK(parsed->offsets[0] == example().offsets[0]);
  REQUIRE(parsed->state.size() == 2);
  CHECK(base::as_text(parsed->state[0].key) == "k");
  REQUIRE(parsed->state[0].value);
  CHECK(base::as_text(*parsed->state[0].value) == "val");
  CHECK_FALSE(parsed->state[1].value);
  CHECK(encode_journal_decision(*parsed) == payload);
}

TEST_CASE("every shorter or longer decision is refused, and no byte makes it read beyond its end") {
  auto decision = example();
  auto payload = encode_journal_decision(decision);
  for (std::size_t size = 0; size < payload.size(); ++size)
    CHECK_FALSE(parse_journal_decision(base::ByteSpan(payload).first(size)).ok());
  auto longer = payload;
  longer.push_back(std::byte{0});
  CHECK_FALSE(parse_journal_decision(longer).ok());
  decision.deaths.push_back({.group = "g", .partition = 2, .runs = {{258, 262}, {270, 290}}});
  payload = encode_journal_decision(decision);
  test::Random random("decisions of any bytes");
  for (int i = 0; i < 20'000; ++i) {
    auto changed = payload;
    changed[static_cast<std::size_t>(random.between(0, static_cast<std::int64_t>(changed.size()) - 1))] =
        static_cast<std::byte>(random.between(0, 255));
    const auto parsed = parse_journal_decision(changed);
    if (parsed.ok()) CHECK(encode_journal_decision(*parsed) == changed);
  }
}

TEST_CASE("a decision with an impossible place is refused") {
  auto decision = example();
  decision.partitions[0].last_offset = 9;
  CHECK_FALSE(parse_journal_decision(encode_journal_decision(decision)).ok());
  decision = example();
  decision.producer_epoch = -1;
  CHECK_FALSE(parse_journal_decision(encode_journal_decision(decision)).ok());
}
