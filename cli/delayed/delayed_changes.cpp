// delayed schedule, cancel, reschedule, retry.
#include <memory>
#include <optional>
#include <utility>

#include "delayed/delayed_commands.hpp"

namespace seriatim::cli {
namespace {

struct ScheduleArguments {
  std::string name{};
  std::string topic{};
  std::string value{};
  std::optional<std::string> key{};
  std::string id{};
  DueOptions due{};
};

struct DelayedIdArguments {
  std::string name{};
  std::string id{};
  DueOptions due{};
};

Result<ExitCode> run_schedule(Context& context, const ScheduleArguments& arguments) {
  const Result<DueTime> due = due_of(arguments.due);
  if (!due.ok()) return due.error();
  std::string id;
  const Result<> done = change_delayed(
      context, arguments.name, false, [&](const Engine& engine, DelayedMessages& delayed) -> Result<> {
        const Result<TopicDescription> topic = describe_topic(engine, arguments.topic);
        if (!topic.ok()) return topic.error();
        auto scheduled = delayed.schedule({.topic = arguments.topic,
                                           .key = arguments.key ? BytesView(*arguments.key) : BytesView(),
                                           .value = arguments.value},
                                          *due, arguments.id);
        if (!scheduled.ok()) return scheduled.error();
        id = *std::move(scheduled);
        return {};
      });
  if (!done.ok()) return done.error();
  context.out.write(id + "\n");
  return ExitCode::ok;
}

/// One of the changes of a message that there is.
using DelayedChange = std::function<Result<bool>(DelayedMessages&)>;

Result<ExitCode> change_one(Context& context, const DelayedIdArguments& arguments, const std::string& done,
                            const std::string& missing, const DelayedChange& change) {
  {
    const Result<Engine> engine = context.open(OpenMode::read_only);
    if (!engine.ok()) return engine.error();
    if (auto known = check_known_delayed(*engine, arguments.name); !known.ok()) return known.error();
  }
  const Result<> changed = change_delayed(
      context, arguments.name, false, [&](const Engine&, DelayedMessages& delayed) -> Result<> {
        const Result<bool> is_changed = change(delayed);
        if (!is_changed.ok()) return is_changed.error();
        if (*is_changed) return {};
        return Error(Errc::not_found, "delayed message " + arguments.id + " of the name " + arguments.name +
                                          " " + missing + "; seriatim delayed list shows those that wait");
      });
  if (!changed.ok()) return changed.error();
  context.note("delayed message " + arguments.id + " is " + done);
  return ExitCode::ok;
}

constexpr const char* is_gone = "is not there: it was delivered or cancelled, or there never was one";

Result<ExitCode> run_reschedule(Context& context, const DelayedIdArguments& arguments) {
  const Result<DueTime> due = due_of(arguments.due);
  if (!due.ok()) return due.error();
  return change_one(context, arguments, "rescheduled", is_gone,
                    [&](DelayedMessages& delayed) { return delayed.reschedule(arguments.id, *due); });
}

}  // namespace

Command delayed_schedule_command() {
  auto arguments = std::make_shared<ScheduleArguments>();
  std::vector<Option> options = due_options(arguments->due);
  options.push_back(
      {.names = "-k,--key", .value_name = "KEY", .help = "Key of the record", .target = &arguments->key});
  options.push_back({.names = "--id",
                     .value_name = "ID",
                     .help = "The message's id (default: one is made)",
                     .target = &arguments->id});
  return {.name = "schedule",
          .summary = "Stores a record that is appended to its topic later, and prints its id",
          .positionals = {delayed_name_positional(arguments->name),
                          {.name = "TOPIC", .help = "Where it will be appended", .target = &arguments->topic},
                          {.name = "VALUE", .help = "Value of the record", .target = &arguments->value}},
          .options = std::move(options),
          .examples = {"seriatim -d data delayed schedule reminders mails 'pay, please' --in 14d"},
          .run = [arguments](Context& context) { return run_schedule(context, *arguments); }};
}

Command delayed_cancel_command() {
  auto arguments = std::make_shared<DelayedIdArguments>();
  return {.name = "cancel",
          .summary = "Takes a message away that waits, or is parked",
          .positionals = {delayed_name_positional(arguments->name), delayed_id_positional(arguments->id)},
          .examples = {"seriatim -d data delayed cancel reminders order-17"},
          .run = [arguments](Context& context) {
            return change_one(context, *arguments, "cancelled", is_gone,
                              [&](DelayedMessages& delayed) { return delayed.cancel(arguments->id); });
          }};
}

Command delayed_reschedule_command() {
  auto arguments = std::make_shared<DelayedIdArguments>();
  return {.name = "reschedule",
          .summary = "Gives a message another time",
          .positionals = {delayed_name_positional(arguments->name), delayed_id_positional(arguments->id)},
          .options = due_options(arguments->due),
          .examples = {"seriatim -d data delayed reschedule reminders order-17 --in 1h"},
          .run = [arguments](Context& context) { return run_reschedule(context, *arguments); }};
}

Command delayed_retry_command() {
  auto arguments = std::make_shared<DelayedIdArguments>();
  return {.name = "retry",
          .summary = "Makes a parked message wait for its delivery again",
          .positionals = {delayed_name_positional(arguments->name), delayed_id_positional(arguments->id)},
          .examples = {"seriatim -d data delayed retry reminders order-17"},
          .run = [arguments](Context& context) {
            return change_one(context, *arguments, "pending again", "is not parked",
                              [&](DelayedMessages& delayed) { return delayed.retry_parked(arguments->id); });
          }};
}

}  // namespace seriatim::cli
