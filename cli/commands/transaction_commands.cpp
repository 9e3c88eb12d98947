// txn list, describe, abort, find-hanging.
#include <limits>
#include <memory>
#include <utility>

#include "command_tree.hpp"
#include "confirmation.hpp"
#include "context.hpp"
#include "suggestion.hpp"
#include "text/quantity.hpp"

namespace seriatim::cli {
namespace {

struct TransactionArguments {
  std::string transactional_id{};
  std::string place{};
  std::optional<std::int64_t> start_offset{};
  Consent consent{};
};

std::string place_text(const TopicPartition& at) { return at.topic + ":" + std::to_string(at.partition); }

const char* phase_text(TransactionState phase) {
  switch (phase) {
    case TransactionState::ongoing:
      return "ongoing";
    case TransactionState::prepare_commit:
      return "prepare_commit";
    case TransactionState::prepare_abort:
      return "prepare_abort";
    case TransactionState::empty:
      break;
  }
  return "empty";
}

Json time_json(const std::optional<Timestamp>& time) {
  return time ? Json(time->time_since_epoch().count()) : Json(nullptr);
}

// Of a listing that says nothing of some partitions.
ExitCode told_damage(const Context& context, const std::optional<std::string>& damage) {
  if (!damage) return ExitCode::ok;
  context.note("not all partitions can be read, transactions may be open there: " + *damage);
  return ExitCode::damage;
}

Result<ExitCode> list_transactions(Context& context) {
  const Result<Engine> engine = context.open(OpenMode::read_only);
  if (!engine.ok()) return engine.error();
  const auto transactions = engine->admin().list_transactions();
  if (!transactions.ok()) return transactions.error();
  Table table({{"transactional_id"},
               {"producer_id", ColumnKind::number},
               {"epoch", ColumnKind::number},
               {"state"},
               {"partitions", ColumnKind::number}});
  for (const TransactionDescription& one : *transactions) {
    table.add({one.transactional_id, one.producer_id, one.producer_epoch, phase_text(one.phase),
               one.partitions.size()});
  }
  table.print(context.out, context.format());
  return told_damage(context, transactions->empty() ? std::nullopt : transactions->front().damage);
}

// The description, or the nearest id there is.
Result<TransactionDescription> find(const Engine& engine, const std::string& id) {
  const auto all = engine.admin().list_transactions();
  if (!all.ok()) return all.error();
  std::vector<std::string> ids;
  for (const TransactionDescription& one : *all) {
    if (one.transactional_id == id) return one;
    ids.push_back(one.transactional_id);
  }
  std::string text = "there is no transactional id " + id + " in " + engine.directory().string() + ". ";
  if (const auto guess = nearest(id, ids)) text += "Did you mean " + *guess + "? ";
  return Error(Errc::transactional_id_not_found, text + "seriatim txn list shows those there are");
}

Result<ExitCode> describe(Context& context, const TransactionArguments& arguments) {
  const Result<Engine> engine = context.open(OpenMode::read_only);
  if (!engine.ok()) return engine.error();
  const Result<TransactionDescription> one = find(*engine, arguments.transactional_id);
  if (!one.ok()) return one.error();
  Table partitions({{"topic"}, {"partition", ColumnKind::number}});
  for (const TopicPartition& at : one->partitions) partitions.add({at.topic, at.partition});
  const OutputFormat format = context.format();
  if (format == OutputFormat::json || format == OutputFormat::jsonl) {
    print_json(context.out, format,
               {{"transactional_id", one->transactional_id},
                {"producer_id", one->producer_id},
                {"epoch", one->producer_epoch},
                {"state", phase_text(one->phase)},
                {"timeout_ms", one->timeout.count()},
                {"start_time", time_json(one->start_time)},
                {"partitions", partitions.to_json()}});
    return told_damage(context, one->damage);
  }
  if (format == OutputFormat::table) {
    context.out.write("transactional id " + one->transactional_id + "   producer " +
                      std::to_string(one->producer_id) + " epoch " + std::to_string(one->producer_epoch) +
                      "   state " + phase_text(one->phase) + "   timeout " + readable_duration(one->timeout) +
                      "\n");
    if (partitions.row_count() == 0) return told_damage(context, one->damage);
  }
  partitions.print(context.out, format);
  return told_damage(context, one->damage);
}

// Opening the directory for writing aborts the transactions that were left open: this command does so too.
Result<ExitCode> abort(Context& context, const TransactionArguments& arguments) {
  const Result<Engine> engine = context.open(OpenMode::read_write);
  if (!engine.ok()) return engine.error();
  const Result<TransactionDescription> known = find(*engine, arguments.transactional_id);
  if (!known.ok()) return known.error();
  const Result<> aborted = engine->admin().abort_transaction(arguments.transactional_id);
  if (!aborted.ok()) return aborted.error();
  const Result<> closed = engine->close();
  if (!closed.ok()) return closed.error();
  context.note("nothing of transactional id " + arguments.transactional_id + " is open");
  return ExitCode::ok;
}

Result<ExitCode> find_hanging(Context& context) {
  const Result<Engine> engine = context.open(OpenMode::read_only);
  if (!engine.ok()) return engine.error();
  const auto hanging = engine->admin().find_hanging_transactions();
  if (!hanging.ok()) return hanging.error();
  Table table({{"place"},
               {"producer_id", ColumnKind::number},
               {"epoch", ColumnKind::number},
               {"start_offset", ColumnKind::number},
               {"last_timestamp", ColumnKind::time},
               {"transactional_id"},
               {"damage"}});
  ExitCode outcome = ExitCode::ok;
  for (const HangingTransaction& one : *hanging) {
    if (one.damage) {
      const Json none = nullptr;
      table.add({place_text(one.topic_partition), none, none, none, none, none, *one.damage});
      outcome = ExitCode::damage;
      continue;
    }
    table.add({place_text(one.topic_partition), one.producer.producer_id, one.producer.producer_epoch,
               one.producer.transaction_start_offset, one.producer.last_timestamp.time_since_epoch().count(),
               one.transactional_id ? Json(*one.transactional_id) : Json(nullptr), Json(nullptr)});
  }
  table.print(context.out, context.format());
  return outcome;
}

Result<ExitCode> abort_hanging(Context& context, const TransactionArguments& arguments) {
  const Result<TopicPartition> place = parse_partition_place(arguments.place);
  if (!place.ok()) return place.error();
  if (!arguments.start_offset) {
    return Error(Errc::invalid_argument,
                 "give the first offset of the transaction: --start-offset N, as seriatim txn find-hanging "
                 "shows it");
  }
  {
    const Result<Engine> engine = context.open(OpenMode::read_only);
    if (!engine.ok()) return engine.error();
    const Result<TopicDescription> topic = describe_topic(*engine, place->topic);
    if (!topic.ok()) return topic.error();
    const auto known = select_partitions(*topic, std::to_string(place->partition));
    if (!known.ok()) return known.error();
  }
  // Nothing is locked while somebody thinks about the answer.
  const Result<bool> agreed =
      confirm(context, arguments.consent,
              "aborts the transaction that began at offset " + std::to_string(*arguments.start_offset) +
                  " of " + arguments.place + ": its records will never be read");
  if (!agreed.ok()) return agreed.error();
  if (!*agreed) return ExitCode::ok;
  const Result<Engine> engine = context.open(OpenMode::read_write);
  if (!engine.ok()) return engine.error();
  const Result<> aborted = engine->admin().abort_hanging_transaction(*place, *arguments.start_offset);
  if (!aborted.ok()) return aborted.error();
  context.note("aborted it; readers go on");
  const Result<> closed = engine->close();
  if (!closed.ok()) return closed.error();
  return ExitCode::ok;
}

Positional id_positional(TransactionArguments& arguments) {
  return {.name = "ID", .help = "The transactional id", .target = &arguments.transactional_id};
}

Command list_transactions_command() {
  return {.name = "list",
          .summary = "Lists transactional ids and whether they have a transaction open",
          .examples = {"seriatim -d data txn list"},
          .run = list_transactions};
}

Command describe_transaction_command() {
  auto arguments = std::make_shared<TransactionArguments>();
  return {.name = "describe",
          .summary = "Shows a transactional id, and the partitions of its open transaction",
          .positionals = {id_positional(*arguments)},
          .examples = {"seriatim -d data txn describe billing"},
          .run = [arguments](Context& context) { return describe(context, *arguments); }};
}

Command abort_command() {
  auto arguments = std::make_shared<TransactionArguments>();
  return {.name = "abort",
          .summary =
              "Aborts what a writer that is gone left open; beside a living one use "
              "Admin::abort_transaction there",
          .positionals = {id_positional(*arguments)},
          .examples = {"seriatim -d data txn abort billing"},
          .run = [arguments](Context& context) { return abort(context, *arguments); }};
}

Command find_hanging_command() {
  return {.name = "find-hanging",
          .summary = "Lists transactions that nobody is going to end; readers wait for them",
          .examples = {"seriatim -d data txn find-hanging"},
          .run = find_hanging};
}

Command abort_hanging_command() {
  auto arguments = std::make_shared<TransactionArguments>();
  return {.name = "abort-hanging",
          .summary = "Aborts a transaction that find-hanging lists",
          .positionals = {{.name = "TOPIC:PARTITION", .help = "Where it is", .target = &arguments->place}},
          .options = {{.names = "--start-offset",
                       .value_name = "N",
                       .help = "Its first offset",
                       .target = IntegerTarget{&arguments->start_offset, 0,
                                               std::numeric_limits<std::int64_t>::max()}},
                      {.names = "-y,--yes", .help = "Do not ask", .target = &arguments->consent.yes},
                      {.names = "-n,--dry-run",
                       .help = "Only say what would be done",
                       .target = &arguments->consent.dry_run}},
          .examples = {"seriatim -d data txn abort-hanging orders:0 --start-offset 41872 --yes"},
          .run = [arguments](Context& context) { return abort_hanging(context, *arguments); }};
}

}  // namespace

Command transaction_command() {
  return {.name = "txn",
          .summary = "Shows and aborts transactions",
          .children = {list_transactions_command(), describe_transaction_command(), abort_command(),
                       find_hanging_command(), abort_hanging_command()}};
}

}  // namespace seriatim::cli
