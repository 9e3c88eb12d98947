// delayed run: delivers without the application.
#include <chrono>
#include <memory>

#include "delayed/delayed_commands.hpp"
#include "interrupt.hpp"
#include "text/quantity.hpp"

namespace seriatim::cli {
namespace {

constexpr std::chrono::milliseconds look_for_interrupt{500};

struct DelayedRunArguments {
  std::string name{};
  bool once = false;
};

std::string told(const DelayedMetrics& metrics) {
  return count_of(metrics.delivered, "message") + " delivered, " + std::to_string(metrics.parked) +
         " parked, at most " + readable_duration(metrics.lateness_max) + " late";
}

Result<ExitCode> run_delayed(Context& context, const DelayedRunArguments& arguments) {
  {
    const Result<Engine> engine = context.open(OpenMode::read_only);
    if (!engine.ok()) return engine.error();
    if (auto known = check_known_delayed(*engine, arguments.name); !known.ok()) return known.error();
  }
  DelayedMetrics metrics;
  const Result<> done = change_delayed(context, arguments.name, !arguments.once,
                                       [&](const Engine&, DelayedMessages& delayed) -> Result<> {
                                         if (arguments.once) {
                                           const auto delivered = delayed.deliver();
                                           if (!delivered.ok()) return delivered.error();
                                         }
                                         while (!arguments.once && !is_interrupted())
                                           wait_for_interrupt(look_for_interrupt);
                                         metrics = delayed.metrics();
                                         return {};
                                       });
  if (!done.ok()) return done.error();
  context.note(told(metrics));
  return ExitCode::ok;
}

}  // namespace

Command delayed_run_command() {
  auto arguments = std::make_shared<DelayedRunArguments>();
  return {
      .name = "run",
      .summary = "Delivers messages as their time comes, until it is interrupted",
      .positionals = {delayed_name_positional(arguments->name)},
      .options = {{.names = "--once", .help = "Delivers what is due, and ends", .target = &arguments->once}},
      .examples = {"seriatim -d data delayed run reminders"},
      .run = [arguments](Context& context) { return run_delayed(context, *arguments); }};
}

}  // namespace seriatim::cli
