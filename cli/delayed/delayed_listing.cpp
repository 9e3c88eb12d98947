// delayed list, count.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "delayed/delayed_commands.hpp"
#include "interrupt.hpp"

namespace seriatim::cli {
namespace {

// Messages at a time: each may have 1 MiB.
constexpr std::size_t delayed_page = 32;
constexpr std::int64_t delayed_limit_max = 1'000'000'000;

struct DelayedListArguments {
  std::string name{};
  bool parked = false;
  std::optional<std::int64_t> limit{};
};

Json text_or_null(const std::optional<std::string>& text) { return text ? Json(*text) : Json(nullptr); }

void add_delayed(Table& table, const std::string& name, const DelayedMessage& one) {
  table.add({name, one.id, one.due.time_since_epoch().count(), one.topic,
             one.partition ? Json(*one.partition) : Json(nullptr), text_or_null(one.key),
             text_or_null(one.value), one.parked_for ? Json(one.parked_for->message()) : Json(nullptr)});
}

Table delayed_table() {
  return Table({{"name"},
                {"id"},
                {"due", ColumnKind::time},
                {"topic"},
                {"partition", ColumnKind::number},
                {"key"},
                {"value"},
                {"parked_for"}});
}

// A page at a time, since there may be more than memory has room for; with --output jsonl each is printed at
// once.
Result<> list_delayed(Context& context, const Engine& engine, const std::string& name,
                      const DelayedListArguments& arguments, Table& table) {
  const auto which = arguments.parked ? DelayedListing::parked : DelayedListing::pending;
  auto left = static_cast<std::size_t>(arguments.limit.value_or(delayed_limit_max));
  DelayedPosition after;
  while (left > 0 && !is_interrupted() && !context.out.has_failed()) {
    const std::size_t wanted = std::min(delayed_page, left);
    const auto page = list_delayed_messages(engine, name, which, after, wanted);
    if (!page.ok()) return page.error();
    for (const DelayedMessage& one : *page) add_delayed(table, name, one);
    if (context.format() == OutputFormat::jsonl) {
      table.print(context.out, context.format());
      table = delayed_table();
    }
    if (page->size() < wanted) return {};
    after = {.due = page->back().due, .id = page->back().id};
    left -= wanted;
  }
  return {};
}

Result<std::vector<std::string>> names_of(const Engine& engine, const std::string& name) {
  if (name.empty()) return list_delayed_message_names(engine);
  return std::vector<std::string>{name};
}

Result<ExitCode> run_delayed_list(Context& context, const DelayedListArguments& arguments) {
  const Result<Engine> engine = context.open(OpenMode::read_only);
  if (!engine.ok()) return engine.error();
  const auto names = names_of(*engine, arguments.name);
  if (!names.ok()) return names.error();
  Table table = delayed_table();
  for (const std::string& name : *names) {
    const Result<> listed = list_delayed(context, *engine, name, arguments, table);
    if (!listed.ok()) return listed.error();
  }
  if (context.format() != OutputFormat::jsonl) table.print(context.out, context.format());
  return ExitCode::ok;
}

Result<ExitCode> run_delayed_count(Context& context, const std::string& only) {
  const Result<Engine> engine = context.open(OpenMode::read_only);
  if (!engine.ok()) return engine.error();
  const auto names = names_of(*engine, only);
  if (!names.ok()) return names.error();
  Table table({{"name"}, {"pending", ColumnKind::number}, {"parked", ColumnKind::number}});
  for (const std::string& name : *names) {
    const auto pending = count_delayed_messages(*engine, name);
    if (!pending.ok()) return pending.error();
    const auto parked = count_delayed_messages(*engine, name, DelayedListing::parked);
    if (!parked.ok()) return parked.error();
    table.add({name, *pending, *parked});
  }
  table.print(context.out, context.format());
  return ExitCode::ok;
}

}  // namespace

Command delayed_list_command() {
  auto arguments = std::make_shared<DelayedListArguments>();
  return {.name = "list",
          .summary = "Lists messages that wait for their time, the first first",
          .positionals = {delayed_name_positional(arguments->name, false)},
          .options = {{.names = "--parked",
                       .help = "Instead those that could not be delivered, with the reason",
                       .target = &arguments->parked},
                      {.names = "-n,--limit",
                       .value_name = "N",
                       .help = "At most so many of a name",
                       .target = IntegerTarget{&arguments->limit, 1, delayed_limit_max}}},
          .examples = {"seriatim -d data delayed list reminders --limit 10"},
          .run = [arguments](Context& context) { return run_delayed_list(context, *arguments); }};
}

Command delayed_count_command() {
  auto name = std::make_shared<std::string>();
  return {.name = "count",
          .summary = "Counts messages that wait, and those that are parked",
          .positionals = {delayed_name_positional(*name, false)},
          .examples = {"seriatim -d data delayed count"},
          .run = [name](Context& context) { return run_delayed_count(context, *name); }};
}

}  // namespace seriatim::cli
