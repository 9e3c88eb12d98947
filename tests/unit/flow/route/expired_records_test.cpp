// Time to live: expired records become dead letters, once, with the positions.
#include <seriatim/flow/expiry.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include <seriatim/flow/router.hpp>

#include "unit/api/transaction_fixture.hpp"

namespace seriatim::test {
namespace {

using std::chrono::milliseconds;

Timestamp expiry_ms(std::int64_t ms) { return Timestamp(milliseconds(ms)); }

struct ExpiryFixture {
  void add(const std::string& value, const std::string& expires_ms) {
    const std::vector<HeaderView> headers{{"h", "1"}, {expires_header, expires_ms}, {"n", {}}};
    must(producer.send_sync(
        {.topic = "t", .key = "k", .value = value, .timestamp = expiry_ms(3), .headers = headers}));
  }
  /// Reads all of t behind the group's position; the values that live at `now_ms`.
  Result<std::string> consume(std::int64_t now_ms, bool commits = true, const ExpiryOptions& options = {}) {
    Consumer consumer = must(opened.engine.consumer({.group_id = "g"}));
    must(consumer.assign_topic("t"));
    const auto records = must(consumer.poll(milliseconds(0)));
    Transaction transaction = must(transactions.begin());
    const auto split = bury_expired(opened.engine, transaction, records, expiry_ms(now_ms), options);
    if (!split) return split.error();
    std::string live;
    for (const RecordView& record : split->live) live += record.value().text();
    CHECK(split->expired == records.count() - split->live.size());
    must(transaction.send_offsets(records.next_offsets(), consumer.group_metadata()));
    if (commits) must(transaction.commit());
    return live;
  }

  OpenedEngine opened;
  Producer producer = must(opened.engine.producer());
  TransactionalProducer transactions = transactional(opened.engine);
};

}  // namespace

TEST_CASE("a record is expired from its time on, and one without a time never") {
  ExpiryFixture f;
  for (const char* text : {"1000", "", "abc", "1000x", "-5", "99999999999999999999"}) f.add("v", text);
  must(f.producer.send_sync({.topic = "t", .value = "v"}));
  const std::vector<HeaderView> null_header{{expires_header, {}}};
  must(f.producer.send_sync({.topic = "t", .value = "v", .headers = null_header}));
  const std::vector<HeaderView> twice{{expires_header, "5"}, {expires_header, "1000"}};
  must(f.producer.send_sync({.topic = "t", .value = "v", .headers = twice}));
  const auto records = must(must(f.opened.engine.reader({"t", 0})).read(0, 20));
  REQUIRE(records.count() == 9);
  CHECK(expiry_of(records[0]) == expiry_ms(1000));
  CHECK(is_expired(records[0], expiry_ms(1000)));
  CHECK_FALSE(is_expired(records[0], expiry_ms(999)));
  for (const std::size_t i : {1U, 2U, 3U, 5U, 6U, 7U}) {
    CAPTURE(i);
    CHECK_FALSE(expiry_of(records[i]));
    CHECK_FALSE(is_expired(records[i], Timestamp::max()));
  }
  CHECK(is_expired(records[4], expiry_ms(0)));
  CHECK(expiry_of(records[8]) == expiry_ms(1000));
}

TEST_CASE("an expired record has one letter, which says where it was, and the others come in their order") {
  ExpiryFixture f;
  f.add("a", "100");
  f.add("b", "200");
  f.add("c", "100");
  f.add("d", "200");
  CHECK(must(f.consume(150, true, {.group_id = "g"})) == "bd");
  CHECK(must(f.consume(150)) == "");
  const auto letters = read_all(f.opened.engine, "t.DLQ");
  REQUIRE(values_of(letters) == std::vector<std::string>{"a", "c"});
  CHECK(letters[1].key == "k");
  CHECK(letters[1].timestamp == expiry_ms(3));
  std::string headers;
  for (const auto& [name, value] : letters[1].headers) headers += name + "=" + value.value_or("null") + "\n";
  CHECK(headers ==
        "h=1\n"
        "n=null\n"
        "__dlq.errors.topic=t\n"
        "__dlq.errors.partition=0\n"
        "__dlq.errors.offset=2\n"
        "__dlq.errors.group=g\n"
        "__dlq.errors.message=The record's time to live is over.\n");
}

TEST_CASE("letters and positions are one: where the transaction is aborted, the records come again") {
  ExpiryFixture f;
  f.add("a", "100");
  f.add("b", "200");
  CHECK(must(f.consume(150, false)) == "b");
  CHECK(committed_values(f.opened.engine, "t.DLQ").empty());
  CHECK(must(f.consume(150)) == "b");
  CHECK(committed_values(f.opened.engine, "t.DLQ").size() == 1);
  CHECK(committed_offset(f.opened.engine, "g", t0) == 2);
}

TEST_CASE("letters go to the topic that the suffix names, whether it is there or not") {
  ExpiryFixture f;
  create_topic(f.opened.engine, "t-late", 3);
  f.add("a", "100");
  CHECK(must(f.consume(150, true, {.dead_letter_suffix = "-late"})) == "");
  CHECK(must(f.opened.engine.admin().describe_topic("t-late")).partitions.size() == 3);
  std::size_t letters = 0;
  for (PartitionId i = 0; i < 3; ++i) letters += committed_values(f.opened.engine, "t-late", i).size();
  CHECK(letters == 1);
}

TEST_CASE("a letter that does not fit goes without its record, and options out of range are refused") {
  ExpiryFixture f;
  create_topic(f.opened.engine, "t.DLQ", 1, {{"max.message.bytes", "400"}});
  f.add(std::string(1000, 'x'), "100");
  CHECK(must(f.consume(150)) == "");
  const auto letters = read_all(f.opened.engine, "t.DLQ");
  REQUIRE(letters.size() == 1);
  CHECK_FALSE(letters[0].value);
  CHECK_FALSE(letters[0].key);
  CHECK(letters[0].headers.size() == 6);
  CHECK(code_of(f.consume(150, true, {.dead_letter_suffix = ""})) == Errc::invalid_argument);
  CHECK(code_of(f.consume(150, true, {.dead_letter_suffix = std::string(250, 'x')})) ==
        Errc::invalid_argument);
  f.add("a", "100");
  CHECK(code_of(f.consume(150, true, {.dead_letter_suffix = "/"})) == Errc::invalid_topic);
}

}  // namespace seriatim::test
