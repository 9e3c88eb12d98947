#include "share/share_config_text.hpp"

#include <chrono>
#include <string>

#include <doctest/doctest.h>

namespace seriatim::cli {
namespace {

TEST_CASE("the settings of a new group are all defaults") {
  CHECK(share_settings({}).size() == 11);
  for (const ShareSetting& setting : share_settings({})) {
    CAPTURE(setting.name);
    CHECK(setting.is_default);
  }
}

TEST_CASE("settings that were changed are told from defaults") {
  ShareGroupConfig config;
  config.record_lock_duration = std::chrono::minutes(5);
  config.dead_letter_topic = "dead";
  std::string changed;
  for (const ShareSetting& setting : share_settings(config)) {
    if (!setting.is_default) changed += setting.name + "=" + setting.value + " ";
  }
  CHECK(changed == "errors.deadletterqueue.topic.name=dead share.record.lock.duration.ms=300000 ");
}

}  // namespace
}  // namespace seriatim::cli
