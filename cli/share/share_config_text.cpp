#include "share/share_config_text.hpp"

#include "group/share/share_config.hpp"

namespace seriatim::cli {

std::vector<ShareSetting> share_settings(const ShareGroupConfig& config) {
  const group::ShareSettings usual = group::share_settings_text(ShareGroupConfig{});
  std::vector<ShareSetting> settings;
  for (const auto& [name, value] : group::share_settings_text(config)) {
    const auto found = usual.find(name);
    settings.push_back({name, value, found != usual.end() && found->second == value});
  }
  return settings;
}

}  // namespace seriatim::cli
