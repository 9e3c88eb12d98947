// The settings of a share group as text, by Kafka's names.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <seriatim/result.hpp>
#include <seriatim/share_group.hpp>

#include "base/snapshot.hpp"
#include "group/share/share_storage.hpp"

namespace seriatim::group {

/// The settings of one group, as they are at each moment.
using ShareSettingsPtr = std::shared_ptr<const base::Snapshot<ShareGroupConfig>>;

/// Of what is stored; settings of a newer version are passed over.
Result<ShareGroupConfig> parse_stored_settings(const ShareSettings& stored);

/// Errors: invalid_config: no such setting, or a value outside its range; the message has both.
Result<ShareGroupConfig> parse_share_settings(const ShareSettings& settings);

/// Errors: invalid_config: one of the names is no setting.
Result<> check_setting_names(const ShareSettings& settings);

/// All of them, in the text that `parse_share_settings` reads.
ShareSettings share_settings_text(const ShareGroupConfig& config);

/// How long a record that was delivered `delivery_count` times waits before its next delivery.
/// @param chance  0 .. 1, of which the jitter is made.
std::int64_t retry_backoff_ms(const ShareGroupConfig& config, std::int16_t delivery_count, double chance);

}  // namespace seriatim::group
