// consume: records to standard output, from a place to a place, or on and on.
#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <utility>

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
  bool no_commit = false;
  std::string isolation_level = "read_committed";
  PrintArguments print{};
};

// As Kafka's own consumer does: a name is given to go on there the next time.
bool commits(const ConsumeArguments& arguments) {
  return arguments.commit || (!arguments.group.empty() && !arguments.no_commit);
}

// A start, a stop and a choice of partitions are for who assigns them.
bool subscribes(const ConsumeArguments& arguments) {
  return commits(arguments) && arguments.offsets.empty() && arguments.partitions.empty() &&
         !arguments.exit_at_end;
}

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

  Result<> begin() { return subscribes(arguments_) ? subscribe() : assign(); }
  Result<> run();

 private:
  Result<> subscribe();
  Result<> assign();
  Result<OffsetRange> range() const;
  Result<Offset> offset_of(const TopicPartition& partition, const OffsetPoint& point) const;
  Result<> place(const TopicPartition& partition, const OffsetRange& range);
  /// Prints what is wanted of `records` and returns how far each partition was printed.
  TopicPartitionOffsets print(const ConsumerRecords& records);
  Result<> commit(const TopicPartitionOffsets& reached);
  Result<> commit_the_rest();
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
  /// The first record of a partition that was read and is not to be printed.
  std::map<TopicPartition, Offset> unprinted_{};
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

Result<> Consumption::subscribe() {
  if (arguments_.count) left_ = static_cast<std::uint64_t>(*arguments_.count);
  for (const std::string& name : arguments_.topics) {
    const Result<TopicDescription> topic = describe_topic(engine_, name);
    if (!topic.ok()) return topic.error();
  }
  context_.note(
      "group " + arguments_.group +
      ": this command is its only member. Members share partitions within one process, the one that "
      "has the directory for writing");
  return consumer_.subscribe(arguments_.topics);
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

// Behind the last record of a poll are the markers and aborted records that it has passed: where all of it is
// printed, the position is behind these too.
TopicPartitionOffsets Consumption::print(const ConsumerRecords& records) {
  TopicPartitionOffsets reached = records.next_offsets();
  TopicPartition current;
  Offset stop = 0;
  for (const RecordView& record : records) {
    if (record.partition() != current.partition || record.topic() != current.topic) {
      current = {std::string(record.topic()), record.partition()};
      const auto found = stops_.find(current);
      stop = !bounded_ ? INT64_MAX : found == stops_.end() ? 0 : found->second;
    }
    if (left_ == 0 || record.offset() >= stop) {
      unprinted_.emplace(current, record.offset());
      continue;
    }
    printer_.print(record, context_.out);
    --left_;
  }
  for (const auto& [partition, offset] : unprinted_) {
    if (const auto found = reached.find(partition); found != reached.end()) found->second.offset = offset;
  }
  return reached;
}

// Nothing is written for a position that is stored: what belongs to it, its time and metadata, stay.
Result<> Consumption::commit(const TopicPartitionOffsets& reached) {
  if (!commits(arguments_)) return {};
  TopicPartitionOffsets changed;
  for (const auto& [partition, position] : reached) {
    const auto committed = consumer_.committed(partition);
    if (!committed.ok()) return committed.error();
    if (!*committed || (*committed)->offset != position.offset) changed[partition] = position;
  }
  return changed.empty() ? Result<>() : consumer_.commit_sync(changed);
}

// Partitions that have nothing to print, or only what is never shown, are consumed as well.
Result<> Consumption::commit_the_rest() {
  if (!commits(arguments_)) return {};
  TopicPartitionOffsets reached;
  for (const TopicPartition& partition : consumer_.assignment()) {
    const auto unprinted = unprinted_.find(partition);
    const Result<Offset> position =
        unprinted != unprinted_.end() ? Result<Offset>(unprinted->second) : consumer_.position(partition);
    if (!position.ok()) return position.error();
    reached[partition] = {.offset = *position};
  }
  return commit(reached);
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
  TopicPartitionOffsets reached;  // Printed, flushed, and not committed.
  while (!is_done()) {
    const Result<> committed = commit(std::exchange(reached, {}));
    if (!committed.ok()) return committed;
    const auto added = watch_.added();
    if (!added.ok()) return added.error();
    const Result<> assigned = assign_more(consumer_, *added);
    if (!assigned.ok()) return assigned;
    const Result<ConsumerRecords> records = consumer_.poll(poll_interval);
    if (!records.ok()) return records.error();
    reached = print(*records);
    // Before the commit: a record counts as consumed when its reader could have it.
    const Result<> flushed = context_.out.flush_or_notice();
    if (!flushed.ok()) return flushed;
    if (!bounded_) continue;
    const Result<> retired = retire_finished(records->empty());
    if (!retired.ok()) return retired;
  }
  // Somebody who breaks off has what was printed, and said nothing of the rest.
  return is_interrupted() ? commit(reached) : commit_the_rest();
}

// Only the writer can store offsets; looking needs nobody's leave.
Result<Engine> open_to_consume(const Context& context, const ConsumeArguments& arguments) {
  if (!commits(arguments)) return context.open(OpenMode::read_only);
  const Result<Engine> engine = context.open(OpenMode::read_write);
  if (engine.ok() || engine.error().code() != Errc::locked) return engine;
  return Error(Errc::locked, engine.error().message() +
                                 " Members of a group, and the offsets it stores, belong to that process. To "
                                 "read beside it without storing offsets: --no-commit");
}

Result<ExitCode> consume(Context& context, const ConsumeArguments& arguments) {
  if (arguments.commit && arguments.group.empty()) {
    return Error(Errc::invalid_argument, "--commit needs the name to store offsets under: -g GROUP");
  }
  if (arguments.commit && arguments.no_commit) {
    return Error(Errc::invalid_argument, "--commit and --no-commit contradict each other. Leave one out");
  }
  Result<RecordPrinter> printer = RecordPrinter::make(arguments.print);
  if (!printer.ok()) return printer.error();
  const Result<Engine> engine = open_to_consume(context, arguments);
  if (!engine.ok()) return engine.error();
  Result<Consumer> consumer = engine->consumer(
      {.group_id = arguments.group,
       .max_poll_records = poll_records,
       .isolation_level = arguments.isolation_level == "read_committed" ? IsolationLevel::read_committed
                                                                        : IsolationLevel::read_uncommitted,
       // However long the reader of the output takes, nobody waits for the partitions.
       .max_poll_interval = std::chrono::milliseconds::max()});
  if (!consumer.ok()) return consumer.error();
  Consumption consumption(context, arguments, *engine, std::move(*printer), std::move(*consumer));
  const Result<> begun = consumption.begin();
  if (!begun.ok()) return begun.error();
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
       .help = "Start where this group has committed, and commit what was printed; needs the directory for "
               "writing. Without -o, -p and -e as a member: partitions are shared with members of the same "
               "process only",
       .target = &arguments->group},
      {.names = "--commit", .help = "The same as -g alone; it is what -g does", .target = &arguments->commit},
      {.names = "--no-commit",
       .help = "With -g: commit nothing, beside a running application too",
       .target = &arguments->no_commit},
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
                       "seriatim -d data consume orders payments -g billing -c 100",
                       "seriatim -d data consume orders -g billing --no-commit -e"},
          .run = [arguments](Context& context) { return consume(context, *arguments); }};
}

}  // namespace seriatim::cli
