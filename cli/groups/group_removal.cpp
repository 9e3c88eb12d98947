// group delete, delete-offsets: what a group has committed is forgotten.
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "confirmation.hpp"
#include "groups/group_commands.hpp"
#include "text/quantity.hpp"

namespace seriatim::cli {
namespace {

struct GroupRemovalArguments {
  std::vector<std::string> groups{};
  std::string group{};
  std::vector<std::string> topics{};
  Consent consent{};
};

Result<std::string> plan_of_deletion(const Engine& engine, const std::vector<std::string>& groups) {
  std::string plan = "deletes, with all that they have committed:";
  for (const std::string& group : groups) {
    const Result<> known = check_group(engine, group);
    if (!known.ok()) return known.error();
    const auto offsets = engine.admin().group_offsets(group);
    if (!offsets.ok()) return offsets.error();
    std::set<std::string> topics;
    for (const GroupOffset& one : *offsets) topics.insert(one.topic_partition.topic);
    plan += "\n  group " + group + ": " + count_of(offsets->size(), "offset") + " of " +
            count_of(topics.size(), "topic");
  }
  return plan;
}

// As topic delete: nothing is locked while somebody thinks about the answer.
Result<ExitCode> delete_groups(Context& context, const GroupRemovalArguments& arguments) {
  std::string plan;
  {
    const Result<Engine> engine = context.open(OpenMode::read_only);
    if (!engine.ok()) return engine.error();
    Result<std::string> made = plan_of_deletion(*engine, arguments.groups);
    if (!made.ok()) return made.error();
    plan = std::move(*made);
  }
  const Result<bool> agreed = confirm(context, arguments.consent, plan);
  if (!agreed.ok()) return agreed.error();
  if (!*agreed) return ExitCode::ok;
  const Result<Engine> engine = open_to_change_groups(context);
  if (!engine.ok()) return engine.error();
  for (const std::string& group : arguments.groups) {
    const Result<> deleted = engine->admin().delete_group(group);
    if (!deleted.ok()) return deleted.error();
    context.note("deleted group " + group);
  }
  const Result<> closed = engine->close();
  if (!closed.ok()) return closed.error();
  return ExitCode::ok;
}

// The offsets that go are printed: `group reset --to-offset` brings one back.
Result<ExitCode> delete_offsets(Context& context, const GroupRemovalArguments& arguments) {
  if (arguments.topics.empty()) {
    return Error(Errc::invalid_argument,
                 "it is not said of which topic. Give --topic TOPIC, or TOPIC:0,2-5 for some partitions; the "
                 "whole group is deleted by seriatim group delete");
  }
  const Result<Engine> engine =
      arguments.consent.dry_run ? context.open(OpenMode::read_only) : open_to_change_groups(context);
  if (!engine.ok()) return engine.error();
  const auto offsets = engine->admin().group_offsets(arguments.group);
  if (!offsets.ok()) return offsets.error();
  if (offsets->empty()) return unknown_group(*engine, arguments.group);
  const auto places = select_places(*engine, arguments.topics);
  if (!places.ok()) return places.error();
  std::map<TopicPartition, Offset> committed;
  for (const GroupOffset& one : *offsets) committed[one.topic_partition] = one.committed.offset;
  Table table({{"group"}, {"topic"}, {"partition", ColumnKind::number}, {"offset", ColumnKind::number}});
  for (const TopicPartition& at : *places) {
    if (const auto found = committed.find(at); found != committed.end())
      table.add({arguments.group, at.topic, at.partition, found->second});
  }
  const std::string count = count_of(table.row_count(), "offset");
  if (arguments.consent.dry_run) {
    table.print(context.out, context.format());
    context.note("would delete " + count + " of group " + arguments.group);
    return ExitCode::ok;
  }
  const Result<> deleted = engine->admin().delete_group_offsets(arguments.group, *places);
  if (!deleted.ok()) return deleted.error();
  const Result<> closed = engine->close();
  if (!closed.ok()) return closed.error();
  table.print(context.out, context.format());
  const Result<> flushed = context.out.flush();
  if (!flushed.ok()) return flushed.error();
  context.note("deleted " + count + " of group " + arguments.group +
               (table.row_count() == committed.size() ? ", and with them the group" : ""));
  return ExitCode::ok;
}

Option dry_run_option(GroupRemovalArguments& arguments) {
  return {
      .names = "-n,--dry-run", .help = "Only say what would be done", .target = &arguments.consent.dry_run};
}

}  // namespace

Command group_delete_command() {
  auto arguments = std::make_shared<GroupRemovalArguments>();
  return {.name = "delete",
          .summary = "Deletes groups with all that they have committed",
          .positionals = {{.name = "GROUP", .help = "Names of groups", .target = &arguments->groups}},
          .options = {{.names = "-y,--yes", .help = "Do not ask", .target = &arguments->consent.yes},
                      dry_run_option(*arguments)},
          .examples = {"seriatim -d data group delete billing --dry-run",
                       "seriatim -d data group delete billing audit --yes"},
          .run = [arguments](Context& context) { return delete_groups(context, *arguments); }};
}

Command group_delete_offsets_command() {
  auto arguments = std::make_shared<GroupRemovalArguments>();
  return {.name = "delete-offsets",
          .summary = "Deletes what a group has committed of a topic, and prints what that was",
          .positionals = {{.name = "GROUP", .help = "Name of the group", .target = &arguments->group}},
          .options = {{.names = "--topic",
                       .value_name = "TOPIC",
                       .help = "Of this topic, or TOPIC:0,2-5 of these partitions; may be repeated",
                       .target = &arguments->topics},
                      dry_run_option(*arguments)},
          .examples = {"seriatim -d data group delete-offsets billing --topic orders:0"},
          .run = [arguments](Context& context) { return delete_offsets(context, *arguments); }};
}

}  // namespace seriatim::cli
