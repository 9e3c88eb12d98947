// Rows of delayed messages, read.
#include "flow/delayed/delayed_tables.hpp"

#include <doctest/doctest.h>

#include "flow/own_tables.hpp"
#include "unit/flow/delayed/delayed_fixture.hpp"

namespace seriatim::test {

using namespace std::chrono_literals;

TEST_CASE("INV-10: pending messages are listed beside the writer too, by name, page by page") {
  DelayedFixture f;
  DelayedMessages delayed = f.open();
  std::vector<std::string> ids;
  for (int i = 0; i < 70; ++i)
    ids.push_back(
        must(delayed.schedule({.topic = "t", .value = std::to_string(i)}, std::chrono::seconds(i))));
  must(::seriatim::detail::EngineImpl::of(f.engine)->checkpointer->checkpoint());
  const Engine reader = open_engine(copy_of(f.engine, f.copies), {.mode = OpenMode::read_only});
  CHECK(must(list_delayed_message_names(reader)) == DelayedValues{"d"});
  CHECK(must(count_delayed_messages(reader, "d")) == 70);
  CHECK(must(count_delayed_messages(reader, "d", DelayedListing::parked)) == 0);
  CHECK(must(count_delayed_messages(reader, "other")) == 0);
  std::vector<std::string> seen;
  for (DelayedPosition after;;) {
    const auto page = must(list_delayed_messages(reader, "d", DelayedListing::pending, after, 33));
    for (const DelayedMessage& message : page) seen.push_back(message.id);
    if (page.size() < 33) break;
    after = {.due = page.back().due, .id = page.back().id};
  }
  CHECK(seen == ids);
  CHECK(must(delayed.list(DelayedListing::pending, {.due = at_ms(DelayedFixture::start_ms + 60'000)}, 99))
            .size() == 10);
  CHECK(code_of(DelayedMessages::open(reader, {.name = "d"})) == Errc::read_only);
}

TEST_CASE("a row of an id that is no due time is reported with its place") {
  const DelayedFixture f;
  TransactionalProducer producer = transactional(f.engine);
  Transaction transaction = must(producer.begin());
  must(flow::own_table(transaction, "__delayed_ids:d").put("x", "no time"));
  must(flow::own_table(transaction, "__delayed:d").put("short", "v"));
  must(transaction.commit());
  const auto tables = must(flow::DelayedTables::open(f.engine, "d"));
  const auto found = tables.find("x");
  CHECK(code_of(found) == Errc::corrupt_metadata);
  CHECK(message_of(found).find("__delayed_ids:d") != std::string::npos);
  CHECK(code_of(tables.list(DelayedListing::pending, {}, 9)) == Errc::corrupt_metadata);
}

TEST_CASE("a row tells where its message is, and whether its id has a row") {
  DelayedFixture f;
  create_topic(f.engine, "gone");
  DelayedMessages delayed = f.open();
  const auto tables = must(flow::DelayedTables::open(f.engine, "d"));
  const std::string made = must(delayed.schedule({.topic = "gone", .value = "v"}, 0ms));
  must(delayed.schedule({.topic = "gone", .value = "v"}, 0ms, "x"));
  CHECK_FALSE(must(tables.find("y")));
  CHECK_FALSE(must(tables.find(made.substr(0, 31) + "f")));
  for (const bool is_parked : {false, true}) {
    if (is_parked) {
      must(f.engine.admin().delete_topic("gone"));
      must(delayed.deliver());
    }
    for (const std::string& id : {made, std::string("x")}) {
      const auto row = must(tables.find(id));
      REQUIRE(row);
      CHECK(row->is_parked == is_parked);
      CHECK(row->has_id_row == (id == "x"));
      CHECK(row->at.due == at_ms(DelayedFixture::start_ms));
      REQUIRE(row->message);
      CHECK(row->message->parked_for.has_value() == is_parked);
    }
  }
}

}  // namespace seriatim::test
