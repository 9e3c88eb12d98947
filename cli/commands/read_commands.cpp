// get: one record with all that is known of it. count: how many there are.
#include <charconv>
#include <memory>

#include "command_tree.hpp"
#include "commands/offset_resolution.hpp"
#include "context.hpp"
#include "interrupt.hpp"
#include "progress_bar.hpp"
#include "text/json_record.hpp"
#include "text/readable_time.hpp"
#include "text/text_encoding.hpp"

namespace seriatim::cli {
namespace {

struct GetArguments {
  std::string place{};
  bool value_only = false;
  bool json = false;
};

struct RecordPlace {
  TopicPartition topic_partition{};
  Offset offset = 0;
};

template <class Integer>
std::optional<Integer> read_number(std::string_view text) {
  Integer value = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped_at, failure] = std::from_chars(text.data(), end, value);
  if (failure != std::errc() || stopped_at != end || value < 0) return std::nullopt;
  return value;
}

Result<RecordPlace> parse_place(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::size_t at = text.find('@', colon == std::string_view::npos ? 0 : colon);
  if (colon != std::string_view::npos && at != std::string_view::npos) {
    const auto partition = read_number<PartitionId>(text.substr(colon + 1, at - colon - 1));
    const auto offset = read_number<Offset>(text.substr(at + 1));
    if (partition && offset) return RecordPlace{{std::string(text.substr(0, colon)), *partition}, *offset};
  }
  return Error(Errc::invalid_argument,
               "\"" + std::string(text) +
                   "\" does not name a record. Write TOPIC:PARTITION@OFFSET, as in orders:3@41872");
}

std::string shown(BytesView bytes) {
  if (bytes.is_null()) return "null";
  return "(" + std::to_string(bytes.size()) + " bytes) " + printable(bytes.text());
}

void print_pretty(const RecordView& record, OutputStream& out) {
  out.write("topic      " + std::string(record.topic()) + "\n");
  out.write("partition  " + std::to_string(record.partition()) + "\n");
  out.write("offset     " + std::to_string(record.offset()) + "\n");
  out.write("timestamp  " + std::to_string(record.timestamp().time_since_epoch().count()) + "  " +
            readable_time(record.timestamp()) + "\n");
  out.write("key        " + shown(record.key()) + "\n");
  out.write("value      " + shown(record.value()) + "\n");
  for (std::size_t i = 0; i < record.header_count(); ++i) {
    const HeaderView header = record.header(i);
    out.write("header     " + printable(header.key) + " = " + shown(header.value) + "\n");
  }
}

Result<ExitCode> get(Context& context, const GetArguments& arguments) {
  const Result<RecordPlace> place = parse_place(arguments.place);
  if (!place.ok()) return place.error();
  const Result<Engine> engine = context.open(OpenMode::read_only);
  if (!engine.ok()) return engine.error();
  const Result<TopicDescription> topic = describe_topic(*engine, place->topic_partition.topic);
  if (!topic.ok()) return topic.error();
  const auto known = select_partitions(*topic, std::to_string(place->topic_partition.partition));
  if (!known.ok()) return known.error();
  const Result<LogReader> reader = engine->reader(place->topic_partition);
  if (!reader.ok()) return reader.error();
  const Result<> valid = check_in_log(*engine, place->topic_partition, place->offset);
  if (!valid.ok()) return valid.error();
  const Result<ConsumerRecords> records = reader->record_at(place->offset);
  if (!records.ok()) return records.error();
  if (records->empty()) {
    return Error(Errc::offset_out_of_range,
                 "there is no record at " + arguments.place +
                     ": it is the end of the log, compaction has removed it, or it "
                     "belongs to a transaction, as its marker or because that is "
                     "open or was aborted. `seriatim dump --records` shows what is "
                     "stored");
  }
  const RecordView& record = (*records)[0];
  if (arguments.value_only) {
    context.out.write(record.value().text());
  } else if (arguments.json || context.format() == OutputFormat::jsonl) {
    print_json(context.out, OutputFormat::jsonl, json_of(record));
  } else if (context.format() == OutputFormat::json) {
    print_json(context.out, OutputFormat::json, json_of(record));
  } else {
    print_pretty(record, context.out);
  }
  return ExitCode::ok;
}

struct CountArguments {
  std::string topic{};
  std::string partitions{};
  bool scan = false;
};

struct Scanned {
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;
};

// Counts what is stored by reading it: compaction leaves fewer records than offsets.
Result<Scanned> scan(const Engine& engine, const TopicPartition& partition, ProgressBar& progress,
                     OutputStream& out) {
  const Result<LogReader> reader = engine.reader(partition);
  if (!reader.ok()) return reader.error();
  const Offset end = reader->high_watermark();
  const Offset start = reader->log_start_offset();
  constexpr std::size_t records_at_once = 10'000;
  Scanned scanned;
  for (Offset at = start; at < end && !is_interrupted() && out.has_reader();) {
    const Result<ConsumerRecords> records = reader->read(at, records_at_once);
    if (!records.ok()) return records.error();
    if (records->empty()) break;
    for (const RecordView& record : *records) {
      at = record.offset() + 1;
      if (record.offset() >= end) break;
      ++scanned.records;
      scanned.bytes += record.key().size() + record.value().size();
    }
    progress.update(static_cast<std::uint64_t>(at - start), static_cast<std::uint64_t>(end - start));
  }
  return scanned;
}

Result<ExitCode> count(Context& context, const CountArguments& arguments) {
  const Result<Engine> engine = context.open(OpenMode::read_only);
  if (!engine.ok()) return engine.error();
  const Result<TopicDescription> topic = describe_topic(*engine, arguments.topic);
  if (!topic.ok()) return topic.error();
  const auto partitions = select_partitions(*topic, arguments.partitions);
  if (!partitions.ok()) return partitions.error();
  ProgressBar progress("count", arguments.scan && !context.options.quiet);
  std::vector<Column> columns{{"topic"},
                              {"partition", ColumnKind::number},
                              {"log_start", ColumnKind::number},
                              {"end", ColumnKind::number},
                              {"records", ColumnKind::number}};
  if (arguments.scan) columns.push_back({"payload_bytes", ColumnKind::bytes});
  Table table(std::move(columns));
  for (const TopicPartition& partition : *partitions) {
    const PartitionDescription& description =
        topic->partitions[static_cast<std::size_t>(partition.partition)];
    if (description.damage) {
      return Error(Errc::corrupt_metadata, partition.topic + ":" + std::to_string(partition.partition) +
                                               " cannot be counted: " + *description.damage);
    }
    const Offset offsets = description.high_watermark - description.log_start_offset;
    std::vector<Json> row{partition.topic, partition.partition, description.log_start_offset,
                          description.high_watermark, offsets};
    if (arguments.scan) {
      const Result<Scanned> scanned = scan(*engine, partition, progress, context.out);
      if (!scanned.ok()) return scanned.error();
      row[4] = scanned->records;
      row.emplace_back(scanned->bytes);
    }
    table.add(std::move(row));
  }
  progress.clear();
  table.print(context.out, context.format());
  return ExitCode::ok;
}

}  // namespace

