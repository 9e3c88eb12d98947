// topic delete, trim, compact: the commands that take records away.
#include <chrono>
#include <memory>

#include "commands/offset_resolution.hpp"
#include "commands/topic_commands.hpp"
#include "confirmation.hpp"
#include "context.hpp"
#include "text/quantity.hpp"

namespace seriatim::cli {
namespace {

struct RemovalArguments {
  std::string topic{};
  std::string partitions{};
  std::optional<std::string> before{};
  bool roll = false;
  Consent consent{};
};

Result<ExitCode> finish(const Engine& engine) {
  const Result<> closed = engine.close();
  if (!closed.ok()) return closed.error();
  return ExitCode::ok;
}

// The user is told what would be lost, and answers, before anything is locked: a question that nobody
// answers must not keep an application from its directory.
Result<ExitCode> delete_topic(Context& context, const RemovalArguments& arguments) {
  std::string plan;
  {
    const Result<Engine> engine = context.open(OpenMode::read_only);
    if (!engine.ok()) return engine.error();
    const Result<TopicDescription> topic = describe_topic(*engine, arguments.topic);
    if (!topic.ok()) return topic.error();
    const TopicTotals totals = totals_of(*topic);
    plan = "deletes topic " + topic->name + ": " + count_of(topic->partitions.size(), "partition") + ", " +
           count_of(static_cast<std::uint64_t>(totals.records), "record") + ", " +
           count_of(totals.bytes, "byte") +
           (totals.is_partial ? ", and what is in damaged partitions, which nobody can count" : "");
  }
  const Result<bool> agreed = confirm(context, arguments.consent, plan);
  if (!agreed.ok()) return agreed.error();
  if (!*agreed) return ExitCode::ok;
  const Result<Engine> engine = context.open(OpenMode::read_write);
  if (!engine.ok()) return engine.error();
  const Result<TopicDescription> topic = describe_topic(*engine, arguments.topic);
  if (!topic.ok()) return topic.error();
  const Result<> deleted = engine->admin().delete_topic(arguments.topic);
  if (!deleted.ok()) return deleted.error();
  context.note("deleted topic " + arguments.topic);
  return finish(*engine);
}

struct Cut {
  TopicPartition topic_partition{};
  Offset log_start = 0;
  Offset before = 0;
};

Result<std::vector<Cut>> plan_cuts(const Engine& engine, const TopicDescription& topic,
                                   const RemovalArguments& arguments) {
  const Timestamp now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const Result<OffsetRange> range = parse_offset_expression(*arguments.before, now);
  if (!range.ok()) return range.error();
  if (!range->start || range->stop)
    return Error(Errc::invalid_argument, "--before takes one place, not a range: " + *arguments.before);
  const auto partitions = select_partitions(topic, arguments.partitions);
  if (!partitions.ok()) return partitions.error();
  std::vector<Cut> cuts;
  for (const TopicPartition& partition : *partitions) {
    const Result<Offset> before = resolve(engine, partition, *range->start, {});
    if (!before.ok()) return before.error();
    if (range->start->kind == OffsetPoint::Kind::absolute) {
      const Result<> valid = check_in_log(engine, partition, *before);
      if (!valid.ok()) return valid.error();
    }
    const Offset log_start = topic.partitions[static_cast<std::size_t>(partition.partition)].log_start_offset;
    if (*before > log_start) cuts.push_back({partition, log_start, *before});
  }
  return cuts;
}

std::string plan_of(const std::vector<Cut>& cuts) {
  std::string plan = "takes away for good:";
  for (const Cut& cut : cuts) {
    plan += "\n  " + cut.topic_partition.topic + "-" + std::to_string(cut.topic_partition.partition) +
            ": offsets " + std::to_string(cut.log_start) + " up to but excluding " +
            std::to_string(cut.before);
  }
  return plan;
}

// The cuts that were agreed to; nullopt if they were not. Asked before anything is locked, as by delete.
Result<std::optional<std::vector<Cut>>> agree_on_cuts(Context& context, const RemovalArguments& arguments) {
  std::vector<Cut> cuts;
  {
    const Result<Engine> engine = context.open(OpenMode::read_only);
    if (!engine.ok()) return engine.error();
    const Result<TopicDescription> topic = describe_topic(*engine, arguments.topic);
    if (!topic.ok()) return topic.error();
    Result<std::vector<Cut>> planned = plan_cuts(*engine, *topic, arguments);
    if (!planned.ok()) return planned.error();
    cuts = std::move(*planned);
  }
  if (cuts.empty()) {
    context.note("nothing to trim: the log starts there already");
    return std::optional(std::move(cuts));
  }
  const Result<bool> agreed = confirm(context, arguments.consent, plan_of(cuts));
  if (!agreed.ok()) return agreed.error();
  return *agreed ? std::optional(std::move(cuts)) : std::nullopt;
}

Result<ExitCode> trim(Context& context, const RemovalArguments& arguments) {
  if (arguments.consent.dry_run && !arguments.before) {
    return Error(Errc::invalid_argument,
                 "--dry-run tells what --before would drop; what retention would delete depends on the time "
                 "at which it runs. Give --before, or leave --dry-run out");
  }
  std::vector<Cut> cuts;
  if (arguments.before) {
    auto agreed = agree_on_cuts(context, arguments);
    if (!agreed.ok()) return agreed.error();
    if (!*agreed || arguments.consent.dry_run) return ExitCode::ok;
    cuts = std::move(**agreed);
  }
  const Result<Engine> engine = context.open(OpenMode::read_write);
  if (!engine.ok()) return engine.error();
  const Result<TopicDescription> topic = describe_topic(*engine, arguments.topic);
  if (!topic.ok()) return topic.error();
  for (const Cut& cut : cuts) {
    const Result<Offset> deleted = engine->admin().delete_records(cut.topic_partition, cut.before);
    if (!deleted.ok()) return deleted.error();
  }
  const Result<MaintenanceResult> removed = engine->admin().apply_retention(arguments.topic, arguments.roll);
  if (!removed.ok()) return removed.error();
  context.note("removed " + count_of(removed->deleted_segments, "segment") + ", " +
               count_of(removed->deleted_bytes, "byte"));
  return finish(*engine);
}

Result<ExitCode> compact(Context& context, const RemovalArguments& arguments) {
  const Result<Engine> engine = context.open(OpenMode::read_write);
  if (!engine.ok()) return engine.error();
  const Result<TopicDescription> topic = describe_topic(*engine, arguments.topic);
  if (!topic.ok()) return topic.error();
  const Result<MaintenanceResult> result = engine->admin().compact(arguments.topic, arguments.roll);
  if (!result.ok()) return result.error();
  context.note("compacted " + count_of(result->compacted_segments, "segment") + ", removed " +
               count_of(result->removed_records, "record"));
  return finish(*engine);
}

Positional topic_name(RemovalArguments& arguments) {
  return {.name = "TOPIC", .help = "Name of the topic", .target = &arguments.topic};
}

std::vector<Option> with_consent(RemovalArguments& arguments, std::vector<Option> options) {
  options.push_back({.names = "-y,--yes", .help = "Do not ask", .target = &arguments.consent.yes});
  options.push_back(
      {.names = "-n,--dry-run", .help = "Only say what would be done", .target = &arguments.consent.dry_run});
  return options;
}

}  // namespace

Command topic_delete_command() {
  auto arguments = std::make_shared<RemovalArguments>();
  return {.name = "delete",
          .summary = "Deletes a topic and its records",
          .positionals = {topic_name(*arguments)},
          .options = with_consent(*arguments, {}),
          .examples = {"seriatim -d data topic delete orders --dry-run",
                       "seriatim -d data topic delete orders --yes"},
          .run = [arguments](Context& context) { return delete_topic(context, *arguments); }};
}

Command topic_trim_command() {
  auto arguments = std::make_shared<RemovalArguments>();
  return {
      .name = "trim",
      .summary =
          "Applies the topic's retention now; with --before, first drops all records below an offset or time",
      .positionals = {topic_name(*arguments)},
      .options = with_consent(*arguments, {{.names = "--before",
                                            .value_name = "OFFSET",
                                            .help = "Offset expression: 1000, end, -100, @-7d",
                                            .target = &arguments->before},
                                           {.names = "-p,--partitions",
                                            .value_name = "LIST",
                                            .help = "With --before: partitions, as 0,2-5 (default: all)",
                                            .target = &arguments->partitions},
                                           {.names = "--roll",
                                            .help = "Roll the active segments first: what they hold can go "
                                                    "as soon as retention allows",
                                            .target = &arguments->roll}}),
      .examples = {"seriatim -d data topic trim orders", "seriatim -d data topic trim orders --roll",
                   "seriatim -d data topic trim orders --before @-7d --yes"},
      .run = [arguments](Context& context) { return trim(context, *arguments); }};
}

Command topic_compact_command() {
  auto arguments = std::make_shared<RemovalArguments>();
  return {.name = "compact",
          .summary = "Compacts a topic now: keeps the newest record of each key",
          .positionals = {topic_name(*arguments)},
          .options = {{.names = "--roll",
                       .help = "Roll the active segments first, so that all records take part",
                       .target = &arguments->roll}},
          .examples = {"seriatim -d data topic compact users --roll"},
          .run = [arguments](Context& context) { return compact(context, *arguments); }};
}

}  // namespace seriatim::cli
