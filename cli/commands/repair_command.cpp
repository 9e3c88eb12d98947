// repair: makes a damaged data directory usable again, and says what it does.
#include <memory>

#include <seriatim/repair.hpp>

#include "command_tree.hpp"
#include "confirmation.hpp"
#include "context.hpp"
#include "text/text_encoding.hpp"

namespace seriatim::cli {
namespace {

struct RepairArguments {
  Consent consent{};
  bool accept_loss = false;
};

Json to_json(const RepairReport& report) {
  Json steps = Json::array();
  for (const RepairStep& step : report.steps) {
    Json one = Json::object();
    put_bytes(one, "path", step.path);
    put_bytes(one, "what", step.what);
    one["gives_up"] = step.gives_up;
    one["done"] = step.is_done;
    steps.push_back(std::move(one));
  }
  Json left = Json::array();
  for (const Finding& finding : report.left) {
    Json one = Json::object();
    put_bytes(one, "path", finding.path);
    one["position"] = finding.position;
    put_bytes(one, "what", finding.what);
    one["damage"] = finding.severity == Severity::damage;
    left.push_back(std::move(one));
  }
  return {{"steps", std::move(steps)}, {"left", std::move(left)}};
}

std::string line_of(const RepairStep& step) {
  return printable(step.path) + ": " + printable(step.what) + "\n";
}

std::string plan_text(const RepairReport& plan, bool accept_loss) {
  std::string text;
  for (const RepairStep& step : plan.steps) {
    const char* const word = !step.gives_up ? "would  "
                             : accept_loss  ? "GIVES UP  "
                                            : "needs --accept-loss  ";
    text += word + line_of(step);
  }
  for (const Finding& finding : plan.left)
    text += "cannot mend  " + printable(finding.path) + ": " + printable(finding.what) + "\n";
  if (!text.empty()) text.pop_back();
  return text;
}

std::string outcome_text(const RepairReport& report) {
  std::string text;
  for (const RepairStep& step : report.steps)
    text += (step.is_done ? "done  " : "NOT DONE  ") + line_of(step);
  for (const Finding& finding : report.left)
    text += "left  " + printable(finding.path) + ": " + printable(finding.what) + "\n";
  return text;
}

// Damage that is there still, also because nobody has accepted the loss.
ExitCode exit_code_of_repair(const RepairReport& report, bool is_plan) {
  ExitCode worst = ExitCode::ok;
  for (const RepairStep& step : report.steps) {
    if (step.is_done) continue;
    if (step.gives_up) return ExitCode::damage;
    worst = is_plan ? ExitCode::repairable : ExitCode::damage;
  }
  for (const Finding& finding : report.left) {
    if (finding.severity == Severity::damage) return ExitCode::damage;
    worst = ExitCode::repairable;
  }
  return worst;
}

void print(Context& context, const RepairReport& report, const std::string& text) {
  if (context.format() == OutputFormat::json || context.format() == OutputFormat::jsonl) {
    print_json(context.out, context.format(), to_json(report));
  } else {
    context.out.write(text);
  }
}

Result<ExitCode> run_repair(Context& context, const RepairArguments& arguments) {
  const Result<std::filesystem::path> directory = context.existing_directory();
  if (!directory.ok()) return directory.error();
  const Result<RepairReport> plan =
      repair(*directory, {.dry_run = true, .accept_loss = arguments.accept_loss});
  if (!plan.ok()) return plan.error();
  const std::string shown = plan_text(*plan, arguments.accept_loss);
  if (plan->steps.empty() || arguments.consent.dry_run) {
    print(context, *plan, plan->steps.empty() && plan->left.empty() ? "nothing to repair\n" : shown + "\n");
    return exit_code_of_repair(*plan, true);
  }
  const Result<bool> agreed = confirm(context, arguments.consent, shown);
  if (!agreed.ok()) return agreed.error();
  if (!*agreed) return exit_code_of_repair(*plan, true);
  RepairOptions options{.accept_loss = arguments.accept_loss};
  options.log_sink = [&context](LogLevel, std::string_view line) { context.note(line); };
  const Result<RepairReport> report = repair(*directory, options);
  if (!report.ok()) return report.error();
  print(context, *report, outcome_text(*report));
  return exit_code_of_repair(*report, false);
}

}  // namespace

Command repair_command() {
  auto arguments = std::make_shared<RepairArguments>();
  return {
      .name = "repair",
      .summary =
          "Mends what can be mended and moves aside what cannot be explained; exit status 0 all is well, 4 "
          "damage is left",
      .options = {{.names = "-y,--yes", .help = "Do not ask", .target = &arguments->consent.yes},
                  {.names = "-n,--dry-run",
                   .help = "Only say what would be done",
                   .target = &arguments->consent.dry_run},
                  {.names = "--accept-loss",
                   .help = "Go on without what is lost: damaged journal frames and batches. The damaged "
                           "files are kept as .damaged",
                   .target = &arguments->accept_loss}},
      .examples = {"seriatim -d data repair --dry-run", "seriatim -d data repair --yes",
                   "seriatim -d data repair --accept-loss --yes"},
      .run = [arguments](Context& context) { return run_repair(context, *arguments); }};
}

}  // namespace seriatim::cli