Command get_command() {
  auto arguments = std::make_shared<GetArguments>();
  return {.name = "get",
          .summary = "Prints one record",
          .positionals = {{.name = "TOPIC:PARTITION@OFFSET",
                           .help = "Which record",
                           .target = &arguments->place}},
          .options = {{.names = "--value",
                       .help = "Only the value's bytes, nothing added",
                       .target = &arguments->value_only},
                      {.names = "-J,--json-lines",
                       .help = "As one JSON object on a line, as consume -J",
                       .target = &arguments->json}},
          .examples = {"seriatim -d data get orders:3@41872",
                       "seriatim -d data get images:0@7 --value > image.png"},
          .run = [arguments](Context& context) { return get(context, *arguments); }};
}

Command count_command() {
  auto arguments = std::make_shared<CountArguments>();
  return {.name = "count",
          .summary = "Counts records by their offsets, or exactly with --scan",
          .positionals = {{.name = "TOPIC", .help = "Topic to count", .target = &arguments->topic}},
          .options = {{.names = "--scan",
                       .help = "Read every record: exact on a compacted topic",
                       .target = &arguments->scan},
                      {.names = "-p,--partitions",
                       .value_name = "LIST",
                       .help = "Partitions, as 0,2-5 (default: all)",
                       .target = &arguments->partitions}},
          .examples = {"seriatim -d data count orders", "seriatim -d data count users --scan"},
          .run = [arguments](Context& context) { return count(context, *arguments); }};
}

}  // namespace seriatim::cli
