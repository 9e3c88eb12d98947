// topic create, list, describe, alter, add-partitions.
#include "commands/topic_commands.hpp"

#include <memory>
#include <utility>

#include "catalog/records/topic_config_rules.hpp"
#include "format/topic_name.hpp"

#include "command_tree.hpp"
#include "text/quantity.hpp"
#include "topic_retention.hpp"

namespace seriatim::cli {
namespace {

// A partition count's allowed range: Kafka has no upper bound, the engine has this one.
constexpr std::int64_t partition_count_max = 10'000;

struct TopicArguments {
  std::string topic{};
  std::optional<std::int64_t> partitions{};
  std::vector<std::string> config{};
  std::vector<std::string> reset{};
  bool if_not_exists = false;
};

Result<ConfigMap> config_map(const std::vector<std::string>& settings) {
  ConfigMap config;
  for (const std::string& setting : settings) {
    const std::size_t equals = setting.find('=');
    if (equals == 0 || equals == std::string::npos) {
      return Error(Errc::invalid_argument,
                   "--config " + setting + " is not NAME=VALUE, as in --config retention.ms=7d");
    }
    config[setting.substr(0, equals)] = setting.substr(equals + 1);
  }
  return config;
}

Result<ExitCode> create(Context& context, const TopicArguments& arguments) {
  Result<ConfigMap> config = config_map(arguments.config);
  if (!config.ok()) return config.error();
  // Before there is a directory: a slip leaves none behind.
  const Result<> named = format::check_new_topic_name(arguments.topic);
  if (!named.ok()) return named.error();
  const auto valid = catalog::resolve_config({config->begin(), config->end()});
  if (!valid.ok()) return valid.error();
  const Result<Engine> engine = context.open(OpenMode::create_if_missing);
  if (!engine.ok()) return engine.error();
  const NewTopic topic{.name = arguments.topic,
                       .partition_count = static_cast<PartitionId>(arguments.partitions.value_or(1)),
                       .config = std::move(*config),
                       .if_not_exists = arguments.if_not_exists};
  const auto created = engine->admin().create_topic(topic);
  if (!created.ok()) return created.error();
  context.note(*created == TopicCreation::existed_before
                   ? "topic " + topic.name + " exists already, as asked for"
                   : "created topic " + topic.name + " with " +
                         count_of(static_cast<std::uint64_t>(topic.partition_count), "partition"));
  const Result<> closed = engine->close();
  if (!closed.ok()) return closed.error();
  return ExitCode::ok;
}

Result<ExitCode> list_topics(Context& context) {
  const Result<Engine> engine = context.open(OpenMode::read_only);
  if (!engine.ok()) return engine.error();
  const auto topics = engine->admin().list_topics();
  if (!topics.ok()) return topics.error();
  Table table({{"topic"},
               {"partitions", ColumnKind::number},
               {"records", ColumnKind::number},
               {"size_bytes", ColumnKind::bytes},
               {"cleanup_policy"}});
  ExitCode outcome = ExitCode::ok;
  for (const std::string& name : *topics) {
    const Result<TopicDescription> topic = engine->admin().describe_topic(name);
    if (!topic.ok()) return topic.error();
    const TopicTotals totals = totals_of(*topic);
    table.add({name, topic->partitions.size(), totals.is_partial ? Json(nullptr) : Json(totals.records),
               totals.is_partial ? Json(nullptr) : Json(totals.bytes),
               policy_text(topic->config.cleanup_policy)});
    if (!totals.is_partial) continue;
    context.note("topic " + name + " is damaged; see: seriatim topic describe " + name);
    outcome = ExitCode::damage;
  }
  table.print(context.out, context.format());
  return outcome;
}

/// @param retention  empty, or one for each partition: of a topic whose settings name groups.
Table partition_table(const TopicDescription& topic, const std::vector<PartitionRetention>& retention) {
  std::vector<Column> columns{{"partition", ColumnKind::number},
                              {"log_start", ColumnKind::number},
                              {"high_watermark", ColumnKind::number},
                              {"last_stable", ColumnKind::number},
                              {"log_end", ColumnKind::number},
                              {"durable", ColumnKind::number},
                              {"segments", ColumnKind::number},
                              {"size_bytes", ColumnKind::bytes},
                              {"damage"}};
  if (!retention.empty()) {
    for (Column& column : retention_columns()) columns.push_back(std::move(column));
  }
  const std::size_t width = columns.size();
  Table table(std::move(columns));
  for (std::size_t i = 0; i < topic.partitions.size(); ++i) {
    const PartitionDescription& partition = topic.partitions[i];
    std::vector<Json> cells{partition.partition,
                            partition.log_start_offset,
                            partition.high_watermark,
                            partition.last_stable_offset,
                            partition.log_end_offset,
                            partition.durable_offset,
                            partition.segment_count,
                            partition.size_bytes,
                            partition.damage ? Json(*partition.damage) : Json(nullptr)};
    if (i < retention.size()) {
      for (Json& cell : retention_cells(retention[i])) cells.push_back(std::move(cell));
    }
    cells.resize(width);  // The topic has got partitions since.
    table.add(std::move(cells));
  }
  return table;
}

Result<ExitCode> describe_by_name(Context& context, const TopicArguments& arguments) {
  const Result<Engine> engine = context.open(OpenMode::read_only);
  if (!engine.ok()) return engine.error();
  const Result<TopicDescription> topic = describe_topic(*engine, arguments.topic);
  if (!topic.ok()) return topic.error();
  const auto retention = engine->admin().describe_retention(arguments.topic);
  if (!retention.ok()) return retention.error();
  const Table partitions = partition_table(*topic, *retention);
  const ExitCode outcome = totals_of(*topic).is_partial ? ExitCode::damage : ExitCode::ok;
  const OutputFormat format = context.format();
  if (format == OutputFormat::json || format == OutputFormat::jsonl) {
    Json config = Json::object();
    for (const auto& [name, value] : topic->overrides) config[name] = value;
    print_json(context.out, format,
               {{"topic", topic->name},
                {"topic_id", topic->topic_id},
                {"config", config},
                {"partitions", partitions.to_json()}});
    return outcome;
  }
  if (format == OutputFormat::table) {
    context.out.write("topic " + topic->name + "   id " + topic->topic_id + "   partitions " +
                      std::to_string(topic->partitions.size()) + "\n");
    std::string config = "config";
    for (const auto& [name, value] : topic->overrides) config += "  " + name + "=" + value;
    context.out.write(config + (topic->overrides.empty() ? "  all defaults" : "") + "\n");
  }
  partitions.print(context.out, format);
  return outcome;
}

Result<ExitCode> alter(Context& context, const TopicArguments& arguments) {
  if (arguments.config.empty() && arguments.reset.empty()) {
    return Error(Errc::invalid_argument, "nothing to alter: give --config NAME=VALUE or --reset NAME");
  }
  const Result<ConfigMap> config = config_map(arguments.config);
  if (!config.ok()) return config.error();
  const Result<Engine> engine = context.open(OpenMode::read_write);
  if (!engine.ok()) return engine.error();
  const Result<TopicDescription> topic = describe_topic(*engine, arguments.topic);
  if (!topic.ok()) return topic.error();
  if (!config->empty()) {
    const Result<> altered = engine->admin().alter_config(arguments.topic, *config);
    if (!altered.ok()) return altered.error();
  }
  if (!arguments.reset.empty()) {
    const Result<> reset = engine->admin().reset_config(arguments.topic, arguments.reset);
    if (!reset.ok()) return reset.error();
  }
  const Result<> closed = engine->close();
  if (!closed.ok()) return closed.error();
  context.note("altered topic " + arguments.topic);
  return ExitCode::ok;
}

Result<ExitCode> add_partitions(Context& context, const TopicArguments& arguments) {
  const Result<Engine> engine = context.open(OpenMode::read_write);
  if (!engine.ok()) return engine.error();
  const Result<TopicDescription> topic = describe_topic(*engine, arguments.topic);
  if (!topic.ok()) return topic.error();
  if (!arguments.partitions)
    return Error(Errc::invalid_argument, "give the new total number of partitions: -p N");
  const auto total = static_cast<PartitionId>(*arguments.partitions);
  const Result<> raised = engine->admin().create_partitions(arguments.topic, total);
  if (!raised.ok()) return raised.error();
  const Result<> closed = engine->close();
  if (!closed.ok()) return closed.error();
  context.note("topic " + arguments.topic + " has " + std::to_string(total) + " partitions, before " +
               std::to_string(topic->partitions.size()) + ". Keys are placed anew from here on");
  return ExitCode::ok;
}

template <class Function>
std::function<Result<ExitCode>(Context&)> with_arguments(const std::shared_ptr<TopicArguments>& arguments,
                                                         Function function) {
  return [arguments, function](Context& context) { return function(context, *arguments); };
}

Positional topic_name(TopicArguments& arguments) {
  return {.name = "TOPIC", .help = "Name of the topic", .target = &arguments.topic};
}

Option config_option(TopicArguments& arguments) {
  return {.names = "--config",
          .value_name = "NAME=VALUE",
          .help = "Kafka's dotted name and a value with its unit; may be repeated",
          .target = &arguments.config};
}

Option partitions_option(TopicArguments& arguments, std::string help) {
  return {.names = "-p,--partitions",
          .value_name = "N",
          .help = std::move(help),
          .target = IntegerTarget{&arguments.partitions, 1, partition_count_max}};
}

Command create_command() {
  auto arguments = std::make_shared<TopicArguments>();
  return {.name = "create",
          .summary = "Creates a topic, and the data directory if there is none",
          .positionals = {topic_name(*arguments)},
          .options = {partitions_option(*arguments, "Number of partitions (default: 1)"),
                      config_option(*arguments),
                      {.names = "--if-not-exists",
                       .help = "An existing topic with these partitions and settings is no error",
                       .target = &arguments->if_not_exists}},
          .examples = {"seriatim -d data topic create orders -p 4 --config retention.ms=7d"},
          .run = with_arguments(arguments, create)};
}

Command list_topics_command() {
  return {.name = "list",
          .summary = "Lists all topics",
          .examples = {"seriatim -d data topic list --output json"},
          .run = list_topics};
}

Command describe_topic_command() {
  auto arguments = std::make_shared<TopicArguments>();
  return {.name = "describe",
          .summary = "Shows a topic's settings and partitions",
          .positionals = {topic_name(*arguments)},
          .examples = {"seriatim -d data topic describe orders"},
          .run = with_arguments(arguments, describe_by_name)};
}

Command alter_command() {
  auto arguments = std::make_shared<TopicArguments>();
  return {.name = "alter",
          .summary = "Changes a topic's settings",
          .positionals = {topic_name(*arguments)},
          .options = {config_option(*arguments),
                      {.names = "--reset",
                       .value_name = "NAME",
                       .help = "Back to the default; may be repeated",
                       .target = &arguments->reset}},
          .examples = {"seriatim -d data topic alter orders --config retention.ms=30d --reset segment.bytes"},
          .run = with_arguments(arguments, alter)};
}

Command add_partitions_command() {
  auto arguments = std::make_shared<TopicArguments>();
  return {.name = "add-partitions",
          .summary = "Raises the number of partitions",
          .positionals = {topic_name(*arguments)},
          .options = {partitions_option(*arguments, "The new total")},
          .examples = {"seriatim -d data topic add-partitions orders -p 8"},
          .run = with_arguments(arguments, add_partitions)};
}

}  // namespace

TopicTotals totals_of(const TopicDescription& topic) {
  TopicTotals totals;
  for (const PartitionDescription& partition : topic.partitions) {
    totals.records += partition.high_watermark - partition.log_start_offset;
    totals.bytes += partition.size_bytes;
    totals.segments += partition.segment_count;
    totals.is_partial |= partition.damage.has_value();
  }
  return totals;
}

std::string policy_text(CleanupPolicy policy) {
  switch (policy) {
    case CleanupPolicy::compact:
      return "compact";
    case CleanupPolicy::compact_and_delete:
      return "compact,delete";
    case CleanupPolicy::delete_:
      break;
  }
  return "delete";
}

Command topic_command() {
  return {.name = "topic",
          .summary = "Creates, shows, changes and deletes topics",
          .children = {create_command(), list_topics_command(), describe_topic_command(), alter_command(),
                       add_partitions_command(), topic_delete_command(), topic_trim_command(),
                       topic_compact_command()}};
}

}  // namespace seriatim::cli
