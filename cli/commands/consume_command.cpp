// consume: records to standard output, from a place to a place, or on and on.
#include <algorithm>
#include <chrono>
#include <map>
#include <memory>

#include "command_tree.hpp"
#include "commands/offset_resolution.hpp"
#include "commands/partition_watch.hpp"
#include "commands/record_printer.hpp"
#include "context.hpp"
#include "interrupt.hpp"

namespace seriatim::cli {
namespace {

// How soon an interrupt, and a reader of the output that is gone, are noticed while no records come.
constexpr std::chrono::milliseconds poll_interval{100};
constexpr std::size_t poll_records = 5'000;

struct ConsumeArguments {
  std::vector<std::string> topics{};
  std::string partitions{};
  std::vector<std::string> offsets{};
  std::optional<std::int64_t> count{};
  bool exit_at_end = false;
  std::string group{};
  bool commit = false;
  std::string isolation_level = "read_committed";
  PrintArguments print{};
};

// Reads from the assigned partitions until every one of them is done.
class Consumption {
 public:
  Consumption(Context& context, const ConsumeArguments& arguments, Engine engine, RecordPrinter printer,
              Consumer consumer)
      : context_(context),
        arguments_(arguments),
        engine_(std::move(engine)),
        printer_(std::move(printer)),
        consumer_(std::move(consumer)),
        watch_(engine_) {}

  Result<> assign();
  Result<> run();

 private:
  Result<OffsetRange> range() const;
  Result<Offset> offset_of(const TopicPartition& partition, const OffsetPoint& point) const;
  Result<> place(const TopicPartition& partition, const OffsetRange& range);
  /// Prints what is wanted of `records` and returns how far each partition was printed.
  TopicPartitionOffsets print(const ConsumerRecords& records);
  Result<> retire_finished(bool nothing_came);
  bool is_done() const noexcept { return is_interrupted() || left_ == 0 || (bounded_ && stops_.empty()); }

