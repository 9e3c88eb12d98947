// half list, prepare, commit, rollback.
#include <memory>
#include <utility>

#include <seriatim/flow/half_message.hpp>

#include "command_tree.hpp"
#include "context.hpp"
#include "suggestion.hpp"

namespace seriatim::cli {
namespace {

struct HalfArguments {
  std::string name{};
  std::string id{};
  std::string topic{};
  std::string value{};
  std::optional<std::string> key{};
};

Json bytes_json(const std::optional<std::string>& bytes) { return bytes ? Json(*bytes) : Json(nullptr); }

Result<ExitCode> list_half_messages(Context& context, const HalfArguments& arguments) {
  const Result<Engine> engine = context.open(OpenMode::read_only);
  if (!engine.ok()) return engine.error();
  auto names = list_half_message_names(*engine);
  if (!names.ok()) return names.error();
  if (!arguments.name.empty()) *names = {arguments.name};
  Table table({{"name"},
               {"id"},
               {"topic"},
               {"key"},
               {"value"},
               {"prepared", ColumnKind::time},
               {"checks", ColumnKind::number},
               {"parked"}});
  for (const std::string& name : *names) {
    const auto messages = list_half_messages(*engine, name);
    if (!messages.ok()) return messages.error();
    for (const HalfMessage& one : *messages) {
      table.add({name, one.id, one.topic, bytes_json(one.key), bytes_json(one.value),
                 one.prepare_time.time_since_epoch().count(), one.checks, one.is_parked});
    }
  }
  table.print(context.out, context.format());
  return ExitCode::ok;
}

Result<HalfMessages> open_half(const Engine& engine, const std::string& name) {
  return HalfMessages::open(engine, {.name = name, .checks_in_background = false});
}

Result<ExitCode> prepare(Context& context, const HalfArguments& arguments) {
  const Result<Engine> engine = context.open(OpenMode::read_write);
  if (!engine.ok()) return engine.error();
  const Result<TopicDescription> topic = describe_topic(*engine, arguments.topic);
  if (!topic.ok()) return topic.error();
  {
    Result<HalfMessages> half = open_half(*engine, arguments.name);
    if (!half.ok()) return half.error();
    const Result<PreparedHalf> prepared =
        half->prepare({.topic = arguments.topic,
                       .key = arguments.key ? BytesView(*arguments.key) : BytesView(),
                       .value = arguments.value});
    if (!prepared.ok()) return prepared.error();
    context.out.write(prepared->id() + "\n");
  }
  const Result<> closed = engine->close();
  if (!closed.ok()) return closed.error();
  return ExitCode::ok;
}

// A name that was never used is not made by asking for it.
Result<> check_known(const Engine& engine, const HalfArguments& arguments) {
  const auto names = list_half_message_names(engine);
  if (!names.ok()) return names.error();
  const auto transactions = engine.admin().list_transactions();
  if (!transactions.ok()) return transactions.error();
  for (const TransactionDescription& one : *transactions) {
    if (one.transactional_id == "half:" + arguments.name + ":0") return {};
  }
  std::string text =
      "there are no half messages of the name " + arguments.name + " in " + engine.directory().string() + ".";
  if (const auto guess = nearest(arguments.name, *names)) text += " Did you mean " + *guess + "?";
  return Error(Errc::not_found, text + " seriatim half list shows those that are undecided");
}

Result<ExitCode> decide(Context& context, const HalfArguments& arguments, HalfDecision wanted) {
  const Result<Engine> engine = context.open(OpenMode::read_write);
  if (!engine.ok()) return engine.error();
  const Result<> known = check_known(*engine, arguments);
  if (!known.ok()) return known.error();
  HalfDecision decision{};
  {
    Result<HalfMessages> half = open_half(*engine, arguments.name);
    if (!half.ok()) return half.error();
    const Result<HalfDecision> decided =
        wanted == HalfDecision::committed ? half->commit(arguments.id) : half->rollback(arguments.id);
    if (!decided.ok()) return decided.error();
    decision = *decided;
  }
  const Result<> closed = engine->close();
  if (!closed.ok()) return closed.error();
  const std::string was = decision == HalfDecision::committed ? "committed" : "rolled back";
  if (decision != wanted) {
    return Error(Errc::invalid_state,
                 "half message " + arguments.id + " was " + was + " before; the first decision stays");
  }
  context.note("half message " + arguments.id + " is " + was);
  return ExitCode::ok;
}

Positional name_positional(HalfArguments& arguments, bool is_required = true) {
  return {.name = "NAME",
          .help = "Whose they are (HalfMessagesOptions::name)",
          .target = &arguments.name,
          .required = is_required};
}

Positional id_positional(HalfArguments& arguments) {
  return {.name = "ID", .help = "Which message; half list shows it", .target = &arguments.id};
}

Command list_half_messages_command() {
  auto arguments = std::make_shared<HalfArguments>();
  return {.name = "list",
          .summary = "Lists messages that are not decided yet",
          .positionals = {name_positional(*arguments, false)},
          .examples = {"seriatim -d data half list orders"},
          .run = [arguments](Context& context) { return list_half_messages(context, *arguments); }};
}

Command prepare_command() {
  auto arguments = std::make_shared<HalfArguments>();
  return {.name = "prepare",
          .summary = "Stores a record that nobody sees before it is committed, and prints its id",
          .positionals = {name_positional(*arguments),
                          {.name = "TOPIC", .help = "Where it will be appended", .target = &arguments->topic},
                          {.name = "VALUE", .help = "Value of the record", .target = &arguments->value}},
          .options = {{.names = "-k,--key",
                       .value_name = "KEY",
                       .help = "Key of the record",
                       .target = &arguments->key}},
          .examples = {"seriatim -d data half prepare shop orders '{\"sum\":12}' -k user-42"},
          .run = [arguments](Context& context) { return prepare(context, *arguments); }};
}

Command commit_command() {
  auto arguments = std::make_shared<HalfArguments>();
  return {
      .name = "commit",
      .summary = "Appends a message to its topic",
      .positionals = {name_positional(*arguments), id_positional(*arguments)},
      .examples = {"seriatim -d data half commit shop 019a1c2e8f3b5d7790ab12cd34ef5678"},
      .run = [arguments](Context& context) { return decide(context, *arguments, HalfDecision::committed); }};
}

Command rollback_command() {
  auto arguments = std::make_shared<HalfArguments>();
  return {.name = "rollback",
          .summary = "Drops a message",
          .positionals = {name_positional(*arguments), id_positional(*arguments)},
          .examples = {"seriatim -d data half rollback shop 019a1c2e8f3b5d7790ab12cd34ef5678"},
          .run = [arguments](Context& context) {
            return decide(context, *arguments, HalfDecision::rolled_back);
          }};
}

}  // namespace

Command half_command() {
  return {
      .name = "half",
      .summary = "Shows and decides half messages",
      .children = {list_half_messages_command(), prepare_command(), commit_command(), rollback_command()}};
}

}  // namespace seriatim::cli
