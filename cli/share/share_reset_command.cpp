// share reset: a share group begins elsewhere, in the words of kafka-share-groups.
#include <chrono>
#include <limits>
#include <map>
#include <memory>
#include <utility>

#include "groups/group_commands.hpp"
#include "groups/group_reset_target.hpp"
#include "groups/reset_place.hpp"
#include "share/share_commands.hpp"
#include "text/quantity.hpp"

namespace seriatim::cli {
namespace {

struct ShareResetArguments {
  std::string group{};
  ResetTargetOptions target{};
  std::vector<std::string> topics{};
  bool execute = false;
};

struct ShareResetPlan {
  bool is_new_group = false;
  std::map<TopicPartition, Offset> offsets{};
  std::vector<std::string> notes{};
};

Result<ResetTarget> share_reset_target(const ResetTargetOptions& options) {
  const int given = int{options.to_earliest} + int{options.to_latest} + int{options.to_offset.has_value()} +
                    int{options.by_duration.has_value()} + int{options.to_datetime.has_value()};
  if (given != 1) {
    return Error(Errc::invalid_argument, std::string(given == 0 ? "it is not said where to"
                                                                : "only one place to go to can be given") +
                                             ". Give one of --to-earliest --to-latest --to-offset N "
                                             "--by-duration DURATION --to-datetime TIME");
  }
  return reset_target(options,
                      std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()));
}

// The topics that are named; else those that the group has taken from.
Result<std::vector<TopicPartition>> places_to_reset(const Engine& engine,
                                                    const ShareResetArguments& arguments,
                                                    ShareResetPlan& plan) {
  const Result<ShareGroupDescription> group = describe_share_group(engine, arguments.group);
  if (group.ok()) {
    return select_places(engine, arguments.topics.empty() ? topics_taken_from(*group) : arguments.topics);
  }
  if (group.error().code() != Errc::not_found) return group.error();
  if (arguments.topics.empty()) {
    return Error(Errc::not_found,
                 group.error().message() + ". To begin one, say of which topics: --topic TOPIC");
  }
  plan.is_new_group = true;
  return select_places(engine, arguments.topics);
}

Result<ShareResetPlan> plan_share_reset(const Engine& engine, const ShareResetArguments& arguments,
                                        const ResetTarget& target) {
  ShareResetPlan plan;
  const auto places = places_to_reset(engine, arguments, plan);
  if (!places.ok()) return places.error();
  const Admin admin = engine.admin();
  for (const TopicPartition& at : *places) {
    const Result<Offset> wanted = target_offset(admin, at, target);
    if (!wanted.ok()) return wanted.error();
    const Result<OffsetInLog> placed = offset_in_log(admin, at, *wanted);
    if (!placed.ok()) return placed.error();
    if (!placed->note.empty()) plan.notes.push_back(placed->note);
    plan.offsets[at] = placed->offset;
  }
  return plan;
}

// Flushed: what is noted behind it is to stand behind it.
Result<> print_share_offsets(Context& context, const std::string& group, const ShareResetPlan& plan) {
  Table table({{"group"}, {"topic"}, {"partition", ColumnKind::number}, {"new_offset", ColumnKind::number}});
  for (const auto& [at, offset] : plan.offsets) table.add({group, at.topic, at.partition, offset});
  table.print(context.out, context.format());
  return context.out.flush();
}

// Beside an application it can be tried; to be done, it needs the directory.
Result<ExitCode> reset_share_group(Context& context, const ShareResetArguments& arguments) {
  const Result<ResetTarget> target = share_reset_target(arguments.target);
  if (!target.ok()) return target.error();
  const Result<Engine> engine =
      arguments.execute ? open_to_change_shares(context) : context.open(OpenMode::read_only);
  if (!engine.ok()) return engine.error();
  const Result<ShareResetPlan> plan = plan_share_reset(*engine, arguments, *target);
  if (!plan.ok()) return plan.error();
  for (const std::string& note : plan->notes) context.note(note);
  const std::string offsets = count_of(plan->offsets.size(), "offset");
  if (!arguments.execute) {
    const Result<> printed = print_share_offsets(context, arguments.group, *plan);
    if (!printed.ok()) return printed.error();
    if (plan->is_new_group)
      context.note("there is no share group " + arguments.group + " yet: it would be new");
    context.note("a dry run: nothing was changed. Add --execute to set " + offsets);
    return ExitCode::ok;
  }
  const Result<ShareGroups> groups = engine->share_groups();
  if (!groups.ok()) return groups.error();
  const Result<> set = groups->alter_offsets(arguments.group, plan->offsets);
  if (!set.ok()) return explained_share_error(*engine, arguments.group, set.error());
  const Result<> closed = engine->close();
  if (!closed.ok()) return closed.error();
  const Result<> printed = print_share_offsets(context, arguments.group, *plan);
  if (!printed.ok()) return printed.error();
  context.note("set " + offsets + " of " + (plan->is_new_group ? "the new share group " : "share group ") +
               arguments.group);
  return ExitCode::ok;
}

std::vector<Option> share_target_options(ResetTargetOptions& target) {
  constexpr std::int64_t offset_max = std::numeric_limits<std::int64_t>::max();
  return {
      {.names = "--to-earliest", .help = "To the log's start", .target = &target.to_earliest},
      {.names = "--to-latest", .help = "To the log's end", .target = &target.to_latest},
      {.names = "--to-offset",
       .value_name = "N",
       .help = "To an offset",
       .target = IntegerTarget{&target.to_offset, 0, offset_max}},
      {.names = "--by-duration",
       .value_name = "DURATION",
       .help = "To the first record that is not older: PT15M, P1DT12H, 15m, 1h30m",
       .target = &target.by_duration},
      {.names = "--to-datetime",
       .value_name = "TIME",
       .help = "To the first record at or after a time: 2026-11-22T10:00:00.000, UTC unless it has a zone",
       .target = &target.to_datetime}};
}

}  // namespace

Command share_reset_command() {
  auto arguments = std::make_shared<ShareResetArguments>();
  std::vector<Option> options = share_target_options(arguments->target);
  options.push_back({.names = "--topic",
                     .value_name = "TOPIC",
                     .help = "Of this topic, or TOPIC:0,2-5 of these partitions; may be repeated (default: "
                             "all topics that the group has taken from)",
                     .target = &arguments->topics});
  options.push_back({.names = "--execute",
                     .help = "Do it; without it, only what would be set is shown",
                     .target = &arguments->execute});
  return {.name = "reset",
          .summary =
              "Lets a share group begin elsewhere, its deliveries forgotten; a dry run unless --execute "
              "is given",
          .positionals = {share_group_positional(arguments->group)},
          .options = std::move(options),
          .examples = {"seriatim -d data share reset billing --to-earliest --execute",
                       "seriatim -d data share reset billing --to-offset 120 --topic orders:0"},
          .run = [arguments](Context& context) { return reset_share_group(context, *arguments); }};
}

}  // namespace seriatim::cli
