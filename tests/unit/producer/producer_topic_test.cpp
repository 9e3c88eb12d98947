#include "producer/producer_topic.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "unit/api/engine_fixture.hpp"

namespace seriatim::producer {
namespace {

using detail::EngineImpl;
using test::code_of;
using test::create_topic;
using test::must;
using test::OpenedEngine;

TEST_CASE("a topic keeps its entry, and with it its sticky partition, until it changes itself") {
  const OpenedEngine opened;
  const ProducerOptions options;
  ProducerTopics topics(*EngineImpl::of(opened.engine), options);
  const ProducerTopic* first = must(topics.find("t"));
  CHECK(must(topics.find("t")) == first);
  create_topic(opened.engine, "other");
  CHECK(must(topics.find("t")) == first);
  must(opened.engine.admin().alter_config("t", {{"cleanup.policy", "compact"}}));
  const ProducerTopic* changed = must(topics.find("t"));
  CHECK(changed != first);
  CHECK(changed->needs_key());
  CHECK_FALSE(first->needs_key());
  must(opened.engine.admin().create_partitions("t", 2));
  CHECK(must(topics.find("t"))->topic->partition_count() == 2);
}

TEST_CASE("more topics than are kept at hand are all found") {
  const OpenedEngine opened;
  const ProducerOptions options;
  ProducerTopics topics(*EngineImpl::of(opened.engine), options);
  for (int i = 0; i < 50; ++i) create_topic(opened.engine, "topic-" + std::to_string(i));
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 50; ++i) {
      const std::string name = "topic-" + std::to_string(i);
      CHECK(must(topics.find(name))->topic->name == name);
    }
  }
}

TEST_CASE("a deleted topic is not found, its successor is") {
  const OpenedEngine opened;
  const ProducerOptions options;
  ProducerTopics topics(*EngineImpl::of(opened.engine), options);
  const ProducerTopic* old = must(topics.find("t"));
  must(opened.engine.admin().delete_topic("t"));
  CHECK(code_of(topics.find("t")) == Errc::unknown_topic_or_partition);
  CHECK(code_of(topics.find("")) == Errc::unknown_topic_or_partition);
  create_topic(opened.engine, "t");
  CHECK(must(topics.find("t"))->topic->id != old->topic->id);
  CHECK(code_of(must(topics.find("t"))->partition(1)) == Errc::unknown_topic_or_partition);
  CHECK(code_of(must(topics.find("t"))->partition(-1)) == Errc::unknown_topic_or_partition);
  CHECK(must(topics.find("t"))->partition(0).ok());
}

TEST_CASE("the codec is the topic's if it names one, else the producer's with its level") {
  const OpenedEngine opened;
  create_topic(opened.engine, "zstd", 1, {{"compression.type", "zstd"}});
  const ProducerOptions options{.compression_type = CompressionType::gzip, .compression_level = 9};
  ProducerTopics topics(*EngineImpl::of(opened.engine), options);
  CHECK(must(topics.find("t"))->codec == format::Codec::gzip);
  CHECK(must(topics.find("t"))->level == 9);
  CHECK(must(topics.find("zstd"))->codec == format::Codec::zstd);
  CHECK_FALSE(must(topics.find("zstd"))->level.has_value());
}

TEST_CASE("threads look topics up while others come, go and change") {
  const OpenedEngine opened;
  const ProducerOptions options;
  ProducerTopics topics(*EngineImpl::of(opened.engine), options);
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      while (!stop) {
        const auto found = topics.find("t");
        if (!found || (*found)->topic->name != "t" || !(*found)->partition(0)) ++wrong;
      }
    });
  }
  for (int i = 0; i < 20; ++i) {
    create_topic(opened.engine, "other");
    must(opened.engine.admin().alter_config("t", {{"retention.ms", std::to_string(i)}}));
    must(opened.engine.admin().delete_topic("other"));
  }
  stop = true;
  for (auto& thread : threads) thread.join();
  CHECK(wrong == 0);
}

}  // namespace
}  // namespace seriatim::producer
