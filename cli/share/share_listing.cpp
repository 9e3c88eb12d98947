// share list, describe, offsets: the commands that only look, beside a running application too.
#include <memory>
#include <utility>

#include "groups/group_commands.hpp"
#include "groups/group_state.hpp"
#include "share/share_commands.hpp"
#include "share/share_config_text.hpp"
#include "text/text_encoding.hpp"

namespace seriatim::cli {
namespace {

Json number_if_known(std::int64_t number) { return number < 0 ? Json(nullptr) : Json(number); }

ExitCode told_share_damage(const Context& context, const ShareGroupDescription& group) {
  ExitCode outcome = ExitCode::ok;
  for (const ShareGroupOffset& one : group.offsets) {
    if (!one.damage) continue;
    context.note(place_name(one.topic_partition) + ": " + *one.damage);
    outcome = ExitCode::damage;
  }
  return outcome;
}

Result<ExitCode> list_share_groups(Context& context) {
  const Result<Engine> engine = context.open(OpenMode::read_only);
  if (!engine.ok()) return engine.error();
  const Result<ShareGroups> groups = engine->share_groups();
  if (!groups.ok()) return groups.error();
  const auto names = groups->list();
  if (!names.ok()) return names.error();
  Table table({{"group"},
               {"topics", ColumnKind::number},
               {"partitions", ColumnKind::number},
               {"lag", ColumnKind::number}});
  ExitCode outcome = ExitCode::ok;
  for (const std::string& name : *names) {
    const Result<ShareGroupDescription> group = groups->describe(name);
    if (!group.ok()) return group.error();
    table.add({name, topics_taken_from(*group).size(), group->offsets.size(), lag_of(*group)});
    if (told_share_damage(context, *group) != ExitCode::ok) outcome = ExitCode::damage;
  }
  table.print(context.out, context.format());
  return outcome;
}

Table table_of_offsets(const ShareGroupDescription& group) {
  Table table({{"topic"},
               {"partition", ColumnKind::number},
               {"start", ColumnKind::number},
               {"end", ColumnKind::number},
               {"lag", ColumnKind::number},
               {"acquired", ColumnKind::number},
               {"damage"}});
  for (const ShareGroupOffset& one : group.offsets) {
    table.add({one.topic_partition.topic, one.topic_partition.partition, number_if_known(one.start_offset),
               number_if_known(one.end_offset), number_if_known(one.lag), one.acquired,
               one.damage ? Json(*one.damage) : Json(nullptr)});
  }
  return table;
}

Json config_json(const ShareGroupConfig& config) {
  Json object = Json::object();
  for (const ShareSetting& setting : share_settings(config)) object[setting.name] = setting.value;
  return object;
}

std::string config_line(const ShareGroupConfig& config) {
  std::string line;
  for (const ShareSetting& setting : share_settings(config)) {
    if (!setting.is_default) line += "  " + setting.name + "=" + printable(setting.value);
  }
  return "config" + (line.empty() ? std::string("  all defaults") : line) + "\n";
}

Result<ExitCode> describe_group_of_shares(Context& context, const std::string& name) {
  const Result<std::filesystem::path> directory = context.existing_directory();
  if (!directory.ok()) return directory.error();
  const GroupState state = state_of_group(*directory);
  const Result<Engine> engine = context.open(OpenMode::read_only);
  if (!engine.ok()) return engine.error();
  const Result<ShareGroupDescription> group = describe_share_group(*engine, name);
  if (!group.ok()) return group.error();
  const Table table = table_of_offsets(*group);
  const OutputFormat format = context.format();
  if (format == OutputFormat::json || format == OutputFormat::jsonl) {
    Json object;
    put_bytes(object, "group", name);
    object["state"] = state.word;
    object["lag"] = lag_of(*group);
    object["config"] = config_json(group->config);
    object["partitions"] = table.to_json();
    print_json(context.out, format, object);
    return told_share_damage(context, *group);
  }
  if (format == OutputFormat::table) {
    context.out.write("share group " + printable(name) + "   state " + state.word + "   topics " +
                      std::to_string(topics_taken_from(*group).size()) + "   partitions " +
                      std::to_string(group->offsets.size()) + "   lag " + std::to_string(lag_of(*group)) +
                      "\n" + config_line(group->config));
    if (state.word != "empty") context.note("state " + state.word + ": " + state.reason);
  }
  table.print(context.out, format);
  return told_share_damage(context, *group);
}

Result<ExitCode> show_share_offsets(Context& context, const std::string& name) {
  const Result<Engine> engine = context.open(OpenMode::read_only);
  if (!engine.ok()) return engine.error();
  const Result<ShareGroupDescription> group = describe_share_group(*engine, name);
  if (!group.ok()) return group.error();
  table_of_offsets(*group).print(context.out, context.format());
  return told_share_damage(context, *group);
}

}  // namespace

Command share_list_command() {
  return {.name = "list",
          .summary = "Lists the share groups, and how many records each has still to do",
          .examples = {"seriatim -d data share list"},
          .run = list_share_groups};
}

Command share_describe_command() {
  auto group = std::make_shared<std::string>();
  return {.name = "describe",
          .summary = "Shows a share group: its state, its settings, and how far it is in each partition",
          .positionals = {share_group_positional(*group)},
          .examples = {"seriatim -d data share describe billing"},
          .run = [group](Context& context) { return describe_group_of_shares(context, *group); }};
}

Command share_offsets_command() {
  auto group = std::make_shared<std::string>();
  return {.name = "offsets",
          .summary = "Shows how far a share group is: all below START is done, LAG records are not",
          .positionals = {share_group_positional(*group)},
          .examples = {"seriatim -d data share offsets billing -j"},
          .run = [group](Context& context) { return show_share_offsets(context, *group); }};
}

}  // namespace seriatim::cli
