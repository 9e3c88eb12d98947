// share delete, delete-offsets: where a share group is, is forgotten.
#include <algorithm>
#include <memory>
#include <utility>

#include "confirmation.hpp"
#include "share/share_commands.hpp"
#include "text/quantity.hpp"

namespace seriatim::cli {
namespace {

struct ShareRemovalArguments {
  std::vector<std::string> groups{};
  std::string group{};
  std::string topic{};
  Consent consent{};
};

Result<std::string> plan_of_share_deletion(const Engine& engine, const std::vector<std::string>& names) {
  std::string plan = "deletes, with their settings and where they are:";
  for (const std::string& name : names) {
    const Result<ShareGroupDescription> group = describe_share_group(engine, name);
    if (!group.ok()) return group.error();
    plan += "\n  share group " + name + ": " + count_of(group->offsets.size(), "partition") + " of " +
            count_of(topics_taken_from(*group).size(), "topic") + ", lag " + std::to_string(lag_of(*group));
  }
  return plan;
}

// As group delete: nothing is locked while somebody thinks about the answer.
Result<ExitCode> delete_share_groups(Context& context, const ShareRemovalArguments& arguments) {
  std::string plan;
  {
    const Result<Engine> engine = context.open(OpenMode::read_only);
    if (!engine.ok()) return engine.error();
    Result<std::string> made = plan_of_share_deletion(*engine, arguments.groups);
    if (!made.ok()) return made.error();
    plan = std::move(*made);
  }
  const Result<bool> agreed = confirm(context, arguments.consent, plan);
  if (!agreed.ok()) return agreed.error();
  if (!*agreed) return ExitCode::ok;
  const Result<Engine> engine = open_to_change_shares(context);
  if (!engine.ok()) return engine.error();
  const Result<ShareGroups> groups = engine->share_groups();
  if (!groups.ok()) return groups.error();
  for (const std::string& name : arguments.groups) {
    const Result<> removed = groups->remove(name);
    if (!removed.ok()) return explained_share_error(*engine, name, removed.error());
    context.note("deleted share group " + name);
  }
  const Result<> closed = engine->close();
  if (!closed.ok()) return closed.error();
  return ExitCode::ok;
}

// Where the group was is printed: `share reset --to-offset` brings one back, but for the delivery counts.
Result<ExitCode> delete_share_offsets(Context& context, const ShareRemovalArguments& arguments) {
  const Result<Engine> engine =
      arguments.consent.dry_run ? context.open(OpenMode::read_only) : open_to_change_shares(context);
  if (!engine.ok()) return engine.error();
  const Result<ShareGroupDescription> group = describe_share_group(*engine, arguments.group);
  if (!group.ok()) return group.error();
  Table table({{"group"}, {"topic"}, {"partition", ColumnKind::number}, {"start", ColumnKind::number}});
  for (const ShareGroupOffset& one : group->offsets) {
    if (one.topic_partition.topic == arguments.topic)
      table.add({arguments.group, arguments.topic, one.topic_partition.partition, one.start_offset});
  }
  const std::string count = count_of(table.row_count(), "offset");
  if (arguments.consent.dry_run) {
    table.print(context.out, context.format());
    context.note("would delete " + count + " of share group " + arguments.group);
    return ExitCode::ok;
  }
  if (table.row_count() == 0) {
    // A name that was mistyped is told apart from a topic that the group has not taken from.
    const Result<TopicDescription> topic = describe_topic(*engine, arguments.topic);
    if (!topic.ok()) return topic.error();
  } else {
    const Result<ShareGroups> groups = engine->share_groups();
    if (!groups.ok()) return groups.error();
    const Result<> deleted = groups->delete_offsets(arguments.group, arguments.topic);
    if (!deleted.ok()) return explained_share_error(*engine, arguments.group, deleted.error());
  }
  const Result<> closed = engine->close();
  if (!closed.ok()) return closed.error();
  table.print(context.out, context.format());
  const Result<> flushed = context.out.flush();
  if (!flushed.ok()) return flushed.error();
  context.note("deleted " + count + " of share group " + arguments.group);
  return ExitCode::ok;
}

Option share_dry_run_option(ShareRemovalArguments& arguments) {
  return {
      .names = "-n,--dry-run", .help = "Only say what would be done", .target = &arguments.consent.dry_run};
}

}  // namespace

Command share_delete_command() {
  auto arguments = std::make_shared<ShareRemovalArguments>();
  return {.name = "delete",
          .summary = "Deletes share groups with their settings and where they are",
          .positionals = {{.name = "GROUP", .help = "Names of share groups", .target = &arguments->groups}},
          .options = {{.names = "-y,--yes", .help = "Do not ask", .target = &arguments->consent.yes},
                      share_dry_run_option(*arguments)},
          .examples = {"seriatim -d data share delete billing --dry-run",
                       "seriatim -d data share delete billing --yes"},
          .run = [arguments](Context& context) { return delete_share_groups(context, *arguments); }};
}

Command share_delete_offsets_command() {
  auto arguments = std::make_shared<ShareRemovalArguments>();
  return {.name = "delete-offsets",
          .summary = "Makes a share group begin anew in a topic, as if it had never taken from it",
          .positionals = {share_group_positional(arguments->group),
                          {.name = "TOPIC", .help = "Name of the topic", .target = &arguments->topic}},
          .options = {share_dry_run_option(*arguments)},
          .examples = {"seriatim -d data share delete-offsets billing orders"},
          .run = [arguments](Context& context) { return delete_share_offsets(context, *arguments); }};
}

}  // namespace seriatim::cli
