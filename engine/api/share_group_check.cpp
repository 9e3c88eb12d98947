#include "api/share_group_check.hpp"

#include <string>

#include "catalog/catalog.hpp"

namespace seriatim::api {
namespace {

Result<bool> has_consumer_group(const detail::EngineImpl& engine, std::string_view group) {
  if (engine.groups.look_at(group, [](const group::Group&) {})) return true;
  auto offsets = engine.committed_offsets.of_group(group);
  if (!offsets) return offsets.error();
  return !offsets->empty();
}

}  // namespace

Result<bool> has_share_group(const detail::EngineImpl& engine, std::string_view group) {
  const auto& groups = engine.share_groups;
  if (groups.members().count(group) > 0) return true;
  auto settings = groups.settings(group);
  if (!settings) return settings.error();
  if (!settings->empty()) return true;
  auto progress = groups.progress_of(group);
  if (!progress) return progress.error();
  return !progress->empty();
}

Result<> check_share_group(const detail::EngineImpl& engine, std::string_view group) {
  if (auto named = catalog::check_group_name(group); !named) return named;
  auto is_other = has_consumer_group(engine, group);
  if (!is_other) return is_other.error();
  if (!*is_other) return {};
  return Error(Errc::group_id_not_found,
               std::string(group) +
                   " is a consumer group, and a name is of one kind of group; choose "
                   "another name for the share group, or delete the consumer group");
}

Result<> check_consumer_group(const detail::EngineImpl& engine, std::string_view group) {
  auto is_other = has_share_group(engine, group);
  if (!is_other) return is_other.error();
  if (!*is_other) return {};
  return Error(Errc::group_id_not_found,
               std::string(group) +
                   " is a share group, and a name is of one kind of group; choose "
                   "another name for the consumer group, or delete the share group");
}

}  // namespace seriatim::api
