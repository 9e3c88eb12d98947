// work: a durable work queue for the shell. It runs a command for each record of a topic, and answers for the
// record by the command's exit status.
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/text.hpp"

#include "command_tree.hpp"
#include "context.hpp"
#include "interrupt.hpp"
#include "share/share_commands.hpp"
#include "work/program.hpp"
#include "work/record_environment.hpp"
#include "work/work_crew.hpp"

namespace seriatim::cli {
namespace {

constexpr std::int64_t jobs_max = 1'000;
constexpr std::int64_t deliveries_max = 32'766;

struct WorkArguments {
  std::string topic{};
  std::string group{};
  std::optional<std::int64_t> jobs{};
  bool exit_when_empty = false;
  std::optional<std::string> lock{};
  std::optional<std::int64_t> deliveries{};
  std::optional<std::string> dead_letters{};
  std::optional<std::string> backoff{};
  std::vector<std::string> words{};
};

using ShareSettings = std::map<std::string, std::string, std::less<>>;

// The settings that are given, by the names that the group has for them. A first wait longer than the longest
// takes that one along.
Result<ShareSettings> settings_of(const WorkArguments& arguments, const ShareGroupConfig& before) {
  ShareSettings settings;
  if (arguments.lock) settings["share.record.lock.duration.ms"] = *arguments.lock;
  if (arguments.deliveries) settings["share.delivery.count.limit"] = std::to_string(*arguments.deliveries);
  if (arguments.dead_letters) settings["errors.deadletterqueue.topic.name"] = *arguments.dead_letters;
  if (arguments.backoff) {
    const Result<std::int64_t> backoff_ms = base::parse_duration_ms(*arguments.backoff);
    if (!backoff_ms.ok()) return backoff_ms.error().with_context("--backoff");
    settings["share.retry.backoff.ms"] = *arguments.backoff;
    if (*backoff_ms > before.retry_backoff_max.count())
      settings["share.retry.backoff.max.ms"] = *arguments.backoff;
  }
  return settings;
}

Result<ShareGroupConfig> config_of(const ShareGroups& groups, const std::string& group) {
  const Result<ShareGroupDescription> description = groups.describe(group);
  if (description.ok()) return description->config;
  // A new group has what is usual. That the name is a consumer group's is told by whoever makes it.
  if (description.error().code() == Errc::group_id_not_found) return ShareGroupConfig{};
  return description.error();
}

// The group's settings behind the changes.
Result<ShareGroupConfig> settle_config(const Engine& engine, const WorkArguments& arguments) {
  const Result<ShareGroups> groups = engine.share_groups();
  if (!groups.ok()) return groups.error();
  Result<ShareGroupConfig> before = config_of(*groups, arguments.group);
  if (!before.ok()) return before;
  const Result<ShareSettings> settings = settings_of(arguments, *before);
  if (!settings.ok()) return settings.error();
  if (settings->empty()) return before;
  const Result<> altered = groups->alter_config(arguments.group, *settings);
  if (!altered.ok()) return explained_share_error(engine, arguments.group, altered.error());
  return config_of(*groups, arguments.group);
}

Result<Engine> open_to_work(const Context& context) {
  Result<Engine> engine = context.open(OpenMode::read_write);
  if (engine.ok() || engine.error().code() != Errc::locked) return engine;
  return Error(Errc::locked, engine.error().message() +
                                 " Run this when it has ended; or let it take from the queue itself, on a "
                                 "thread of its own: Engine::share_consumer");
}

void tell_counts(Context& context, const WorkCounts& counts) {
  const OutputFormat format = context.format();
  if (format == OutputFormat::json || format == OutputFormat::jsonl) {
    Json object;
    object["accepted"] = counts.accepted;
    object["released"] = counts.released;
    object["rejected"] = counts.rejected;
    object["too_late"] = counts.too_late;
    print_json(context.out, format, object);
    return;
  }
  std::string text = std::to_string(counts.accepted) + " accepted, " + std::to_string(counts.released) +
                     " released, " + std::to_string(counts.rejected) + " rejected";
  if (counts.too_late > 0) text += ", " + std::to_string(counts.too_late) + " too late";
  context.note(text);
}

Result<ExitCode> work(Context& context, const WorkArguments& arguments) {
  if (arguments.group.empty()) {
    return Error(
        Errc::invalid_argument,
        "it is not said which group works here: give its name, --group GROUP. A new one is made, and "
        "begins at the topic's first record");
  }
  Result<std::string> program = find_program(arguments.words.front(), program_search_path());
  if (!program.ok()) return program.error();
  const Result<Engine> engine = open_to_work(context);
  if (!engine.ok()) return engine.error();
  const Result<TopicDescription> topic = describe_topic(*engine, arguments.topic);
  if (!topic.ok()) return topic.error();
  const Result<ShareGroupConfig> config = settle_config(*engine, arguments);
  if (!config.ok()) return config.error();
  // Both before the first thread: what a dead command leaves, and who is told of a second Ctrl-C.
  std::signal(SIGCHLD, SIG_DFL);
  catch_every_interrupt();
  const WorkPlan plan{.topic = arguments.topic,
                      .group = arguments.group,
                      .program = std::move(*program),
                      .words = arguments.words,
                      .environment = own_environment(),
                      .delivery_count_limit = config->delivery_count_limit};
  {
    WorkCrew crew(context, *engine, plan);
    const Result<> hired = crew.hire(static_cast<std::size_t>(arguments.jobs.value_or(1)));
    if (!hired.ok()) return explained_share_error(*engine, arguments.group, hired.error());
    const Result<> worked = crew.work(arguments.exit_when_empty);
    tell_counts(context, crew.counts());
    if (!worked.ok()) return worked.error();
  }
  const Result<> closed = engine->close();
  if (!closed.ok()) return closed.error();
  return ExitCode::ok;
}

std::vector<Option> setting_options(WorkArguments& arguments) {
  return {{.names = "--lock",
           .value_name = "DURATION",
           .help = "Sets the group's lock: how long a record is a command's before it is renewed or given to "
                   "another",
           .target = &arguments.lock},
          {.names = "--deliveries",
           .value_name = "N",
           .help = "Sets how often the group gives out a record that comes back, before it dies",
           .target = IntegerTarget{&arguments.deliveries, 1, deliveries_max}},
          {.names = "--dead-letters",
           .value_name = "TOPIC",
           .help = "Sets the topic that records which die are written to; made if it is not there",
           .target = &arguments.dead_letters},
          {.names = "--backoff",
           .value_name = "DURATION",
           .help = "Sets how long a released record waits, the double at each further delivery",
           .target = &arguments.backoff}};
}

}  // namespace

Command work_command() {
  auto arguments = std::make_shared<WorkArguments>();
  std::vector<Option> options{
      {.names = "-g,--group",
       .value_name = "GROUP",
       .help = "The share group to work for; a new one is made",
       .target = &arguments->group},
      {.names = "--exit-when-empty",
       .help = "End when no record is left, in work or waiting for its next delivery neither",
       .target = &arguments->exit_when_empty},
      {.names = "--jobs",
       .value_name = "N",
       .help = "Run so many commands at the same time (default: 1)",
       .target = IntegerTarget{&arguments->jobs, 1, jobs_max}}};
  for (Option& option : setting_options(*arguments)) options.push_back(std::move(option));
  return {.name = "work",
          .summary =
              "Runs a command for each record: its value on standard input, where it is from in "
              "SERIATIM_TOPIC, _PARTITION, _OFFSET, _KEY, _DELIVERY_COUNT. Exit status 0 accepts the "
              "record, 100 rejects it, anything else releases it for another try",
          .positionals = {{.name = "TOPIC", .help = "Topic to work off", .target = &arguments->topic}},
          .options = std::move(options),
          .examples = {"seriatim -d data work orders --group billing -- ./bill",
                       "seriatim -d data work mails --group post --jobs 4 --exit-when-empty -- sh -c 'mail "
                       "\"$SERIATIM_KEY\"'"},
          .words_behind_dashes = &arguments->words,
          .run = [arguments](Context& context) { return work(context, *arguments); }};
}

}  // namespace seriatim::cli
