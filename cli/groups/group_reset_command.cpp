// group reset, import, export: offsets from elsewhere, and to there.
#include <chrono>
#include <limits>
#include <memory>
#include <utility>

#include "groups/group_commands.hpp"
#include "groups/group_offsets_csv.hpp"
#include "groups/group_reset_plan.hpp"
#include "groups/group_reset_target.hpp"
#include "text/quantity.hpp"

namespace seriatim::cli {
namespace {

struct ResetArguments {
  std::string group{};
  ResetTargetOptions target{};
  ResetScope scope{};
  bool execute = false;
  bool export_plan = false;
};

// Flushed: what is noted behind it is to stand behind it.
Result<> print_new_offsets(Context& context, const ResetArguments& arguments, const ResetPlan& plan) {
  if (arguments.export_plan) {
    for (const auto& [at, position] : plan.offsets) context.out.write(csv_line(nullptr, at, position.offset));
    return context.out.flush();
  }
  Table table({{"group"}, {"topic"}, {"partition", ColumnKind::number}, {"new_offset", ColumnKind::number}});
  for (const auto& [at, position] : plan.offsets)
    table.add({arguments.group, at.topic, at.partition, position.offset});
  table.print(context.out, context.format());
  return context.out.flush();
}

// Beside an application it can be tried; to be done, it needs the directory.
Result<ExitCode> reset_group(Context& context, const ResetArguments& arguments) {
  const Timestamp now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const Result<ResetTarget> target = reset_target(arguments.target, now);
  if (!target.ok()) return target.error();
  const Result<Engine> engine =
      arguments.execute ? open_to_change_groups(context) : context.open(OpenMode::read_only);
  if (!engine.ok()) return engine.error();
  const Result<ResetPlan> plan = plan_reset(*engine, arguments.group, *target, arguments.scope);
  if (!plan.ok()) return plan.error();
  for (const std::string& note : plan->notes) context.note(note);
  const std::string offsets = count_of(plan->offsets.size(), "offset");
  if (!arguments.execute) {
    const Result<> printed = print_new_offsets(context, arguments, *plan);
    if (!printed.ok()) return printed.error();
    if (plan->is_new_group) context.note("there is no group " + arguments.group + " yet: it would be new");
    context.note("a dry run: nothing was changed. Add --execute to set " + offsets);
    return ExitCode::ok;
  }
  const Result<> set = engine->admin().alter_group_offsets(arguments.group, plan->offsets);
  if (!set.ok()) return set.error();
  const Result<> closed = engine->close();
  if (!closed.ok()) return closed.error();
  const Result<> printed = print_new_offsets(context, arguments, *plan);
  if (!printed.ok()) return printed.error();
  context.note("set " + offsets + " of " + (plan->is_new_group ? "the new group " : "group ") +
               arguments.group);
  return ExitCode::ok;
}

// All offsets of the groups: those without a topic are none any more.
Result<ExitCode> export_groups(Context& context, const std::vector<std::string>& named) {
  const Result<Engine> engine = context.open(OpenMode::read_only);
  if (!engine.ok()) return engine.error();
  for (const std::string& group : named) {
    const Result<> known = check_group(*engine, group);
    if (!known.ok()) return known.error();
  }
  const auto groups = named.empty() ? engine->admin().list_groups() : Result<std::vector<std::string>>(named);
  if (!groups.ok()) return groups.error();
  Table table({{"group"}, {"topic"}, {"partition", ColumnKind::number}, {"offset", ColumnKind::number}});
  std::string csv;
  for (const std::string& group : *groups) {
    const auto offsets = engine->admin().group_offsets(group);
    if (!offsets.ok()) return offsets.error();
    for (const GroupOffset& one : *offsets) {
      table.add({group, one.topic_partition.topic, one.topic_partition.partition, one.committed.offset});
      csv += csv_line(named.size() == 1 ? nullptr : &group, one.topic_partition, one.committed.offset);
    }
  }
  if (context.format() == OutputFormat::table) {
    context.out.write(csv);
  } else {
    table.print(context.out, context.format());
  }
  return ExitCode::ok;
}

Option execute_option(ResetArguments& arguments) {
  return {.names = "--execute",
          .help = "Do it; without it, only what would be set is shown",
          .target = &arguments.execute};
}

Option export_option(ResetArguments& arguments) {
  return {.names = "--export",
          .help = "Print the new offsets as CSV, as group export does",
          .target = &arguments.export_plan};
}

Positional group_positional(ResetArguments& arguments) {
  return {.name = "GROUP", .help = "Name of the group; a new one is begun", .target = &arguments.group};
}

std::vector<Option> target_options(ResetTargetOptions& target) {
  constexpr std::int64_t offset_max = std::numeric_limits<std::int64_t>::max();
  return {
      {.names = "--to-earliest", .help = "To the log's start", .target = &target.to_earliest},
      {.names = "--to-latest", .help = "To the log's end", .target = &target.to_latest},
      {.names = "--to-current",
       .help = "To where it is; to the log's end where it has committed nothing",
       .target = &target.to_current},
      {.names = "--to-offset",
       .value_name = "N",
       .help = "To an offset",
       .target = IntegerTarget{&target.to_offset, 0, offset_max}},
      {.names = "--shift-by",
       .value_name = "N",
       .help = "N offsets on, or with -N back, from where it is",
       .target = IntegerTarget{&target.shift_by, -offset_max, offset_max}},
      {.names = "--by-duration",
       .value_name = "DURATION",
       .help = "To the first record that is not older: PT15M, P1DT12H, 15m, 1h30m",
       .target = &target.by_duration},
      {.names = "--to-datetime",
       .value_name = "TIME",
       .help = "To the first record at or after a time: 2026-11-22T10:00:00.000, UTC unless it has a zone",
       .target = &target.to_datetime},
      {.names = "--from-file",
       .value_name = "FILE",
       .help = "To the offsets in a file of CSV: topic,partition,offset or group,topic,partition,offset",
       .target = &target.from_file}};
}

}  // namespace

Command group_reset_command() {
  auto arguments = std::make_shared<ResetArguments>();
  std::vector<Option> options = target_options(arguments->target);
  options.push_back({.names = "--topic",
                     .value_name = "TOPIC",
                     .help = "Of this topic, or TOPIC:0,2-5 of these partitions; may be repeated (default: "
                             "all topics of the group)",
                     .target = &arguments->scope.topics});
  options.push_back({.names = "--all-topics",
                     .help = "Of all topics that the group has committed an offset of",
                     .target = &arguments->scope.all_topics});
  options.push_back(execute_option(*arguments));
  options.push_back(export_option(*arguments));
  return {.name = "reset",
          .summary = "Sets the offsets of a group, within the log; a dry run unless --execute is given",
          .positionals = {group_positional(*arguments)},
          .options = std::move(options),
          .examples = {"seriatim -d data group reset billing --to-earliest --execute",
                       "seriatim -d data group reset billing --by-duration PT15M --topic orders:0,2",
                       "seriatim -d data group reset billing --shift-by -10"},
          .run = [arguments](Context& context) { return reset_group(context, *arguments); }};
}

Command group_import_command() {
  auto arguments = std::make_shared<ResetArguments>();
  auto file = std::make_shared<std::string>();
  return {.name = "import",
          .summary = "Sets the offsets of a group to those in a file, as reset --from-file does",
          .positionals = {group_positional(*arguments),
                          {.name = "FILE",
                           .help = "CSV, as export writes it; - is standard input",
                           .target = file.get()}},
          .options = {execute_option(*arguments), export_option(*arguments)},
          .examples = {"seriatim -d data group import billing offsets.csv --execute"},
          .run = [arguments, file](Context& context) {
            arguments->target.from_file = *file;
            return reset_group(context, *arguments);
          }};
}

Command group_export_command() {
  auto groups = std::make_shared<std::vector<std::string>>();
  return {
      .name = "export",
      .summary =
          "Prints the offsets of groups as CSV without a heading: topic,partition,offset of one "
          "group; group,topic,partition,offset of several, or of all",
      .positionals = {{.name = "GROUP",
                       .help = "Names of groups (default: all)",
                       .target = groups.get(),
                       .required = false}},
      .examples = {"seriatim -d data group export billing > offsets.csv", "seriatim -d data group export"},
      .run = [groups](Context& context) { return export_groups(context, *groups); }};
}

}  // namespace seriatim::cli