  Context& context_;
  const ConsumeArguments& arguments_;
  Engine engine_;
  RecordPrinter printer_;
  Consumer consumer_;
  PartitionWatch watch_;
  /// Where each partition that is still read ends, exclusive. Empty and not bounded: read on for ever.
  std::map<TopicPartition, Offset> stops_{};
  bool bounded_ = false;
  std::uint64_t left_ = UINT64_MAX;
};

// Several -o add up, so that kcat's `-o s@... -o e@...` works.
Result<OffsetRange> Consumption::range() const {
  OffsetRange range;
  const Timestamp now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  for (const std::string& text : arguments_.offsets) {
    const Result<OffsetRange> parsed = parse_offset_expression(text, now);
    if (!parsed.ok()) return parsed.error();
    if ((parsed->start && range.start) || (parsed->stop && range.stop)) {
      return Error(Errc::invalid_argument,
                   "-o " + text + " gives a start or stop that an earlier -o has given");
    }
    if (parsed->start) range.start = parsed->start;
    if (parsed->stop) range.stop = parsed->stop;
  }
  if (range.start && range.start->kind == OffsetPoint::Kind::stored && arguments_.group.empty()) {
    return Error(Errc::invalid_argument, "-o stored needs the name under which offsets are stored: -g GROUP");
  }
  if (!range.start)
    range.start = OffsetPoint{.kind = arguments_.group.empty() ? OffsetPoint::Kind::beginning
                                                               : OffsetPoint::Kind::stored};
  return range;
}

Result<> Consumption::assign() {
  const Result<OffsetRange> wanted = range();
  if (!wanted.ok()) return wanted.error();
  bounded_ = arguments_.exit_at_end || wanted->stop.has_value();
  if (arguments_.count) left_ = static_cast<std::uint64_t>(*arguments_.count);
  std::vector<TopicPartition> all;
  for (const std::string& name : arguments_.topics) {
    const Result<TopicDescription> topic = describe_topic(engine_, name);
    if (!topic.ok()) return topic.error();
    const auto partitions = select_partitions(*topic, arguments_.partitions);
    if (!partitions.ok()) return partitions.error();
    all.insert(all.end(), partitions->begin(), partitions->end());
    // A command that ends, ends with the records that were there at its start.
    if (arguments_.partitions.empty() && !bounded_)
      watch_.watch(name, static_cast<PartitionId>(topic->partitions.size()));
  }
  const Result<> assigned = consumer_.assign(all);
  if (!assigned.ok()) return assigned.error();
  for (const TopicPartition& partition : all) {
    const Result<> placed = place(partition, *wanted);
    if (!placed.ok()) return placed;
  }
  return retire_finished(false);
}

// The end is that of what can be read: records of an open transaction would be waited for.
Result<Offset> Consumption::offset_of(const TopicPartition& partition, const OffsetPoint& point) const {
  if (point.kind == OffsetPoint::Kind::end) return consumer_.end_offset(partition);
  return resolve(engine_, partition, point, arguments_.group);
}

Result<> Consumption::place(const TopicPartition& partition, const OffsetRange& range) {
  const Result<Offset> start = offset_of(partition, *range.start);
  if (!start.ok()) return start.error();
  if (range.start->kind == OffsetPoint::Kind::absolute) {
    const Result<> valid = check_in_log(engine_, partition, *start);
    if (!valid.ok()) return valid;
  }
  const Result<> sought = consumer_.seek(partition, *start);
  if (!sought.ok() || !bounded_) return sought;
  const OffsetPoint end{.kind = OffsetPoint::Kind::end};
  const Result<Offset> stop = offset_of(partition, range.stop.value_or(end));
  if (!stop.ok()) return stop.error();
  stops_[partition] = *stop;
  if (!arguments_.exit_at_end || !range.stop) return {};
  const Result<Offset> log_end = offset_of(partition, end);
  if (!log_end.ok()) return log_end.error();
  stops_[partition] = std::min(*stop, *log_end);
  return {};
}

TopicPartitionOffsets Consumption::print(const ConsumerRecords& records) {
  TopicPartitionOffsets reached;
  TopicPartition current;
  Offset next = -1;
  Offset stop = 0;
  const auto finish_partition = [&] {
    if (next >= 0) reached[current] = {.offset = next};
  };
  for (const RecordView& record : records) {
    if (left_ == 0) break;
    if (record.partition() != current.partition || record.topic() != current.topic) {
      finish_partition();
      current = {std::string(record.topic()), record.partition()};
      next = -1;
      const auto found = stops_.find(current);
      stop = !bounded_ ? INT64_MAX : found == stops_.end() ? 0 : found->second;
    }
    if (record.offset() >= stop) continue;
    printer_.print(record, context_.out);
    next = record.offset() + 1;
    --left_;
  }
  finish_partition();
  return reached;
}

// Takes partitions that have reached their stop out of the polls.
Result<> Consumption::retire_finished(bool nothing_came) {
  for (auto stop = stops_.begin(); stop != stops_.end();) {
    const auto& [partition, offset] = *stop;
    const Result<Offset> position = consumer_.position(partition);
    if (!position.ok()) return position.error();
    const Result<Offset> end = consumer_.end_offset(partition);
    if (!end.ok()) return end.error();
    // Compaction may have taken the last records below the stop, or they were aborted: then nothing comes
    // although the log reaches beyond it.
    const bool only_holes_left = nothing_came && *end >= offset;
    if (*position < offset && !only_holes_left) {
      ++stop;
      continue;
    }
    const Result<> paused = consumer_.pause({&partition, 1});
    if (!paused.ok()) return paused;
    stop = stops_.erase(stop);
  }
  return {};
}

Result<> Consumption::run() {
  while (!is_done()) {
    const auto added = watch_.added();
    if (!added.ok()) return added.error();
    const Result<> assigned = assign_more(consumer_, *added);
    if (!assigned.ok()) return assigned;
    const Result<ConsumerRecords> records = consumer_.poll(poll_interval);
    if (!records.ok()) return records.error();
    const TopicPartitionOffsets reached = print(*records);
    // Before the commit: a record counts as consumed when its reader could have it.
    const Result<> flushed = context_.out.flush_or_notice();
    if (!flushed.ok()) return flushed;
    if (arguments_.commit && !reached.empty()) {
      const Result<> committed = consumer_.commit_sync(reached);
      if (!committed.ok()) return committed;
    }
    if (!bounded_) continue;
    const Result<> retired = retire_finished(records->empty());
    if (!retired.ok()) return retired;
  }
  return {};
}

Result<ExitCode> consume(Context& context, const ConsumeArguments& arguments) {
  if (arguments.commit && arguments.group.empty()) {
    return Error(Errc::invalid_argument, "--commit needs the name to store offsets under: -g GROUP");
  }
  Result<RecordPrinter> printer = RecordPrinter::make(arguments.print);
  if (!printer.ok()) return printer.error();
  // Only the writer can store offsets; looking needs nobody's leave.
  const Result<Engine> engine = context.open(arguments.commit ? OpenMode::read_write : OpenMode::read_only);
  if (!engine.ok()) return engine.error();
  Result<Consumer> consumer = engine->consumer(
      {.group_id = arguments.group,
       .max_poll_records = poll_records,
       .isolation_level = arguments.isolation_level == "read_committed" ? IsolationLevel::read_committed
                                                                        : IsolationLevel::read_uncommitted});
  if (!consumer.ok()) return consumer.error();
  Consumption consumption(context, arguments, *engine, std::move(*printer), std::move(*consumer));
  const Result<> assigned = consumption.assign();
  if (!assigned.ok()) return assigned.error();
  const Result<> consumed = consumption.run();
  if (!consumed.ok()) return consumed.error();
  return ExitCode::ok;
}

}  // namespace

Command consume_command() {
  auto arguments = std::make_shared<ConsumeArguments>();
  std::vector<Option> options{
      {.names = "-o,--offset",
       .value_name = "OFFSET",
       .help = "Where to start: beginning, end, stored, N, -N, +N, @TIME, or START:STOP; s@TIME and e@TIME "
               "as in kcat (default: stored with -g, "
               "else beginning)",
       .target = &arguments->offsets},
      {.names = "-e,--exit",
       .help = "Exit at what is the end of the log at the start",
       .target = &arguments->exit_at_end},
      {.names = "-c,--count",
       .value_name = "N",
       .help = "Exit after N records",
       .target = IntegerTarget{&arguments->count, 1, INT64_MAX}},
      {.names = "-p,--partitions",
       .value_name = "LIST",
       .help = "Partitions, as 0,2-5 (default: all)",
       .target = &arguments->partitions},
      {.names = "-g,--group",
       .value_name = "GROUP",
       .help = "Start where this group has committed",
       .target = &arguments->group},
      {.names = "--commit",
       .help = "Commit what was printed under the group's name; needs the directory for writing",
       .target = &arguments->commit},
      {.names = "--isolation-level",
       .help = "Whether records of open and aborted transactions are shown (default: read_committed)",
       .target = &arguments->isolation_level,
       .choices = {"read_committed", "read_uncommitted"}},
  };
  for (Option& option : print_options(arguments->print)) options.push_back(std::move(option));
  return {.name = "consume",
          .summary = "Prints records, beside a running application too",
          .positionals = {{.name = "TOPIC", .help = "Topics to read", .target = &arguments->topics}},
          .options = std::move(options),
          .examples = {"seriatim -d data consume orders -o beginning -e -J",
                       "seriatim -d data consume orders -o @-15m -f '%T{rfc3339} %k: %v\\n'",
                       "seriatim -d data consume orders -g billing --commit -c 100"},
          .run = [arguments](Context& context) { return consume(context, *arguments); }};
}

}  // namespace seriatim::cli
