// relay: copies a topic into another one of any number of partitions, exactly once, until it is caught up or
// interrupted.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <seriatim/flow/relay.hpp>

#include "base/text.hpp"

#include "command_tree.hpp"
#include "context.hpp"
#include "interrupt.hpp"
#include "progress_bar.hpp"
#include "relay/relay_text.hpp"
#include "text/output.hpp"

namespace seriatim::cli {
namespace {

// How soon an interrupt is noticed while nothing comes. Arbitrary.
constexpr std::chrono::milliseconds poll_timeout{100};
constexpr std::int64_t partitions_max = 10'000;
constexpr std::int64_t batch_records_max = 1'000'000;

struct RelayArguments {
  std::string from{};
  std::string to{};
  bool until_caught_up = false;
  std::optional<std::int64_t> create_partitions{};
  std::string name{};
  std::string acks = "all";
  std::optional<std::int64_t> batch_records{};
  std::optional<std::string> linger{};
  std::string dead_letters{};
  bool skip_refused = false;
  bool skip_deleted = false;
};

Result<Engine> open_to_relay(const Context& context) {
  Result<Engine> engine = context.open(OpenMode::read_write);
  if (engine.ok() || engine.error().code() != Errc::locked) return engine;
  return Error(Errc::locked, engine.error().message() +
                                 " Run this when it has ended; or let it relay by itself, on a thread of its "
                                 "own: seriatim::Relay");
}

// Of the source, but for what says which groups read it.
ConfigMap settings_for_target(const TopicDescription& source) {
  ConfigMap settings = source.overrides;
  settings.erase("retention.consumed.groups");
  settings.erase("retention.unread.groups");
  return settings;
}

// Makes the target, if that is asked for and it is not there.
Result<> provide_target(const Context& context, const Engine& engine, const RelayArguments& arguments) {
  const Result<TopicDescription> source = describe_topic(engine, arguments.from);
  if (!source.ok()) return source.error();
  if (!arguments.create_partitions) {
    const Result<TopicDescription> target = describe_topic(engine, arguments.to);
    if (target.ok()) return {};
    return Error(target.error().code(),
                 target.error().message() + "; or let this make it: --create-partitions N");
  }
  const auto wanted = static_cast<PartitionId>(*arguments.create_partitions);
  const Result<TopicDescription> target = engine.admin().describe_topic(arguments.to);
  if (target.ok()) {
    const std::size_t count = target->partitions.size();
    if (count == static_cast<std::size_t>(wanted)) return {};
    return Error(Errc::invalid_partitions,
                 "topic " + arguments.to + " is there, with " + std::to_string(count) +
                     " partitions, and --create-partitions asks for " + std::to_string(wanted) +
                     "; leave that out to relay into it as it is");
  }
  if (target.error().code() != Errc::unknown_topic_or_partition) return target.error();
  const auto created = engine.admin().create_topic(
      {.name = arguments.to, .partition_count = wanted, .config = settings_for_target(*source)});
  if (!created.ok()) return created.error();
  context.note("created topic " + arguments.to + " with " + std::to_string(wanted) +
               " partitions and the settings of " + arguments.from);
  return {};
}

Result<RelayOptions> options_of(const RelayArguments& arguments) {
  RelayOptions options{.from = arguments.from,
                       .to = arguments.to,
                       .acks = arguments.acks == "leader" ? Acks::leader : Acks::all,
                       .until_caught_up = arguments.until_caught_up,
                       .name = arguments.name,
                       .dead_letter_topic = arguments.dead_letters,
                       .skip_deleted = arguments.skip_deleted};
  if (arguments.batch_records) options.batch_records = static_cast<std::size_t>(*arguments.batch_records);
  if (arguments.linger) {
    const Result<std::int64_t> linger_ms = base::parse_duration_ms(*arguments.linger);
    if (!linger_ms.ok()) return linger_ms.error().with_context("--linger");
    options.linger = std::chrono::milliseconds(*linger_ms);
  }
  if (!arguments.dead_letters.empty()) {
    options.on_failure = [](const RelayFailure&) { return RelayDecision::dead_letter; };
  } else if (arguments.skip_refused) {
    options.on_failure = [](const RelayFailure&) { return RelayDecision::skip; };
  }
  return options;
}

void tell_relay(Context& context, const RelayProgress& progress) {
  const OutputFormat format = context.format();
  if (format != OutputFormat::json && format != OutputFormat::jsonl) {
    context.note(relay_summary(progress));
    return;
  }
  Json object;
  object["records"] = progress.records;
  object["bytes"] = progress.bytes;
  object["batches"] = progress.batches;
  object["skipped"] = progress.skipped;
  object["dead_letters"] = progress.dead_letters;
  object["deleted"] = progress.deleted;
  object["lag"] = progress.lag;
  object["is_caught_up"] = progress.is_caught_up;
  print_json(context.out, format, object);
}

Result<> run_relay(const Context& context, Relay& relay, bool until_caught_up) {
  ProgressBar bar("relaying", !context.options.quiet);
  while (!is_interrupted() && !(until_caught_up && relay.progress().is_caught_up)) {
    const Result<std::size_t> done = relay.run_once(poll_timeout);
    if (!done.ok()) return done.error();
    bar.show([&] { return relay_line(relay.progress()); });
  }
  return {};
}

Result<ExitCode> relay_topic(Context& context, const RelayArguments& arguments) {
  if (arguments.skip_refused && !arguments.dead_letters.empty()) {
    return Error(Errc::invalid_argument,
                 "--skip-refused and --dead-letters say two things about the same records; give one of them");
  }
  Result<RelayOptions> options = options_of(arguments);
  if (!options.ok()) return options.error();
  const Result<Engine> engine = open_to_relay(context);
  if (!engine.ok()) return engine.error();
  if (const Result<> provided = provide_target(context, *engine, arguments); !provided.ok())
    return provided.error();
  {
    Result<Relay> relay = Relay::open(*engine, *std::move(options));
    if (!relay.ok()) return relay.error();
    const Result<> ran = run_relay(context, *relay, arguments.until_caught_up);
    tell_relay(context, relay->progress());
    if (!ran.ok()) return ran.error();
  }
  const Result<> closed = engine->close();
  if (!closed.ok()) return closed.error();
  return ExitCode::ok;
}

std::vector<Option> relay_options(RelayArguments& arguments) {
  return {{.names = "--until-caught-up",
           .help = "End when everything is relayed that is there at the start; else go on until interrupted",
           .target = &arguments.until_caught_up},
          {.names = "--create-partitions",
           .value_name = "N",
           .help = "Make TO with so many partitions and the settings of FROM, if it is not there",
           .target = IntegerTarget{&arguments.create_partitions, 1, partitions_max}},
          {.names = "--name",
           .value_name = "NAME",
           .help = "The relay's name: its positions are those of group relay:NAME (default: FROM:TO)",
           .target = &arguments.name},
          {.names = "--acks",
           .help = "What a committed batch survives: all, a power cut; leader, the end of the process",
           .target = &arguments.acks,
           .choices = {"all", "leader"}},
          {.names = "--batch-records",
           .value_name = "N",
           .help = "Records of a batch, about, which is one transaction (default: 20000)",
           .target = IntegerTarget{&arguments.batch_records, 1, batch_records_max}},
          {.names = "--linger",
           .value_name = "DURATION",
           .help = "How long a batch that is not full waits for more records (default: 0)",
           .target = &arguments.linger},
          {.names = "--dead-letters",
           .value_name = "TOPIC",
           .help = "Put records that TO refuses there, and go on; made if it is not there",
           .target = &arguments.dead_letters},
          {.names = "--skip-refused",
           .help = "Go on without records that TO refuses",
           .target = &arguments.skip_refused},
          {.names = "--skip-deleted",
           .help = "Go on behind records that retention has deleted before they were relayed",
           .target = &arguments.skip_deleted}};
}

}  // namespace

Command relay_command() {
  auto arguments = std::make_shared<RelayArguments>();
  return {
      .name = "relay",
      .summary =
          "Copies a topic into another one with more partitions, or fewer: each record once, in order per "
          "key, and from where the relay before it ended",
      .positionals = {{.name = "FROM", .help = "Topic to read", .target = &arguments->from},
                      {.name = "TO", .help = "Topic to append to", .target = &arguments->to}},
      .options = relay_options(*arguments),
      .examples = {"seriatim -d data relay orders orders-wide --create-partitions 16 --until-caught-up"},
      .run = [arguments](Context& context) { return relay_topic(context, *arguments); }};
}

}  // namespace seriatim::cli
