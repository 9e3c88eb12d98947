#include "group/share/share_members.hpp"

namespace seriatim::group {

Result<ShareSettingsPtr> ShareMembers::settings(std::string_view group,
                                                const std::function<Result<ShareGroupConfig>()>& load) {
  const base::MutexLock lock(settings_mutex_);
  auto& held = settings_[std::string(group)];
  if (auto known = held.lock()) return ShareSettingsPtr(known);
  auto loaded = load();
  if (!loaded) return loaded.error();
  auto made = std::make_shared<Settings>(std::make_shared<const ShareGroupConfig>(*std::move(loaded)));
  held = made;
  return ShareSettingsPtr(std::move(made));
}

Result<> ShareMembers::change_settings(std::string_view group,
                                       const std::function<Result<ShareGroupConfig>()>& store) {
  const base::MutexLock lock(settings_mutex_);
  auto stored = store();
  if (!stored) return stored.error();
  const auto found = settings_.find(group);
  if (found == settings_.end()) return {};
  if (auto known = found->second.lock()) {
    known->store(std::make_shared<const ShareGroupConfig>(*std::move(stored)));
  } else {
    settings_.erase(found);
  }
  return {};
}

}  // namespace seriatim::group
