#include "groups/group_commands.hpp"

#include <algorithm>
#include <set>

#include "command_tree.hpp"
#include "suggestion.hpp"

namespace seriatim::cli {

Result<bool> is_known_group(const Engine& engine, const std::string& group) {
  const auto groups = engine.admin().list_groups();
  if (!groups.ok()) return groups.error();
  return std::binary_search(groups->begin(), groups->end(), group);
}

Result<bool> is_share_group(const Engine& engine, const std::string& group) {
  const Result<ShareGroups> groups = engine.share_groups();
  if (!groups.ok()) return groups.error();
  const auto names = groups->list();
  if (!names.ok()) return names.error();
  return std::binary_search(names->begin(), names->end(), group);
}

Error other_kind(const std::string& group, const std::string& kind, const std::string& command) {
  return {Errc::group_id_not_found,
          group + " is a " + kind + " group. A name is of one kind only: see " + command + " " + group};
}

Error unknown_group(const Engine& engine, const std::string& group) {
  const auto groups = engine.admin().list_groups();
  if (!groups.ok()) return groups.error();
  const Result<bool> is_share = is_share_group(engine, group);
  if (!is_share.ok()) return is_share.error();
  if (*is_share) return other_kind(group, "share", "seriatim share describe");
  std::string text = "there is no group " + group + " in " + engine.directory().string() + ".";
  if (const auto guess = nearest(group, *groups)) text += " Did you mean " + *guess + "?";
  return {Errc::not_found, text + " seriatim group list shows those that have committed an offset"};
}

Result<> check_group(const Engine& engine, const std::string& group) {
  const Result<bool> known = is_known_group(engine, group);
  if (!known.ok()) return known.error();
  return *known ? Result<>() : Result<>(unknown_group(engine, group));
}

// Names of topics have no colon.
Result<std::vector<TopicPartition>> select_places(const Engine& engine,
                                                  const std::vector<std::string>& topics) {
  std::set<TopicPartition> selected;
  for (const std::string& text : topics) {
    const std::size_t colon = text.find(':');
    if (colon != std::string::npos && colon + 1 == text.size()) {
      return Error(Errc::invalid_argument,
                   "\"" + text + "\" names no partition behind the colon. Write TOPIC, or TOPIC:0,2-5");
    }
    const Result<TopicDescription> topic = describe_topic(engine, text.substr(0, colon));
    if (!topic.ok()) return topic.error();
    const std::string list = colon == std::string::npos ? std::string() : text.substr(colon + 1);
    const auto partitions = select_partitions(*topic, list);
    if (!partitions.ok()) return partitions.error();
    selected.insert(partitions->begin(), partitions->end());
  }
  return std::vector<TopicPartition>(selected.begin(), selected.end());
}

Result<Engine> open_to_change_groups(const Context& context) {
  const Result<Engine> engine = context.open(OpenMode::read_write);
  if (engine.ok() || engine.error().code() != Errc::locked) return engine;
  return Error(Errc::locked, engine.error().message() +
                                 " The application that has it can change its groups itself: "
                                 "Admin::alter_group_offsets, delete_group_offsets and delete_group");
}

std::string place_name(const TopicPartition& at) { return at.topic + "-" + std::to_string(at.partition); }

Command group_command() {
  return {.name = "group",
          .summary = "Shows what groups have committed and how far they are behind, and changes it",
          .children = {group_list_command(), group_describe_command(), group_members_command(),
                       group_lag_command(), group_reset_command(), group_export_command(),
                       group_import_command(), group_delete_offsets_command(), group_delete_command()}};
}

}  // namespace seriatim::cli
