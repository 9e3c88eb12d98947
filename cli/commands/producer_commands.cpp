// producer list, describe, forget.
#include <memory>
#include <utility>

#include "command_tree.hpp"
#include "context.hpp"
#include "suggestion.hpp"

namespace seriatim::cli {
namespace {

struct ProducerArguments {
  std::string place{};
  std::string name{};
};

Result<ExitCode> list_producers(Context& context) {
  const Result<Engine> engine = context.open(OpenMode::read_only);
  if (!engine.ok()) return engine.error();
  const auto producers = engine->admin().list_named_producers();
  if (!producers.ok()) return producers.error();
  Table table({{"name"},
               {"producer_id", ColumnKind::number},
               {"epoch", ColumnKind::number},
               {"created", ColumnKind::time},
               {"last_opened", ColumnKind::time}});
  for (const NamedProducerDescription& one : *producers) {
    table.add({one.name, one.producer_id, one.producer_epoch, one.create_time.time_since_epoch().count(),
               one.last_open_time.time_since_epoch().count()});
  }
  table.print(context.out, context.format());
  return ExitCode::ok;
}

Result<ExitCode> describe(Context& context, const ProducerArguments& arguments) {
  const Result<TopicPartition> place = parse_partition_place(arguments.place);
  if (!place.ok()) return place.error();
  const Result<Engine> engine = context.open(OpenMode::read_only);
  if (!engine.ok()) return engine.error();
  const Result<TopicDescription> topic = describe_topic(*engine, place->topic);
  if (!topic.ok()) return topic.error();
  const auto known = select_partitions(*topic, std::to_string(place->partition));
  if (!known.ok()) return known.error();
  const auto producers = engine->admin().describe_producers(*place);
  if (!producers.ok()) return producers.error();
  Table table({{"producer_id", ColumnKind::number},
               {"epoch", ColumnKind::number},
               {"last_sequence", ColumnKind::number},
               {"last_timestamp", ColumnKind::time},
               {"coordinator_epoch", ColumnKind::number},
               {"transaction_start", ColumnKind::number}});
  const auto or_null = [](std::int64_t number) { return number < 0 ? Json(nullptr) : Json(number); };
  for (const PartitionProducer& one : *producers) {
    table.add({one.producer_id, one.producer_epoch, or_null(one.last_sequence),
               one.last_timestamp.time_since_epoch().count(), or_null(one.coordinator_epoch),
               or_null(one.transaction_start_offset)});
  }
  table.print(context.out, context.format());
  return ExitCode::ok;
}

Result<ExitCode> forget(Context& context, const ProducerArguments& arguments) {
  const Result<Engine> engine = context.open(OpenMode::read_write);
  if (!engine.ok()) return engine.error();
  const auto producers = engine->admin().list_named_producers();
  if (!producers.ok()) return producers.error();
  std::vector<std::string> names;
  for (const NamedProducerDescription& one : *producers) names.push_back(one.name);
  const Result<> forgotten = engine->admin().forget_named_producer(arguments.name);
  const auto guess = nearest(arguments.name, names);
  if (!forgotten.ok() && forgotten.error().code() == Errc::not_found && guess) {
    return Error(Errc::not_found,
                 "there is no producer named " + arguments.name + ". Did you mean " + *guess + "?");
  }
  if (!forgotten.ok()) return forgotten.error();
  const Result<> closed = engine->close();
  if (!closed.ok()) return closed.error();
  context.note("forgot producer " + arguments.name + ": who opens that name next begins with new sequences");
  return ExitCode::ok;
}

Command list_producers_command() {
  return {.name = "list",
          .summary = "Lists the named producers",
          .examples = {"seriatim -d data producer list"},
          .run = list_producers};
}

Command describe_producer_command() {
  auto arguments = std::make_shared<ProducerArguments>();
  return {
      .name = "describe",
      .summary = "Shows what a partition remembers of its producers",
      .positionals = {{.name = "TOPIC:PARTITION", .help = "Which partition", .target = &arguments->place}},
      .examples = {"seriatim -d data producer describe orders:0"},
      .run = [arguments](Context& context) { return describe(context, *arguments); }};
}

Command forget_command() {
  auto arguments = std::make_shared<ProducerArguments>();
  return {.name = "forget",
          .summary = "Forgets a named producer, and with it which of its records are stored already",
          .positionals = {{.name = "NAME", .help = "Name of the producer", .target = &arguments->name}},
          .examples = {"seriatim -d data producer forget importer"},
          .run = [arguments](Context& context) { return forget(context, *arguments); }};
}

}  // namespace

Command producer_command() {
  return {.name = "producer",
          .summary = "Shows and forgets producers",
          .children = {list_producers_command(), describe_producer_command(), forget_command()}};
}

}  // namespace seriatim::cli
