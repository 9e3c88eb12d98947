#include "group/share/share_config.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>

namespace seriatim::group {
namespace {

using namespace std::chrono_literals;

ShareGroupConfig config_of(const ShareSettings& settings) { return parse_share_settings(settings).value(); }

}  // namespace

TEST_CASE("settings of a share group are read by Kafka's names, and written as they are read") {
  const ShareSettings settings{{"share.record.lock.duration.ms", "15s"},
                               {"share.delivery.count.limit", "10"},
                               {"share.partition.max.record.locks", "4000"},
                               {"share.auto.offset.reset", "by_duration:PT1H"},
                               {"share.isolation.level", "read_uncommitted"},
                               {"share.renew.acknowledge.enable", "false"},
                               {"errors.deadletterqueue.topic.name", "dlq.orders"},
                               {"errors.deadletterqueue.copy.record.enable", "false"},
                               {"share.retry.backoff.ms", "1s"},
                               {"share.retry.backoff.max.ms", "1m"},
                               {"share.retry.backoff.jitter", "0.5"}};
  const ShareGroupConfig wanted{.record_lock_duration = 15s,
                                .delivery_count_limit = 10,
                                .partition_max_record_locks = 4'000,
                                .auto_offset_reset = ShareAutoOffsetReset::by_duration,
                                .auto_offset_reset_duration = 1h,
                                .isolation_level = IsolationLevel::read_uncommitted,
                                .renew_acknowledge_enable = false,
                                .dead_letter_topic = "dlq.orders",
                                .dead_letter_copy_record = false,
                                .retry_backoff = 1s,
                                .retry_backoff_max = 1min,
                                .retry_backoff_jitter = 0.5};
  CHECK(config_of(settings) == wanted);
  CHECK(config_of(share_settings_text(wanted)) == wanted);
  CHECK(config_of({}) == ShareGroupConfig());
  CHECK(config_of(share_settings_text({})) == ShareGroupConfig());
}

TEST_CASE("a setting of a newer version is passed over, a misspelt one is told with its neighbour") {
  const ShareSettings stored{{"share.delivery.count.limit", "3"}, {"share.new.in.some.year", "x"}};
  CHECK(parse_stored_settings(stored).value().delivery_count_limit == 3);
  const auto refused = parse_share_settings({{"share.delivery.count.limits", "3"}});
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().message().find("share.delivery.count.limit?") != std::string::npos);
}

TEST_CASE("a back-off doubles up to its limit, with a jitter on both sides") {
  const ShareGroupConfig config{.retry_backoff = 100ms, .retry_backoff_max = 1s, .retry_backoff_jitter = 0.2};
  CHECK(retry_backoff_ms(config, 1, 0.5) == 100);
  CHECK(retry_backoff_ms(config, 2, 0.5) == 200);
  CHECK(retry_backoff_ms(config, 4, 0.5) == 800);
  CHECK(retry_backoff_ms(config, 5, 0.5) == 1'000);
  CHECK(retry_backoff_ms(config, 30'000, 0.5) == 1'000);
  CHECK(retry_backoff_ms(config, 1, 0.0) == 80);
  CHECK(retry_backoff_ms(config, 1, 1.0) == 120);
  CHECK(retry_backoff_ms({}, 9, 1.0) == 0);
}

}  // namespace seriatim::group
