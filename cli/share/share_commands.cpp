#include "share/share_commands.hpp"

#include <algorithm>
#include <set>

#include "command_tree.hpp"
#include "groups/group_commands.hpp"
#include "suggestion.hpp"

namespace seriatim::cli {

Error unknown_share_group(const Engine& engine, const std::string& group) {
  const Result<bool> is_consumer_group = is_known_group(engine, group);
  if (!is_consumer_group.ok()) return is_consumer_group.error();
  if (*is_consumer_group) return other_kind(group, "consumer", "seriatim group describe");
  const Result<ShareGroups> groups = engine.share_groups();
  if (!groups.ok()) return groups.error();
  const auto names = groups->list();
  if (!names.ok()) return names.error();
  std::string text = "there is no share group " + group + " in " + engine.directory().string() + ".";
  if (const auto guess = nearest(group, *names)) text += " Did you mean " + *guess + "?";
  return {Errc::not_found, text + " seriatim share list shows those there are"};
}

Error explained_share_error(const Engine& engine, const std::string& group, const Error& error) {
  return error.code() == Errc::group_id_not_found ? unknown_share_group(engine, group) : error;
}

Result<ShareGroupDescription> describe_share_group(const Engine& engine, const std::string& group) {
  const Result<ShareGroups> groups = engine.share_groups();
  if (!groups.ok()) return groups.error();
  Result<ShareGroupDescription> description = groups->describe(group);
  if (!description.ok()) return explained_share_error(engine, group, description.error());
  return description;
}

Result<Engine> open_to_change_shares(const Context& context) {
  Result<Engine> engine = context.open(OpenMode::read_write);
  if (engine.ok() || engine.error().code() != Errc::locked) return engine;
  return Error(Errc::locked, engine.error().message() +
                                 " The application that has it can change its share groups itself: "
                                 "ShareGroups::alter_config, alter_offsets, delete_offsets and remove");
}

std::int64_t lag_of(const ShareGroupDescription& group) {
  std::int64_t sum = 0;
  for (const ShareGroupOffset& one : group.offsets) sum += std::max<std::int64_t>(one.lag, 0);
  return sum;
}

std::vector<std::string> topics_taken_from(const ShareGroupDescription& group) {
  std::set<std::string> topics;
  for (const ShareGroupOffset& one : group.offsets) topics.insert(one.topic_partition.topic);
  return {topics.begin(), topics.end()};
}

Positional share_group_positional(std::string& group) {
  return {.name = "GROUP", .help = "Name of the share group", .target = &group};
}

Command share_command() {
  return {.name = "share",
          .summary = "Shows how far the groups are that work off single records, and changes it",
          .children = {share_list_command(), share_describe_command(), share_offsets_command(),
                       share_reset_command(), share_config_command(), share_delete_offsets_command(),
                       share_delete_command()}};
}

}  // namespace seriatim::cli
