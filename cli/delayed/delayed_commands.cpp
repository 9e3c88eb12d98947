#include "delayed/delayed_commands.hpp"

#include <chrono>

#include "base/text.hpp"
#include "base/time_text.hpp"
#include "command_tree.hpp"
#include "suggestion.hpp"

namespace seriatim::cli {

std::vector<Option> due_options(DueOptions& options) {
  return {{.names = "--in",
           .value_name = "DURATION",
           .help = "So long from now on: 90s, 1h30m, 7d",
           .target = &options.delay},
          {.names = "--at",
           .value_name = "TIME",
           .help = "At this time: 2026-11-22T10:00:00Z, or milliseconds since 1970",
           .target = &options.time}};
}

Result<DueTime> due_of(const DueOptions& options) {
  if (options.delay.has_value() == options.time.has_value()) {
    return Error(Errc::invalid_argument, std::string(options.delay ? "only one due time can be given"
                                                                   : "it is not said when it is due") +
                                             ". Give one of --in DURATION --at TIME");
  }
  const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const Result<std::int64_t> ms = options.delay
                                      ? base::parse_duration_ms(*options.delay)
                                      : base::parse_time_ms(*options.time, now.time_since_epoch().count());
  if (!ms.ok()) return ms.error();
  const std::chrono::milliseconds count{*ms};
  return options.delay ? DueTime(count) : DueTime(Timestamp(count));
}

// A name that was never used is not made by asking for it.
Result<> check_known_delayed(const Engine& engine, const std::string& name) {
  const auto names = list_delayed_message_names(engine);
  if (!names.ok()) return names.error();
  const auto transactions = engine.admin().list_transactions();
  if (!transactions.ok()) return transactions.error();
  for (const std::string& known : *names) {
    if (known == name) return {};
  }
  for (const TransactionDescription& one : *transactions) {
    if (one.transactional_id == "delayed:" + name + ":0") return {};
  }
  std::string text =
      "there are no delayed messages of the name " + name + " in " + engine.directory().string() + ".";
  if (const auto guess = nearest(name, *names)) text += " Did you mean " + *guess + "?";
  return Error(Errc::not_found, text + " seriatim delayed count shows those that have some");
}

Result<> change_delayed(const Context& context, const std::string& name, bool delivers,
                        const std::function<Result<>(const Engine&, DelayedMessages&)>& change) {
  const Result<Engine> engine = context.open(OpenMode::read_write);
  if (!engine.ok()) return engine.error();
  {
    Result<DelayedMessages> delayed =
        DelayedMessages::open(*engine, {.name = name, .delivers_in_background = delivers});
    if (!delayed.ok()) return delayed.error();
    if (auto changed = change(*engine, *delayed); !changed.ok()) return changed;
  }
  return engine->close();
}

Positional delayed_name_positional(std::string& name, bool is_required) {
  return {.name = "NAME",
          .help = "Whose they are (DelayedMessagesOptions::name)",
          .target = &name,
          .required = is_required};
}

Positional delayed_id_positional(std::string& id) {
  return {.name = "ID", .help = "Which message; delayed list shows it", .target = &id};
}

Command delayed_command() {
  return {.name = "delayed",
          .summary = "Shows, changes and delivers messages that wait for their time",
          .children = {delayed_list_command(), delayed_count_command(), delayed_schedule_command(),
                       delayed_cancel_command(), delayed_reschedule_command(), delayed_retry_command(),
                       delayed_run_command()}};
}

}  // namespace seriatim::cli
