// dlq list, show.
#include <algorithm>
#include <charconv>
#include <memory>
#include <utility>

#include "dlq/dlq_commands.hpp"
#include "interrupt.hpp"

namespace seriatim::cli {
namespace {

// Letters at a time: each may have some MiB.
constexpr std::size_t letters_page = 32;
constexpr std::int64_t letters_limit_max = 1'000'000'000;

struct DlqListArguments {
  LetterOptions letters{};
  std::optional<std::int64_t> limit{};
};

Json text_or_null_json(const std::optional<std::string>& text) { return text ? Json(*text) : Json(nullptr); }

Json letter_time_json(const std::optional<Timestamp>& time) {
  return time ? Json(time->time_since_epoch().count()) : Json(nullptr);
}

Table letters_table() {
  return Table({{"partition", ColumnKind::number},
                {"offset", ColumnKind::number},
                {"time", ColumnKind::time},
                {"record"},
                {"group"},
                {"attempts", ColumnKind::number},
                {"key"},
                {"error"},
                {"replayed"}});
}

void add_letter(Table& table, const DeadLetter& letter) {
  table.add({letter.partition, letter.offset, letter.time.time_since_epoch().count(), record_place(letter),
             letter.group, letter.attempts, text_or_null_json(letter.key), letter.error, letter.is_replayed});
}

Result<ExitCode> run_dlq_list(Context& context, const DlqListArguments& arguments) {
  const auto filter = letter_filter(arguments.letters);
  if (!filter.ok()) return filter.error();
  const Result<Engine> engine = context.open(OpenMode::read_only);
  if (!engine.ok()) return engine.error();
  const Result<TopicDescription> topic = describe_topic(*engine, arguments.letters.topic);
  if (!topic.ok()) return topic.error();
  Table table = letters_table();
  auto left = static_cast<std::size_t>(arguments.limit.value_or(letters_limit_max));
  std::optional<DeadLetterPosition> at = DeadLetterPosition{};
  while (at && left > 0 && !is_interrupted() && !context.out.has_failed()) {
    const auto page =
        list_dead_letters(*engine, arguments.letters.topic, *at, std::min(letters_page, left), *filter);
    if (!page.ok()) return page.error();
    for (const DeadLetter& letter : page->letters) add_letter(table, letter);
    left -= page->letters.size();
    at = page->next;
    if (context.format() != OutputFormat::jsonl) continue;
    table.print(context.out, context.format());
    table = letters_table();
  }
  if (context.format() != OutputFormat::jsonl) table.print(context.out, context.format());
  return ExitCode::ok;
}

/// "orders.DLQ:0@17".
Result<std::pair<TopicPartition, Offset>> letter_place(const std::string& text) {
  const std::size_t at = text.rfind('@');
  Offset offset = -1;
  if (at != std::string::npos) {
    const char* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data() + at + 1, end, offset);
    if (parsed.ec != std::errc() || parsed.ptr != end) offset = -1;
  }
  if (offset < 0) {
    return Error(Errc::invalid_argument,
                 "\"" + text +
                     "\" is no place of a letter; write it as orders.DLQ:0@17, the topic, the "
                     "partition and the offset");
  }
  const Result<TopicPartition> partition = parse_partition_place(text.substr(0, at));
  if (!partition.ok()) return partition.error();
  return std::pair(*partition, offset);
}

Json letter_json(const DeadLetter& letter) {
  Json headers = Json::array();
  for (const auto& [name, value] : letter.headers) headers.push_back({name, text_or_null_json(value)});
  Json json{{"partition", letter.partition},
            {"offset", letter.offset},
            {"time", letter.time.time_since_epoch().count()},
            {"topic", letter.topic},
            {"record_partition", letter.record_partition ? Json(*letter.record_partition) : Json(nullptr)},
            {"record_offset", letter.record_offset ? Json(*letter.record_offset) : Json(nullptr)},
            {"record_timestamp", letter_time_json(letter.record_timestamp)},
            {"group", letter.group},
            {"attempts", letter.attempts},
            {"error", letter.error},
            {"error_name", letter.error_name},
            {"first_failure", letter_time_json(letter.first_failure)},
            {"replayed", letter.is_replayed},
            {"headers", std::move(headers)}};
  put_nullable_bytes(json, "key", letter.key ? BytesView(*letter.key) : BytesView());
  put_nullable_bytes(json, "value", letter.value ? BytesView(*letter.value) : BytesView());
  return json;
}

Result<ExitCode> run_dlq_show(Context& context, const std::string& place) {
  const auto at = letter_place(place);
  if (!at.ok()) return at.error();
  const auto& [partition, offset] = *at;
  const Result<Engine> engine = context.open(OpenMode::read_only);
  if (!engine.ok()) return engine.error();
  const Result<TopicDescription> topic = describe_topic(*engine, partition.topic);
  if (!topic.ok()) return topic.error();
  const auto page = list_dead_letters(
      *engine, partition.topic, {.partition = partition.partition, .offset = offset}, 1,
      {.partition = partition.partition, .offsets = std::pair<Offset, Offset>{offset, offset}});
  if (!page.ok()) return page.error();
  if (page->letters.empty()) {
    return Error(Errc::not_found, "there is no dead letter " + place +
                                      ": it was purged, or never was there; seriatim dlq list " +
                                      partition.topic + " shows those that are");
  }
  print_json(context.out, context.format(), letter_json(page->letters.front()));
  return ExitCode::ok;
}

}  // namespace

Command dlq_list_command() {
  auto arguments = std::make_shared<DlqListArguments>();
  std::vector<Option> options = letter_options(arguments->letters);
  options.push_back({.names = "-n,--limit",
                     .value_name = "N",
                     .help = "At most so many",
                     .target = IntegerTarget{&arguments->limit, 1, letters_limit_max}});
  return {.name = "list",
          .summary = "Lists dead letters: which record died, when, and why",
          .positionals = {letter_topic_positional(arguments->letters)},
          .options = std::move(options),
          .examples = {"seriatim -d data dlq list orders.DLQ --error 'no answer'"},
          .run = [arguments](Context& context) { return run_dlq_list(context, *arguments); }};
}

Command dlq_show_command() {
  auto place = std::make_shared<std::string>();
  return {.name = "show",
          .summary = "Shows one dead letter with all that it has",
          .positionals = {{.name = "TOPIC:PARTITION@OFFSET", .help = "Which letter", .target = place.get()}},
          .examples = {"seriatim -d data dlq show orders.DLQ:0@17"},
          .run = [place](Context& context) { return run_dlq_show(context, *place); }};
}

}  // namespace seriatim::cli
