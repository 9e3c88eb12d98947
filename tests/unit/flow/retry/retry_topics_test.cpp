#include "flow/retry/retry_topics.hpp"

#include <doctest/doctest.h>

#include "unit/api/engine_fixture.hpp"

namespace seriatim::test {
namespace {

TEST_CASE("the topics of a retry consumer are made once, and kept as somebody made them") {
  const OpenedEngine f(3, {{"max.message.bytes", "5000000"}});
  create_topic(f.engine, "small");
  create_topic(f.engine, "small.DLQ", 2, {{"retention.ms", "1000"}});
  for (int i = 0; i < 2; ++i) {
    flow::RetryTopics topics(f.engine, "g", "g.retry");
    must(topics.make({"small", "t"}));
    CHECK(topics.retry_partition(4) == 1);
    CHECK(must(topics.letter_place("t", 2)) == TopicPartition{"t.DLQ", 2});
    CHECK(must(topics.letter_place("small", 3)) == TopicPartition{"small.DLQ", 1});
  }
  const TopicDescription retry = must(f.engine.admin().describe_topic("g.retry"));
  CHECK(retry.partitions.size() == 3);
  CHECK(retry.config.retention_ms == -1);
  CHECK(retry.config.retention_consumed_groups == std::vector<std::string>{"g"});
  const TopicDescription letters = must(f.engine.admin().describe_topic("t.DLQ"));
  CHECK(letters.partitions.size() == 3);
  CHECK(letters.config.retention_ms == -1);
  CHECK(letters.config.max_message_bytes > 5'000'000);
  CHECK(must(f.engine.admin().describe_topic("small.DLQ")).config.retention_ms == 1'000);
}

TEST_CASE("a group whose name cannot stand in a list has a retry topic all the same") {
  const OpenedEngine f;
  flow::RetryTopics topics(f.engine, "a,b", "ab");
  must(topics.make({"t"}));
  CHECK(must(f.engine.admin().describe_topic("ab")).config.retention_consumed_groups.empty());
}

TEST_CASE("names that are no topics, and topics that are not there, are errors") {
  const OpenedEngine f;
  CHECK(code_of(flow::RetryTopics(f.engine, "a b", "a b.retry").make({"t"})) == Errc::invalid_topic);
  CHECK(code_of(flow::RetryTopics(f.engine, "g", "g.retry").make({"none"})) ==
        Errc::unknown_topic_or_partition);
  const std::string longest(249, 'x');
  create_topic(f.engine, longest);
  CHECK(code_of(flow::RetryTopics(f.engine, "g", "g.retry").make({longest})) == Errc::invalid_topic);
}

}  // namespace
}  // namespace seriatim::test
