// state list, get, scan.
#include <algorithm>
#include <memory>
#include <span>
#include <utility>

#include "command_tree.hpp"
#include "context.hpp"
#include "interrupt.hpp"
#include "suggestion.hpp"
#include "text/text_encoding.hpp"

namespace seriatim::cli {
namespace {

// Entries at a time: values may have 1 MiB each.
constexpr std::size_t page_entries = 64;
constexpr std::int64_t limit_max = 1'000'000'000;

struct StateArguments {
  std::string name{};
  std::string key{};
  std::string from{};
  std::optional<std::int64_t> limit{};
};

std::string_view text_of(const std::vector<std::byte>& bytes) {
  return BytesView(std::span<const std::byte>(bytes)).text();
}

Result<ExitCode> list_states(Context& context) {
  const Result<Engine> engine = context.open(OpenMode::read_only);
  if (!engine.ok()) return engine.error();
  const auto names = engine->admin().list_states();
  if (!names.ok()) return names.error();
  Table table({{"state"}});
  for (const std::string& name : *names) table.add({name});
  table.print(context.out, context.format());
  return ExitCode::ok;
}

// The table; one without a key does not exist.
Result<State> open_state(const Engine& engine, const std::string& name) {
  const auto names = engine.admin().list_states();
  if (!names.ok()) return names.error();
  for (const std::string& known : *names) {
    if (known == name) return engine.state(name);
  }
  std::string text = "there is no state " + name + " in " + engine.directory().string() + ".";
  if (const auto guess = nearest(name, *names)) text += " Did you mean " + *guess + "?";
  return Error(Errc::not_found, text + " seriatim state list shows those that have a key");
}

Json entry_json(std::string_view key, std::string_view value) {
  Json object;
  put_bytes(object, "key", key);
  put_bytes(object, "value", value);
  return object;
}

bool is_json(OutputFormat format) { return format == OutputFormat::json || format == OutputFormat::jsonl; }

Result<ExitCode> get(Context& context, const StateArguments& arguments) {
  const Result<Engine> engine = context.open(OpenMode::read_only);
  if (!engine.ok()) return engine.error();
  const Result<State> state = open_state(*engine, arguments.name);
  if (!state.ok()) return state.error();
  const auto value = state->get(arguments.key);
  if (!value.ok()) return value.error();
  if (!*value) {
    return Error(Errc::not_found, "state " + arguments.name + " has no key " + printable(arguments.key));
  }
  if (is_json(context.format())) {
    print_json(context.out, context.format(), entry_json(arguments.key, text_of(**value)));
  } else {
    context.out.write(std::string(text_of(**value)) + "\n");
  }
  return ExitCode::ok;
}

// Calls visit(entry) for each entry until it answers false, a page at a time: a table may be larger than
// memory.
template <class Visit>
Result<> for_each_state_entry(const State& state, const StateArguments& arguments, Visit&& visit) {
  auto left = static_cast<std::size_t>(arguments.limit.value_or(limit_max));
  std::string from = arguments.from;
  while (left > 0) {
    const std::size_t wanted = std::min(page_entries, left);
    const auto page = state.scan(from, wanted);
    if (!page.ok()) return page.error();
    for (const StateEntry& entry : *page) {
      if (!visit(entry)) return {};
    }
    if (page->size() < wanted) return {};
    from = std::string(text_of(page->back().key)) + '\0';
    left -= wanted;
  }
  return {};
}

Result<ExitCode> scan(Context& context, const StateArguments& arguments) {
  const Result<Engine> engine = context.open(OpenMode::read_only);
  if (!engine.ok()) return engine.error();
  const Result<State> state = open_state(*engine, arguments.name);
  if (!state.ok()) return state.error();
  const OutputFormat format = context.format();
  if (format == OutputFormat::jsonl) {
    const Result<> printed = for_each_state_entry(*state, arguments, [&](const StateEntry& entry) {
      print_json(context.out, format, entry_json(text_of(entry.key), text_of(entry.value)));
      return !context.out.has_failed() && !is_interrupted();
    });
    if (!printed.ok()) return printed.error();
    return ExitCode::ok;
  }
  Table table({{"key"}, {"value"}});
  const Result<> collected = for_each_state_entry(*state, arguments, [&](const StateEntry& entry) {
    table.add({std::string(text_of(entry.key)), std::string(text_of(entry.value))});
    return !is_interrupted();
  });
  if (!collected.ok()) return collected.error();
  table.print(context.out, format);
  return ExitCode::ok;
}

Positional name_positional(StateArguments& arguments) {
  return {.name = "NAME", .help = "Name of the table", .target = &arguments.name};
}

Command list_states_command() {
  return {.name = "list",
          .summary = "Lists the tables that have a key",
          .examples = {"seriatim -d data state list"},
          .run = list_states};
}

Command get_state_command() {
  auto arguments = std::make_shared<StateArguments>();
  return {.name = "get",
          .summary = "Prints the value of a key",
          .positionals = {name_positional(*arguments),
                          {.name = "KEY", .help = "The key", .target = &arguments->key}},
          .examples = {"seriatim -d data state get balances alice"},
          .run = [arguments](Context& context) { return get(context, *arguments); }};
}

Command scan_command() {
  auto arguments = std::make_shared<StateArguments>();
  return {.name = "scan",
          .summary = "Lists keys and values in the order of the keys' bytes",
          .positionals = {name_positional(*arguments)},
          .options = {{.names = "--from",
                       .value_name = "KEY",
                       .help = "First key, or what would come after it",
                       .target = &arguments->from},
                      {.names = "-n,--limit",
                       .value_name = "N",
                       .help = "At most so many (default: all)",
                       .target = IntegerTarget{&arguments->limit, 1, limit_max}}},
          .examples = {"seriatim -d data state scan balances --from b -n 10"},
          .run = [arguments](Context& context) { return scan(context, *arguments); }};
}

}  // namespace

Command state_command() {
  return {.name = "state",
          .summary = "Shows the key-value tables that change with transactions",
          .children = {list_states_command(), get_state_command(), scan_command()}};
}

}  // namespace seriatim::cli
