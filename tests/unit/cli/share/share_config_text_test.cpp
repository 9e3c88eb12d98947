#include "share/share_config_text.hpp"

#include <chrono>
#include <string>

#include <doctest/doctest.h>

namespace seriatim::cli {
namespace {

std::string value_of(const ShareGroupConfig& config, const std::string& name) {
  for (const ShareSetting& setting : share_settings(config)) {
    if (setting.name == name) return setting.value;
  }
  return "no such setting";
}

TEST_CASE("the settings of a new group are all defaults") {
  for (const ShareSetting& setting : share_settings({})) {
    CAPTURE(setting.name);
    CHECK(setting.is_default);
  }
  CHECK(share_settings({}).size() == 11);
  CHECK(value_of({}, "share.record.lock.duration.ms") == "30000");
  CHECK(value_of({}, "share.retry.backoff.jitter") == "0.2");
  CHECK(value_of({}, "errors.deadletterqueue.topic.name").empty());
}

TEST_CASE("a setting is written as it is read") {
  ShareGroupConfig config;
  config.auto_offset_reset = ShareAutoOffsetReset::by_duration;
  config.auto_offset_reset_duration = std::chrono::milliseconds(90'025);
  CHECK(value_of(config, "share.auto.offset.reset") == "by_duration:PT90.025S");
  config.auto_offset_reset_duration = std::chrono::seconds(2);
  CHECK(value_of(config, "share.auto.offset.reset") == "by_duration:PT2S");
  config.auto_offset_reset = ShareAutoOffsetReset::latest;
  CHECK(value_of(config, "share.auto.offset.reset") == "latest");
  config.isolation_level = IsolationLevel::read_uncommitted;
  CHECK(value_of(config, "share.isolation.level") == "read_uncommitted");
  config.delivery_count_limit = 3;
  for (const ShareSetting& setting : share_settings(config))
    CHECK(setting.is_default ==
          (setting.name != "share.auto.offset.reset" && setting.name != "share.isolation.level" &&
           setting.name != "share.delivery.count.limit"));
}

}  // namespace
}  // namespace seriatim::cli
