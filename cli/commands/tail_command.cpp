// tail: the newest records of a topic by time, then what comes.
#include <algorithm>
#include <chrono>
#include <memory>

#include "command_tree.hpp"
#include "commands/partition_watch.hpp"
#include "commands/record_printer.hpp"
#include "context.hpp"
#include "interrupt.hpp"

namespace seriatim::cli {
namespace {

constexpr std::chrono::milliseconds tail_poll_interval{100};
constexpr std::int64_t count_max = 1'000'000;

struct TailArguments {
  std::string topic{};
  std::string partitions{};
  std::optional<std::int64_t> count{};
  bool exit_at_end = false;
  PrintArguments print{};
};

// A record and the time it is sorted by: the largest timestamp of its partition so far, because within a
// partition the offset decides, whatever the producers' clocks say.
struct TimedRecord {
  Timestamp time{};
  RecordView record{};
};

// The newest records of all partitions, and where each partition goes on after them.
struct Newest {
  std::vector<ConsumerRecords> pins{};  ///< Keep the bytes of the views below.
  std::vector<TimedRecord> records{};
  std::vector<std::pair<TopicPartition, Offset>> next{};
};

void add_in_offset_order(const ConsumerRecords& newest_first, std::vector<TimedRecord>& records) {
  Timestamp time = no_timestamp;
  for (std::size_t i = newest_first.count(); i > 0; --i) {
    const RecordView& record = newest_first[i - 1];
    time = std::max(time, record.timestamp());
    records.push_back({time, record});
  }
}

Result<Newest> read_newest(const Engine& engine, const std::vector<TopicPartition>& partitions,
                           std::size_t count) {
  Newest newest;
  for (const TopicPartition& partition : partitions) {
    const Result<LogReader> reader = engine.reader(partition);
    if (!reader.ok()) return reader.error();
    // Records behind an open transaction come when it is decided.
    const Offset end = reader->last_stable_offset();
    newest.next.emplace_back(partition, end);
    if (end <= reader->log_start_offset() || count == 0) continue;
    Result<ConsumerRecords> records = reader->read_backward(end, count);
    if (!records.ok()) return records.error();
    newest.pins.push_back(std::move(*records));
    add_in_offset_order(newest.pins.back(), newest.records);
  }
  std::stable_sort(newest.records.begin(), newest.records.end(),
                   [](const TimedRecord& a, const TimedRecord& b) { return a.time < b.time; });
  const std::size_t surplus = newest.records.size() - std::min(newest.records.size(), count);
  newest.records.erase(newest.records.begin(), newest.records.begin() + static_cast<std::ptrdiff_t>(surplus));
  return newest;
}

Result<> go_on_after(Consumer& consumer, const Newest& newest) {
  std::vector<TopicPartition> partitions;
  for (const auto& [partition, offset] : newest.next) partitions.push_back(partition);
  const Result<> assigned = consumer.assign(partitions);
  if (!assigned.ok()) return assigned;
  for (const auto& [partition, offset] : newest.next) {
    const Result<> sought = consumer.seek(partition, offset);
    if (!sought.ok()) return sought;
  }
  return {};
}

Result<> follow(Context& context, Consumer& consumer, RecordPrinter& printer, PartitionWatch& watch) {
  while (!is_interrupted()) {
    const auto added = watch.added();
    if (!added.ok()) return added.error();
    const Result<> assigned = assign_more(consumer, *added);
    if (!assigned.ok()) return assigned;
    const Result<ConsumerRecords> records = consumer.poll(tail_poll_interval);
    if (!records.ok()) return records.error();
    for (const RecordView& record : *records) printer.print(record, context.out);
    const Result<> flushed = context.out.flush_or_notice();
    if (!flushed.ok()) return flushed;
  }
  return {};
}

Result<ExitCode> tail(Context& context, const TailArguments& arguments) {
  Result<RecordPrinter> printer = RecordPrinter::make(arguments.print);
  if (!printer.ok()) return printer.error();
  const Result<Engine> engine = context.open(OpenMode::read_only);
  if (!engine.ok()) return engine.error();
  const Result<TopicDescription> topic = describe_topic(*engine, arguments.topic);
  if (!topic.ok()) return topic.error();
  const auto partitions = select_partitions(*topic, arguments.partitions);
  if (!partitions.ok()) return partitions.error();
  const Result<Newest> newest =
      read_newest(*engine, *partitions, static_cast<std::size_t>(arguments.count.value_or(10)));
  if (!newest.ok()) return newest.error();
  for (const TimedRecord& timed : newest->records) printer->print(timed.record, context.out);
  const Result<> flushed = context.out.flush();
  if (!flushed.ok()) return flushed.error();
  if (arguments.exit_at_end) return ExitCode::ok;
  Result<Consumer> consumer = engine->consumer();
  if (!consumer.ok()) return consumer.error();
  const Result<> placed = go_on_after(*consumer, *newest);
  if (!placed.ok()) return placed.error();
  PartitionWatch watch(*engine);
  if (arguments.partitions.empty())
    watch.watch(topic->name, static_cast<PartitionId>(topic->partitions.size()));
  const Result<> followed = follow(context, *consumer, *printer, watch);
  if (!followed.ok()) return followed.error();
  return ExitCode::ok;
}

}  // namespace

Command tail_command() {
  auto arguments = std::make_shared<TailArguments>();
  std::vector<Option> options{
      {.names = "-n,--count",
       .value_name = "N",
       .help = "Start with the N newest records of all partitions (default: 10)",
       .target = IntegerTarget{&arguments->count, 0, count_max}},
      {.names = "-e,--exit", .help = "Do not wait for more", .target = &arguments->exit_at_end},
      {.names = "-p,--partitions",
       .value_name = "LIST",
       .help = "Partitions, as 0,2-5 (default: all)",
       .target = &arguments->partitions},
  };
  for (Option& option : print_options(arguments->print)) options.push_back(std::move(option));
  return {.name = "tail",
          .summary = "Prints the newest records in the order of their timestamps, then what comes",
          .positionals = {{.name = "TOPIC", .help = "Topic to read", .target = &arguments->topic}},
          .options = std::move(options),
          .examples = {"seriatim -d data tail orders", "seriatim -d data tail orders -n 100 -e -J"},
          .run = [arguments](Context& context) { return tail(context, *arguments); }};
}

}  // namespace seriatim::cli
