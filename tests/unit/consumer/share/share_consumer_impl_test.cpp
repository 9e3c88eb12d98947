// A share consumer's life, and bad use of it.
#include "consumer/share/share_consumer_impl.hpp"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "unit/consumer/share/share_fixture.hpp"

namespace seriatim::test {
namespace {

TEST_CASE("share: bad use is told") {
  ShareFixture f;
  auto consumer = f.consumer(explicit_mode);
  CHECK(code_of(consumer.poll(0ms)) == Errc::invalid_state);
  CHECK(code_of(consumer.subscribe({})) == Errc::invalid_argument);
  CHECK(code_of(consumer.subscribe({"no topic name"})) == Errc::invalid_topic);
  must(consumer.subscribe({"t"}));
  CHECK(code_of(consumer.acknowledge(t0, 0, static_cast<AcknowledgeType>(9))) == Errc::invalid_argument);
  consumer.wakeup();
  CHECK(code_of(consumer.poll(1h)) == Errc::wakeup);
  CHECK(code_of(must(f.engine.share_groups()).alter_config("g", {{"share.delivery.limit", "3"}})) ==
        Errc::invalid_config);
  for (const auto& [name, value] :
       std::map<std::string, std::string>{{"share.delivery.count.limit", "0"},
                                          {"share.record.lock.duration.ms", "0"},
                                          {"share.auto.offset.reset", "EARLIEST"},
                                          {"share.auto.offset.reset", "by_duration:P1Y"},
                                          {"share.isolation.level", "READ_COMMITTED"},
                                          {"share.renew.acknowledge.enable", "yes"},
                                          {"share.retry.backoff.jitter", "nan"},
                                          {"errors.deadletterqueue.topic.name", "__letters"}}) {
    CAPTURE(name);
    CHECK(code_of(must(f.engine.share_groups()).alter_config("g", {{name, value}})) == Errc::invalid_config);
  }
  const ShareConsumer moved = std::move(consumer);
  CHECK(code_of(consumer.poll(0ms)) == Errc::closed);  // NOLINT(bugprone-use-after-move)
  CHECK(moved.subscription() == std::vector<std::string>{"t"});
}

}  // namespace
}  // namespace seriatim::test
