// The settings of a share group as text, by their dotted names.
#pragma once

#include <string>
#include <vector>

#include <seriatim/share_group.hpp>

namespace seriatim::cli {

struct ShareSetting {
  std::string name{};
  std::string value{};
  bool is_default = false;
};

/// All settings, sorted by name. Each value is one that ShareGroups::alter_config takes.
std::vector<ShareSetting> share_settings(const ShareGroupConfig& config);

}  // namespace seriatim::cli
