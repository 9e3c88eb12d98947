// route list, test: the commands that only look, beside a running application too.
#include <memory>
#include <utility>

#include "context.hpp"
#include "flow/route/binding_rules.hpp"
#include "route/route_commands.hpp"

namespace seriatim::cli {
namespace {

const char* binding_kind_name(BindingKind kind) {
  switch (kind) {
    case BindingKind::exact:
      return "exact";
    case BindingKind::pattern:
      return "pattern";
    case BindingKind::headers_all:
      return "headers_all";
    case BindingKind::headers_any:
      return "headers_any";
    case BindingKind::fan_out:
      return "fan_out";
  }
  return "unknown";
}

Json routing_key_json(const Binding& binding) {
  const bool is_by_key = binding.kind == BindingKind::exact || binding.kind == BindingKind::pattern;
  return is_by_key ? Json(binding.routing_key) : Json(nullptr);
}

Json binding_headers_json(const Binding& binding) {
  if (binding.headers.empty()) return nullptr;
  std::string text;
  for (const auto& [name, value] : binding.headers) {
    if (!text.empty()) text += ' ';
    text += name;
    if (value) text += "=" + *value;
  }
  return text;
}

Json priorities_json(const Binding& binding) {
  if (binding.priority_topics.empty()) return nullptr;
  std::string text;
  for (const auto& [lowest, topic] : binding.priority_topics) {
    if (!text.empty()) text += ' ';
    text += std::to_string(lowest) + "=" + topic;
  }
  return text;
}

Result<ExitCode> list_all_bindings(Context& context, const std::string& only) {
  const Result<Engine> engine = context.open(OpenMode::read_only);
  if (!engine.ok()) return engine.error();
  auto names = list_routers(*engine);
  if (!names.ok()) return names.error();
  if (!only.empty()) {
    if (const auto known = check_router_known(*engine, only); !known.ok()) return known.error();
    *names = {only};
  }
  Table table({{"router"},
               {"id", ColumnKind::number},
               {"topic"},
               {"kind"},
               {"routing_key"},
               {"headers"},
               {"priority_topics"}});
  for (const std::string& name : *names) {
    const auto bindings = list_bindings(*engine, name);
    if (!bindings.ok()) return bindings.error();
    for (const Binding& one : *bindings) {
      table.add({name, one.id, one.topic, binding_kind_name(one.kind), routing_key_json(one),
                 binding_headers_json(one), priorities_json(one)});
    }
  }
  table.print(context.out, context.format());
  return ExitCode::ok;
}

Result<ExitCode> test_message(Context& context, const RouteMessageArguments& arguments) {
  const auto headers = parse_named_headers(arguments.headers);
  if (!headers.ok()) return headers.error();
  const Result<Engine> engine = context.open(OpenMode::read_only);
  if (!engine.ok()) return engine.error();
  if (const auto known = check_router_known(*engine, arguments.name); !known.ok()) return known.error();
  const auto bindings = list_bindings(*engine, arguments.name);
  if (!bindings.ok()) return bindings.error();
  const auto priority = static_cast<std::uint8_t>(arguments.priority.value_or(0));
  const auto views = views_of(*headers);
  const auto found = matching_bindings(
      *bindings, {.routing_key = arguments.routing_key, .record = {.headers = views}, .priority = priority});
  if (!found.ok()) return found.error();
  if (found->empty()) {
    return Error(Errc::not_found, "no binding of router " + arguments.name + " matches \"" +
                                      arguments.routing_key +
                                      "\" and these headers: a publish would be refused, or go to the "
                                      "alternate topic");
  }
  Table table({{"id", ColumnKind::number}, {"target"}, {"kind"}, {"routing_key"}, {"headers"}});
  for (const Binding& one : *found) {
    table.add({one.id, flow::topic_at(one, priority), binding_kind_name(one.kind), routing_key_json(one),
               binding_headers_json(one)});
  }
  table.print(context.out, context.format());
  return ExitCode::ok;
}

}  // namespace

Command route_list_command() {
  auto name = std::make_shared<std::string>();
  return {.name = "list",
          .summary = "Lists bindings",
          .positionals = {router_positional(*name, false)},
          .examples = {"seriatim -d data route list shop"},
          .run = [name](Context& context) { return list_all_bindings(context, *name); }};
}

Command route_test_command() {
  auto arguments = std::make_shared<RouteMessageArguments>();
  return {
      .name = "test",
      .summary = "Shows which bindings a message would match; appends nothing",
      .positionals = {router_positional(arguments->name), routing_key_positional(arguments->routing_key)},
      .options = {message_headers_option(arguments->headers), message_priority_option(arguments->priority)},
      .examples = {"seriatim -d data route test shop order.eu.paid -H source=web"},
      .run = [arguments](Context& context) { return test_message(context, *arguments); }};
}

}  // namespace seriatim::cli
