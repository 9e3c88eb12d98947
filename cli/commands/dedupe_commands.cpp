// dedupe list, describe, forget, purge.
#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <seriatim/flow/deduplicator.hpp>

#include "command_tree.hpp"
#include "confirmation.hpp"
#include "context.hpp"
#include "interrupt.hpp"
#include "suggestion.hpp"
#include "text/text_encoding.hpp"

namespace seriatim::cli {
namespace {

constexpr std::size_t dedupe_page_entries = 64;  // With their results, which may be long.
constexpr std::int64_t dedupe_limit_max = 1'000'000'000;

struct DedupeArguments {
  std::string name{};
  std::string id{};
  std::string from{};
  std::optional<std::int64_t> limit{};
  Consent consent{};
};

std::int64_t ms_of(Timestamp time) { return time.time_since_epoch().count(); }

Result<DedupeDescription> describe_known(const Engine& engine, const std::string& name) {
  auto described = describe_deduplicator(engine, name);
  if (described.ok() || described.error().code() != Errc::not_found) return described;
  const auto names = list_deduplicators(engine);
  if (!names.ok()) return names.error();
  const auto guess = nearest(name, *names);
  if (!guess) return described;
  return Error(Errc::not_found, described.error().message() + ". Did you mean " + *guess + "?");
}

Result<ExitCode> list_names(Context& context, const Engine& engine) {
  const auto names = list_deduplicators(engine);
  if (!names.ok()) return names.error();
  Table table({{"name"}});
  for (const std::string& name : *names) table.add({name});
  table.print(context.out, context.format());
  return ExitCode::ok;
}

Result<ExitCode> list_ids(Context& context, const Engine& engine, const DedupeArguments& arguments) {
  if (const auto known = describe_known(engine, arguments.name); !known.ok()) return known.error();
  Table table({{"id"}, {"recorded", ColumnKind::time}, {"result"}});
  auto left = static_cast<std::size_t>(arguments.limit.value_or(dedupe_limit_max));
  std::string from = arguments.from;
  while (left > 0 && !is_interrupted()) {
    const std::size_t wanted = std::min(left, dedupe_page_entries);
    const auto page = list_dedupe_ids(engine, arguments.name, from, wanted);
    if (!page.ok()) return page.error();
    for (const DedupeEntry& entry : *page) {
      table.add({printable(entry.id), ms_of(entry.time),
                 entry.result ? Json(printable(*entry.result)) : Json(nullptr)});
    }
    left -= page->size();
    if (page->size() < wanted) break;
    from = page->back().id + '\0';
  }
  table.print(context.out, context.format());
  return ExitCode::ok;
}

Result<ExitCode> list_dedupe(Context& context, const DedupeArguments& arguments) {
  const Result<Engine> engine = context.open(OpenMode::read_only);
  if (!engine.ok()) return engine.error();
  return arguments.name.empty() ? list_names(context, *engine) : list_ids(context, *engine, arguments);
}

Result<ExitCode> describe_dedupe(Context& context, const DedupeArguments& arguments) {
  const Result<Engine> engine = context.open(OpenMode::read_only);
  if (!engine.ok()) return engine.error();
  const auto described = describe_known(*engine, arguments.name);
  if (!described.ok()) return described.error();
  Table table({{"name"},
               {"ids", ColumnKind::number},
               {"window_ms", ColumnKind::number},
               {"window_ids", ColumnKind::number},
               {"results", ColumnKind::number},
               {"result_bytes", ColumnKind::number},
               {"oldest", ColumnKind::time},
               {"newest", ColumnKind::time}});
  const auto time_json = [](const std::optional<Timestamp>& time) {
    return time ? Json(ms_of(*time)) : Json(nullptr);
  };
  table.add({described->name, described->ids, described->window_time.count(), described->window_count,
             described->results, described->result_bytes, time_json(described->oldest),
             time_json(described->newest)});
  table.print(context.out, context.format());
  return ExitCode::ok;
}

// The window stays as its application set it.
Result<bool> forget_id(const Engine& engine, const DedupeArguments& arguments) {
  const auto described = describe_known(engine, arguments.name);
  if (!described.ok()) return described.error();
  auto dedupe = Deduplicator::open(engine, {.name = arguments.name,
                                            .window_time = described->window_time,
                                            .window_count = described->window_count,
                                            .transactions_max = 1,
                                            .sweeps_in_background = false});
  if (!dedupe.ok()) return dedupe.error();
  return dedupe->forget(arguments.id);
}

Result<ExitCode> forget_dedupe(Context& context, const DedupeArguments& arguments) {
  const Result<Engine> engine = context.open(OpenMode::read_write);
  if (!engine.ok()) return engine.error();
  const auto forgotten = forget_id(*engine, arguments);
  if (!forgotten.ok()) return forgotten.error();
  const Result<> closed = engine->close();
  if (!closed.ok()) return closed.error();
  if (!*forgotten) {
    return Error(Errc::not_found, "deduplicator " + arguments.name + " does not remember the id " +
                                      printable(arguments.id) + "; seriatim dedupe list " + arguments.name +
                                      " shows those that are stored");
  }
  context.note("id " + printable(arguments.id) + " is forgotten: its next message is a first");
  return ExitCode::ok;
}

std::string ids_text(std::uint64_t count) { return std::to_string(count) + (count == 1 ? " id" : " ids"); }

// The user answers before anything is locked: a question that nobody answers must not keep an application
// from its directory.
Result<ExitCode> purge_dedupe(Context& context, const DedupeArguments& arguments) {
  std::string plan;
  {
    const Result<Engine> engine = context.open(OpenMode::read_only);
    if (!engine.ok()) return engine.error();
    const auto described = describe_known(*engine, arguments.name);
    const bool is_damaged = !described.ok() && described.error().code() == Errc::corrupt_metadata;
    if (!described.ok() && !is_damaged) return described.error();
    plan = "forgets " + (is_damaged ? "all ids, some of which cannot be read," : ids_text(described->ids)) +
           " of deduplicator " + arguments.name + ": a message that comes again has its effect again";
  }
  const Result<bool> agreed = confirm(context, arguments.consent, plan);
  if (!agreed.ok()) return agreed.error();
  if (!*agreed) return ExitCode::ok;
  const Result<Engine> engine = context.open(OpenMode::read_write);
  if (!engine.ok()) return engine.error();
  const auto erased = delete_deduplicator(*engine, arguments.name);
  if (!erased.ok()) return erased.error();
  const Result<> closed = engine->close();
  if (!closed.ok()) return closed.error();
  context.note("forgot " + ids_text(*erased) + " of deduplicator " + arguments.name);
  return ExitCode::ok;
}

Positional dedupe_name_positional(DedupeArguments& arguments, bool is_required = true) {
  return {.name = "NAME",
          .help = "Which deduplicator (DeduplicatorOptions::name)",
          .target = &arguments.name,
          .required = is_required};
}

Command list_dedupe_command() {
  auto arguments = std::make_shared<DedupeArguments>();
  return {.name = "list",
          .summary = "Lists the names of deduplicators, or the ids of one in byte order",
          .positionals = {dedupe_name_positional(*arguments, false)},
          .options = {{.names = "--from",
                       .value_name = "ID",
                       .help = "First id, or what would come after it",
                       .target = &arguments->from},
                      {.names = "-n,--limit",
                       .value_name = "N",
                       .help = "At most so many (default: all)",
                       .target = IntegerTarget{&arguments->limit, 1, dedupe_limit_max}}},
          .examples = {"seriatim -d data dedupe list", "seriatim -d data dedupe list orders -n 10"},
          .run = [arguments](Context& context) { return list_dedupe(context, *arguments); }};
}

Command describe_dedupe_command() {
  auto arguments = std::make_shared<DedupeArguments>();
  return {.name = "describe",
          .summary = "Shows the window of a deduplicator and what it holds",
          .positionals = {dedupe_name_positional(*arguments)},
          .examples = {"seriatim -d data dedupe describe orders"},
          .run = [arguments](Context& context) { return describe_dedupe(context, *arguments); }};
}

Command forget_dedupe_command() {
  auto arguments = std::make_shared<DedupeArguments>();
  return {.name = "forget",
          .summary = "Takes an id out of the window: its next message is a first",
          .positionals = {dedupe_name_positional(*arguments),
                          {.name = "ID", .help = "Of the message", .target = &arguments->id}},
          .examples = {"seriatim -d data dedupe forget orders order-4711"},
          .run = [arguments](Context& context) { return forget_dedupe(context, *arguments); }};
}

Command purge_dedupe_command() {
  auto arguments = std::make_shared<DedupeArguments>();
  return {.name = "purge",
          .summary = "Forgets all ids of a deduplicator, and its name",
          .positionals = {dedupe_name_positional(*arguments)},
          .options = {{.names = "-y,--yes", .help = "Do not ask", .target = &arguments->consent.yes},
                      {.names = "-n,--dry-run",
                       .help = "Only say what would be done",
                       .target = &arguments->consent.dry_run}},
          .examples = {"seriatim -d data dedupe purge orders --dry-run"},
          .run = [arguments](Context& context) { return purge_dedupe(context, *arguments); }};
}

}  // namespace

Command dedupe_command() {
  return {.name = "dedupe",
          .summary = "Shows and changes the windows of deduplicators",
          .children = {list_dedupe_command(), describe_dedupe_command(), forget_dedupe_command(),
                       purge_dedupe_command()}};
}

}  // namespace seriatim::cli
