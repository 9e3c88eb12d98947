#include "group/share/share_config.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

#include "base/text.hpp"

namespace seriatim::group {
namespace {

constexpr std::int64_t day_ms = 86'400'000;
constexpr std::string_view by_duration = "by_duration:";

Error refused_setting(std::string_view name, std::string_view text, const std::string& wanted) {
  return {Errc::invalid_config,
          std::string(name) + " = \"" + std::string(text) + "\" is refused; it takes " + wanted};
}

Result<std::int64_t> ms_of(std::string_view text) {
  return text.starts_with('P') ? base::parse_iso_duration_ms(text) : base::parse_duration_ms(text);
}

Result<> read_ms(std::string_view name, std::string_view text, std::int64_t min, std::int64_t max,
                 std::chrono::milliseconds& to) {
  const auto ms = ms_of(text);
  if (!ms || *ms < min || *ms > max) {
    return refused_setting(
        name, text, "a duration of " + std::to_string(min) + " ms to " + std::to_string(max) + " ms, as 30s");
  }
  to = std::chrono::milliseconds(*ms);
  return {};
}

template <class Number>
Result<> read_number(std::string_view name, std::string_view text, Number min, Number max, Number& to) {
  Number number{};
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  // A number that is none fails both comparisons.
  const bool is_in_range = failure == std::errc() && number >= min && number <= max;
  if (!is_in_range || end != text.data() + text.size())
    return refused_setting(name, text, std::to_string(min) + " to " + std::to_string(max));
  to = number;
  return {};
}

Result<> read_flag(std::string_view name, std::string_view text, bool& to) {
  if (text != "true" && text != "false") return refused_setting(name, text, "true or false");
  to = text == "true";
  return {};
}

Result<> read_reset(std::string_view name, std::string_view text, ShareGroupConfig& to) {
  const auto wrong = [&] {
    return refused_setting(name, text, "earliest, latest or by_duration:PT15M (also by_duration:15m)");
  };
  if (text.starts_with(by_duration)) {
    const auto ms = ms_of(text.substr(by_duration.size()));
    if (!ms) return wrong();
    to.auto_offset_reset = ShareAutoOffsetReset::by_duration;
    to.auto_offset_reset_duration = std::chrono::milliseconds(*ms);
    return {};
  }
  if (text != "earliest" && text != "latest") return wrong();
  to.auto_offset_reset = text == "latest" ? ShareAutoOffsetReset::latest : ShareAutoOffsetReset::earliest;
  return {};
}

Result<> read_isolation(std::string_view name, std::string_view text, IsolationLevel& to) {
  if (text != "read_committed" && text != "read_uncommitted")
    return refused_setting(name, text, "read_committed or read_uncommitted");
  to = text == "read_committed" ? IsolationLevel::read_committed : IsolationLevel::read_uncommitted;
  return {};
}

struct Setting {
  std::string_view name;
  Result<> (*read)(std::string_view name, std::string_view text, ShareGroupConfig& to);
  std::string (*text)(const ShareGroupConfig&);
};

std::string ms_text(std::chrono::milliseconds ms) { return std::to_string(ms.count()); }
std::string number_text(double number) {
  std::array<char, 32> text{};
  const auto written = std::to_chars(text.data(), text.data() + text.size(), number);
  return {text.data(), written.ptr};
}
std::string flag_text(bool is_set) { return is_set ? "true" : "false"; }

std::string reset_text(const ShareGroupConfig& config) {
  switch (config.auto_offset_reset) {
    case ShareAutoOffsetReset::earliest:
      return "earliest";
    case ShareAutoOffsetReset::latest:
      return "latest";
    case ShareAutoOffsetReset::by_duration:
      return std::string(by_duration) + ms_text(config.auto_offset_reset_duration) + "ms";
  }
  return {};
}

constexpr std::array known_settings{
    Setting{"share.record.lock.duration.ms",
            [](auto name, auto text, auto& to) {
              return read_ms(name, text, 1, day_ms, to.record_lock_duration);
            },
            [](const auto& of) { return ms_text(of.record_lock_duration); }},
    Setting{"share.delivery.count.limit",
            [](auto name, auto text, auto& to) {
              constexpr std::int16_t limit_max = std::numeric_limits<std::int16_t>::max() - 1;
              return read_number<std::int16_t>(name, text, 1, limit_max, to.delivery_count_limit);
            },
            [](const auto& of) { return std::to_string(of.delivery_count_limit); }},
    Setting{"share.partition.max.record.locks",
            [](auto name, auto text, auto& to) {
              return read_number<std::int32_t>(name, text, 1, 1'000'000, to.partition_max_record_locks);
            },
            [](const auto& of) { return std::to_string(of.partition_max_record_locks); }},
    Setting{"share.auto.offset.reset",
            [](auto name, auto text, auto& to) { return read_reset(name, text, to); }, reset_text},
    Setting{"share.isolation.level",
            [](auto name, auto text, auto& to) { return read_isolation(name, text, to.isolation_level); },
            [](const auto& of) -> std::string {
              return of.isolation_level == IsolationLevel::read_committed ? "read_committed"
                                                                          : "read_uncommitted";
            }},
    Setting{"share.renew.acknowledge.enable",
            [](auto name, auto text, auto& to) { return read_flag(name, text, to.renew_acknowledge_enable); },
            [](const auto& of) { return flag_text(of.renew_acknowledge_enable); }},
    Setting{"errors.deadletterqueue.topic.name",
            [](auto name, auto text, auto& to) -> Result<> {
              if (text.starts_with("__"))
                return refused_setting(name, text, "the name of a topic of the application");
              to.dead_letter_topic = text;
              return {};
            },
            [](const auto& of) { return of.dead_letter_topic; }},
    Setting{"errors.deadletterqueue.copy.record.enable",
            [](auto name, auto text, auto& to) { return read_flag(name, text, to.dead_letter_copy_record); },
            [](const auto& of) { return flag_text(of.dead_letter_copy_record); }},
    Setting{"share.retry.backoff.ms",
            [](auto name, auto text, auto& to) { return read_ms(name, text, 0, day_ms, to.retry_backoff); },
            [](const auto& of) { return ms_text(of.retry_backoff); }},
    Setting{
        "share.retry.backoff.max.ms",
        [](auto name, auto text, auto& to) { return read_ms(name, text, 0, day_ms, to.retry_backoff_max); },
        [](const auto& of) { return ms_text(of.retry_backoff_max); }},
    Setting{"share.retry.backoff.jitter",
            [](auto name, auto text, auto& to) {
              return read_number<double>(name, text, 0, 1, to.retry_backoff_jitter);
            },
            [](const auto& of) { return number_text(of.retry_backoff_jitter); }}};

const Setting* find_setting(std::string_view name) {
  const auto* const found = std::find_if(known_settings.begin(), known_settings.end(),
                                         [&](const auto& known) { return known.name == name; });
  return found == known_settings.end() ? nullptr : found;
}

Error unknown_setting(std::string_view name) {
  std::vector<std::string_view> names;
  for (const auto& known : known_settings) names.push_back(known.name);
  const std::string_view meant = base::nearest(name, names);
  std::string message = "a share group has no setting \"" + std::string(name) + "\"";
  message += meant.empty() ? "; `seriatim share config GROUP` lists them"
                           : "; did you mean " + std::string(meant) + "?";
  return {Errc::invalid_config, message};
}

}  // namespace

Result<ShareGroupConfig> parse_share_settings(const ShareSettings& given) {
  ShareGroupConfig config;
  for (const auto& [name, text] : given) {
    const Setting* const setting = find_setting(name);
    if (setting == nullptr) return unknown_setting(name);
    if (auto read = setting->read(setting->name, text, config); !read) return read.error();
  }
  return config;
}

Result<ShareGroupConfig> parse_stored_settings(const ShareSettings& stored) {
  ShareSettings known;
  for (const auto& entry : stored) {
    if (find_setting(entry.first) != nullptr) known.insert(entry);
  }
  return parse_share_settings(known);
}

Result<> check_setting_names(const ShareSettings& settings_of) {
  for (const auto& [name, text] : settings_of) {
    if (find_setting(name) == nullptr) return unknown_setting(name);
  }
  return {};
}

ShareSettings share_settings_text(const ShareGroupConfig& config) {
  ShareSettings texts;
  for (const auto& setting : known_settings) texts.emplace(setting.name, setting.text(config));
  return texts;
}

std::int64_t retry_backoff_ms(const ShareGroupConfig& config, std::int16_t delivery_count, double chance) {
  const double first = static_cast<double>(config.retry_backoff.count());
  const double most = std::max(first, static_cast<double>(config.retry_backoff_max.count()));
  double wait = first;
  for (int i = 1; i < delivery_count && wait < most; ++i) wait *= 2;
  const double factor = 1 + config.retry_backoff_jitter * (2 * chance - 1);
  return static_cast<std::int64_t>(std::min(wait, most) * factor);
}

}  // namespace seriatim::group
