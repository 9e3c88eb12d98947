#include "share/share_config_text.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace seriatim::cli {
namespace {

std::string text_of_bool(bool value) { return value ? "true" : "false"; }

// The shortest form that is read as the same number.
std::string text_of_ratio(double value) {
  std::array<char, 32> text{};
  const auto [end, failure] = std::to_chars(text.data(), text.data() + text.size(), value);
  return failure == std::errc() ? std::string(text.data(), end) : std::to_string(value);
}

std::string text_of_milliseconds(std::chrono::milliseconds value) { return std::to_string(value.count()); }

// "PT0.25S": seconds, with the milliseconds behind the point.
std::string iso_duration(std::chrono::milliseconds value) {
  std::string text = "PT" + std::to_string(value.count() / 1'000);
  if (const std::int64_t rest = value.count() % 1'000; rest != 0) {
    const std::string digits = std::to_string(1'000 + rest);
    text += "." + digits.substr(1);
  }
  return text + "S";
}

std::string text_of_reset(const ShareGroupConfig& config) {
  if (config.auto_offset_reset == ShareAutoOffsetReset::latest) return "latest";
  if (config.auto_offset_reset == ShareAutoOffsetReset::earliest) return "earliest";
  return "by_duration:" + iso_duration(config.auto_offset_reset_duration);
}

std::vector<std::string> values_of(const ShareGroupConfig& config) {
  return {text_of_milliseconds(config.record_lock_duration),
          std::to_string(config.delivery_count_limit),
          std::to_string(config.partition_max_record_locks),
          text_of_reset(config),
          config.isolation_level == IsolationLevel::read_committed ? "read_committed" : "read_uncommitted",
          text_of_bool(config.renew_acknowledge_enable),
          config.dead_letter_topic,
          text_of_bool(config.dead_letter_copy_record),
          text_of_milliseconds(config.retry_backoff),
          text_of_milliseconds(config.retry_backoff_max),
          text_of_ratio(config.retry_backoff_jitter)};
}

constexpr std::array<const char*, 11> setting_names{"share.record.lock.duration.ms",
                                                    "share.delivery.count.limit",
                                                    "share.partition.max.record.locks",
                                                    "share.auto.offset.reset",
                                                    "share.isolation.level",
                                                    "share.renew.acknowledge.enable",
                                                    "errors.deadletterqueue.topic.name",
                                                    "errors.deadletterqueue.copy.record.enable",
                                                    "share.retry.backoff.ms",
                                                    "share.retry.backoff.max.ms",
                                                    "share.retry.backoff.jitter"};

}  // namespace

std::vector<ShareSetting> share_settings(const ShareGroupConfig& config) {
  const std::vector<std::string> values = values_of(config);
  const std::vector<std::string> usual = values_of(ShareGroupConfig{});
  std::vector<ShareSetting> settings;
  for (std::size_t i = 0; i < setting_names.size(); ++i)
    settings.push_back({setting_names[i], values[i], values[i] == usual[i]});
  return settings;
}

}  // namespace seriatim::cli
