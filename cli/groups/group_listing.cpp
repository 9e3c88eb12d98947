// group list, describe, members, lag: the commands that only look, beside a running application too.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <poll.h>

#include "base/text.hpp"

#include "groups/group_commands.hpp"
#include "groups/group_state.hpp"
#include "groups/lag_history.hpp"
#include "interrupt.hpp"
#include "text/text_encoding.hpp"

namespace seriatim::cli {
namespace {

// How often lag --watch looks, and how soon it notices an interrupt or that its reader is gone. Arbitrary.
constexpr std::chrono::milliseconds watch_interval{1'000};
constexpr std::chrono::milliseconds notice_interval{100};
constexpr std::int64_t eta_ms_max = 86'400'000;  // A day: keeps deadlines in range.

struct GroupListingArguments {
  std::string group{};
  std::vector<std::string> groups{};
  bool watch = false;
  std::optional<std::string> eta{};
};

Json number_or_null(std::int64_t number) { return number < 0 ? Json(nullptr) : Json(number); }

Json committed_json(const GroupLag& lag) {
  return lag.committed ? Json(lag.committed->offset) : Json(nullptr);
}

// The lag of all partitions that can be read.
std::int64_t sum_of(const std::vector<GroupLag>& lags) {
  std::int64_t sum = 0;
  for (const GroupLag& one : lags) sum += std::max<std::int64_t>(one.lag, 0);
  return sum;
}

std::size_t topics_of(const std::vector<GroupLag>& lags) {
  std::set<std::string> topics;
  for (const GroupLag& one : lags) topics.insert(one.topic_partition.topic);
  return topics.size();
}

ExitCode told_group_damage(const Context& context, const std::vector<GroupLag>& lags) {
  ExitCode outcome = ExitCode::ok;
  for (const GroupLag& one : lags) {
    if (!one.damage) continue;
    context.note(place_name(one.topic_partition) + ": " + *one.damage);
    outcome = ExitCode::damage;
  }
  return outcome;
}

Result<std::vector<GroupLag>> known_lags(const Engine& engine, const std::string& group) {
  auto lags = engine.admin().group_lag(group);
  if (lags.ok() && lags->empty()) return unknown_group(engine, group);
  return lags;
}

Result<ExitCode> list_groups(Context& context) {
  const Result<Engine> engine = context.open(OpenMode::read_only);
  if (!engine.ok()) return engine.error();
  const auto groups = engine->admin().list_groups();
  if (!groups.ok()) return groups.error();
  Table table({{"group"},
               {"topics", ColumnKind::number},
               {"partitions", ColumnKind::number},
               {"lag", ColumnKind::number}});
  ExitCode outcome = ExitCode::ok;
  for (const std::string& group : *groups) {
    const auto lags = engine->admin().group_lag(group);
    if (!lags.ok()) return lags.error();
    table.add({group, topics_of(*lags), lags->size(), sum_of(*lags)});
    if (told_group_damage(context, *lags) != ExitCode::ok) outcome = ExitCode::damage;
  }
  table.print(context.out, context.format());
  return outcome;
}

Error not_known_here(const Engine& engine, const std::string& group, const GroupState& state) {
  const Error error = unknown_group(engine, group);
  if (state.word == "empty") return error;
  return {error.code(),
          error.message() + ". One that has members only is not seen from here: " + state.reason};
}

Result<ExitCode> describe_group(Context& context, const GroupListingArguments& arguments) {
  const Result<std::filesystem::path> directory = context.existing_directory();
  if (!directory.ok()) return directory.error();
  const GroupState state = state_of_group(*directory);
  const Result<Engine> engine = context.open(OpenMode::read_only);
  if (!engine.ok()) return engine.error();
  const auto lags = engine->admin().group_lag(arguments.group);
  if (!lags.ok()) return lags.error();
  if (lags->empty()) return not_known_here(*engine, arguments.group, state);
  Table table({{"topic"},
               {"partition", ColumnKind::number},
               {"committed", ColumnKind::number},
               {"metadata"},
               {"commit_time", ColumnKind::time},
               {"log_start", ColumnKind::number},
               {"end", ColumnKind::number},
               {"lag", ColumnKind::number},
               {"damage"}});
  for (const GroupLag& one : *lags) {
    table.add({one.topic_partition.topic, one.topic_partition.partition, committed_json(one),
               one.committed ? Json(one.committed->metadata) : Json(nullptr),
               one.commit_time ? Json(one.commit_time->time_since_epoch().count()) : Json(nullptr),
               number_or_null(one.log_start_offset), number_or_null(one.end_offset), number_or_null(one.lag),
               one.damage ? Json(*one.damage) : Json(nullptr)});
  }
  const OutputFormat format = context.format();
  if (format == OutputFormat::json || format == OutputFormat::jsonl) {
    Json group;
    put_bytes(group, "group", arguments.group);
    group["state"] = state.word;
    group["lag"] = sum_of(*lags);
    group["partitions"] = table.to_json();
    print_json(context.out, format, group);
    return told_group_damage(context, *lags);
  }
  if (format == OutputFormat::table) {
    context.out.write("group " + printable(arguments.group) + "   state " + state.word + "   topics " +
                      std::to_string(topics_of(*lags)) + "   partitions " + std::to_string(lags->size()) +
                      "   lag " + std::to_string(sum_of(*lags)) + "\n");
    if (state.word != "empty") context.note("state " + state.word + ": " + state.reason);
  }
  table.print(context.out, format);
  return told_group_damage(context, *lags);
}

// A command is a process of its own: it can tell that there are no members, and otherwise where they are.
Result<ExitCode> show_members(Context& context, const GroupListingArguments& arguments) {
  const Result<std::filesystem::path> directory = context.existing_directory();
  if (!directory.ok()) return directory.error();
  const GroupState state = state_of_group(*directory);
  const Result<Engine> engine = context.open(OpenMode::read_only);
  if (!engine.ok()) return engine.error();
  const Result<bool> known = is_known_group(*engine, arguments.group);
  if (!known.ok()) return known.error();
  if (!*known) return not_known_here(*engine, arguments.group, state);
  const bool has_none = state.word == "empty";
  const OutputFormat format = context.format();
  if (format == OutputFormat::json || format == OutputFormat::jsonl) {
    Json group;
    put_bytes(group, "group", arguments.group);
    group["state"] = state.word;
    group["members"] = has_none ? Json(Json::array()) : Json(nullptr);
    print_json(context.out, format, group);
  } else if (format == OutputFormat::table) {
    context.out.write("group " + printable(arguments.group) + "   state " + state.word + "   members " +
                      (has_none ? "none" : "unknown") + "\n");
  } else {
    Table({{"member"}, {"instance"}, {"topics"}, {"partitions"}}).print(context.out, format);
  }
  context.note(state.reason);
  return ExitCode::ok;
}

struct LagLook {
  Table table;
  std::vector<GroupLag> damaged{};
};

std::chrono::nanoseconds time_of_look() { return std::chrono::steady_clock::now().time_since_epoch(); }

// Nothing is known after one look; without a time that is left the group never catches up.
void add_estimate(std::vector<Json>& row, const std::optional<CatchUpEstimate>& estimate) {
  row.emplace_back(estimate ? Json(std::llround(estimate->consumed_per_second)) : Json(nullptr));
  row.emplace_back(estimate ? Json(std::llround(estimate->produced_per_second)) : Json(nullptr));
  const bool is_reached = estimate && estimate->time_left;
  row.emplace_back(is_reached ? Json(std::chrono::ceil<std::chrono::seconds>(*estimate->time_left).count())
                              : Json(nullptr));
}

// As in Kafka's CSV of offsets, rows of one group do not name it.
Result<LagLook> look_at_lag(const Engine& engine, const std::vector<std::string>& groups,
                            LagHistory* history) {
  const bool is_one = groups.size() == 1;
  std::vector<Column> columns{{"topic"},
                              {"partition", ColumnKind::number},
                              {"committed", ColumnKind::number},
                              {"end", ColumnKind::number},
                              {"lag", ColumnKind::number}};
  if (!is_one) columns.insert(columns.begin(), Column{"group"});
  if (history != nullptr) {
    for (const char* const name : {"consumed_per_second", "produced_per_second", "seconds_left"})
      columns.push_back({name, ColumnKind::number});
  }
  const std::chrono::nanoseconds now = time_of_look();
  LagLook look{.table = Table(std::move(columns))};
  for (const std::string& group : groups) {
    const auto lags = known_lags(engine, group);
    if (!lags.ok()) return lags.error();
    for (const GroupLag& one : *lags) {
      std::vector<Json> row{one.topic_partition.topic, one.topic_partition.partition, committed_json(one),
                            number_or_null(one.end_offset), number_or_null(one.lag)};
      if (!is_one) row.insert(row.begin(), Json(group));
      if (history != nullptr) {
        history->add(group, one, now);
        add_estimate(row, history->estimate(group, one.topic_partition));
      }
      look.table.add(std::move(row));
      if (one.damage) look.damaged.push_back(one);
    }
  }
  return look;
}

// Until the next look is due, or nobody waits for it.
Result<> wait_for_next_look(Context& context, std::chrono::milliseconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < end && !is_interrupted()) {
    const Result<> flushed = context.out.flush_or_notice();
    if (!flushed.ok()) return flushed;
    pollfd interrupt{.fd = interrupt_fd(), .events = POLLIN, .revents = 0};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    ::poll(&interrupt, 1, static_cast<int>(std::clamp(left, {}, notice_interval).count()));
  }
  return {};
}

// Prints what has changed only, so that a file of it does not grow while nothing happens.
Result<ExitCode> watch_lag(Context& context, const Engine& engine, const std::vector<std::string>& groups,
                           LagHistory* history) {
  std::optional<Json> shown;
  const OutputFormat format = context.format();
  const bool is_for_people = format == OutputFormat::table || format == OutputFormat::tsv;
  while (!is_interrupted()) {
    const Result<LagLook> look = look_at_lag(engine, groups, history);
    if (!look.ok()) return look.error();
    if (const Json rows = look->table.to_json(); shown != rows) {
      if (context.out.is_terminal() && is_for_people) {
        context.out.write("\x1b[H\x1b[2J");
      } else if (shown && is_for_people) {
        context.out.write("\n");
      }
      look->table.print(context.out, format);
      told_group_damage(context, look->damaged);
      shown = rows;
    }
    const Result<> waited = wait_for_next_look(context, watch_interval);
    if (!waited.ok()) return waited.error();
  }
  return ExitCode::ok;
}

Result<std::chrono::milliseconds> parse_eta(const std::string& text) {
  const Result<std::int64_t> time_ms = base::parse_duration_ms(text);
  if (!time_ms.ok()) return time_ms.error().with_context("--eta");
  if (*time_ms >= 1 && *time_ms <= eta_ms_max) return std::chrono::milliseconds(*time_ms);
  return Error(Errc::invalid_argument, "--eta is " + text + "; it must be 1ms to 1d");
}

Result<ExitCode> show_lag(Context& context, const GroupListingArguments& arguments) {
  std::optional<LagHistory> history;
  std::chrono::milliseconds eta{0};
  if (arguments.eta) {
    const auto parsed = parse_eta(*arguments.eta);
    if (!parsed.ok()) return parsed.error();
    eta = *parsed;
    history.emplace(eta);
  }
  LagHistory* const known = history ? &*history : nullptr;
  const Result<Engine> engine = context.open(OpenMode::read_only);
  if (!engine.ok()) return engine.error();
  if (arguments.watch) return watch_lag(context, *engine, arguments.groups, known);
  if (known != nullptr) {
    const Result<LagLook> first = look_at_lag(*engine, arguments.groups, known);
    if (!first.ok()) return first.error();
    const Result<> waited = wait_for_next_look(context, eta);
    if (!waited.ok()) return waited.error();
  }
  const Result<LagLook> look = look_at_lag(*engine, arguments.groups, known);
  if (!look.ok()) return look.error();
  look->table.print(context.out, context.format());
  return told_group_damage(context, look->damaged);
}

}  // namespace

Command group_list_command() {
  return {.name = "list",
          .summary = "Lists the groups that have committed an offset",
          .examples = {"seriatim -d data group list"},
          .run = list_groups};
}

Command group_describe_command() {
  auto arguments = std::make_shared<GroupListingArguments>();
  return {
      .name = "describe",
      .summary = "Shows a group, and partition by partition what it has committed and how far it is behind",
      .positionals = {{.name = "GROUP", .help = "Name of the group", .target = &arguments->group}},
      .examples = {"seriatim -d data group describe billing"},
      .run = [arguments](Context& context) { return describe_group(context, *arguments); }};
}

Command group_members_command() {
  auto arguments = std::make_shared<GroupListingArguments>();
  return {.name = "members",
          .summary =
              "Says whether a group has members, and where: they live in the process that has the "
              "directory for writing, which alone can list them",
          .positionals = {{.name = "GROUP", .help = "Name of the group", .target = &arguments->group}},
          .examples = {"seriatim -d data group members billing"},
          .run = [arguments](Context& context) { return show_members(context, *arguments); }};
}

Command group_lag_command() {
  auto arguments = std::make_shared<GroupListingArguments>();
  return {.name = "lag",
          .summary = "Shows how far groups are behind: 0 where no committed record is left for them to read",
          .positionals = {{.name = "GROUP", .help = "Names of groups", .target = &arguments->groups}},
          .options = {{.names = "--watch",
                       .help = "Look every second, and print what has changed, until interrupted",
                       .target = &arguments->watch},
                      {.names = "--eta",
                       .value_name = "DURATION",
                       .help = "Estimate the time to catch up, from two looks so far apart",
                       .target = &arguments->eta}},
          .examples = {"seriatim -d data group lag billing -j", "seriatim -d data group lag billing --watch",
                       "seriatim -d data group lag billing --eta 10s"},
          .run = [arguments](Context& context) { return show_lag(context, *arguments); }};
}

}  // namespace seriatim::cli
