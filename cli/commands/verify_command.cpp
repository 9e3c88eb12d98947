// verify: every byte of a data directory, checked.
#include <memory>

#include <seriatim/inspect.hpp>

#include "command_tree.hpp"
#include "context.hpp"
#include "interrupt.hpp"
#include "progress_bar.hpp"
#include "text/quantity.hpp"
#include "text/text_encoding.hpp"

namespace seriatim::cli {
namespace {

struct VerifyArguments {
  std::vector<std::string> topics{};
  bool quick = false;
};

std::string word_of(Severity severity) {
  switch (severity) {
    case Severity::note:
      return "note";
    case Severity::repairable:
      return "repairable";
    case Severity::damage:
      break;
  }
  return "damage";
}

Json to_json(const Finding& finding) {
  Json object = {{"severity", word_of(finding.severity)}};
  put_bytes(object, "path", finding.path);
  object["position"] = finding.position;
  object["first_offset"] = finding.first_offset < 0 ? Json(nullptr) : Json(finding.first_offset);
  object["last_offset"] = finding.last_offset < 0 ? Json(nullptr) : Json(finding.last_offset);
  put_bytes(object, "what", finding.what);
  return object;
}

Json to_json(const VerifyReport& report) {
  Json findings = Json::array();
  for (const Finding& finding : report.findings) findings.push_back(to_json(finding));
  const auto worst = report.worst();
  return {{"worst", worst ? Json(word_of(*worst)) : Json(nullptr)},
          {"topics", report.topics},
          {"partitions", report.partitions},
          {"segments", report.segments},
          {"batches", report.batches},
          {"records", report.records},
          {"bytes", report.bytes},
          {"findings", std::move(findings)}};
}

std::string to_text(const Finding& finding) {
  std::string text = word_of(finding.severity) + "  " + printable(finding.path) + " @ " +
                     std::to_string(finding.position) + ": " + printable(finding.what);
  if (finding.first_offset >= 0 && finding.last_offset >= finding.first_offset) {
    text += " (offsets " + std::to_string(finding.first_offset) + ".." + std::to_string(finding.last_offset) +
            ")";
  } else if (finding.first_offset >= 0) {
    text += " (from offset " + std::to_string(finding.first_offset) + ")";
  }
  return text + "\n";
}

std::string to_text(const VerifyReport& report, const std::string& directory) {
  std::string text;
  for (const Finding& finding : report.findings) text += to_text(finding);
  const auto worst = report.worst();
  text += !worst                           ? "clean"
          : *worst == Severity::note       ? "clean but for the notes above"
          : *worst == Severity::repairable ? "repairable: seriatim repair makes derived files again"
                                           : "DAMAGED";
  text += ": " + count_of(report.topics, "topic") + ", " + count_of(report.partitions, "partition") + ", " +
          count_of(report.segments, "segment") + ", " + count_of(report.batches, "batch", "batches") + ", " +
          count_of(report.records, "record") + ", " + count_of(report.bytes, "byte") + "\n";
  if (worst == Severity::damage)
    text += "Next: copy " + directory +
            " aside before anything writes to it, then restore what is listed above from a backup; without "
            "one, seriatim "
            "-d " +
            directory + " repair --dry-run says what can be saved\n";
  return text;
}

ExitCode exit_code_of_report(const VerifyReport& report) {
  const auto worst = report.worst();
  if (!worst || *worst == Severity::note) return ExitCode::ok;
  return *worst == Severity::repairable ? ExitCode::repairable : ExitCode::damage;
}

Result<ExitCode> run_verify(Context& context, const VerifyArguments& arguments) {
  const Result<std::filesystem::path> directory = context.existing_directory();
  if (!directory.ok()) return directory.error();
  if (!arguments.topics.empty()) {
    const Result<Engine> engine = context.open(OpenMode::read_only);
    if (!engine.ok()) return engine.error();
    for (const std::string& name : arguments.topics) {
      const Result<TopicDescription> topic = describe_topic(*engine, name);
      if (!topic.ok()) return topic.error();
    }
  }
  ProgressBar progress("verify", !context.options.quiet);
  VerifyOptions options{.topics = arguments.topics, .deep = !arguments.quick};
  options.progress = [&](std::uint64_t done_bytes, std::uint64_t total_bytes) {
    progress.update(done_bytes, total_bytes);
    return !is_interrupted() && context.out.has_reader();
  };
  const Result<VerifyReport> report = verify(*directory, options);
  progress.clear();
  if (!report.ok()) return report.error();
  if (context.format() == OutputFormat::json || context.format() == OutputFormat::jsonl) {
    print_json(context.out, context.format(), to_json(*report));
  } else {
    context.out.write(to_text(*report, directory->string()));
  }
  return exit_code_of_report(*report);
}

}  // namespace

Command verify_command() {
  auto arguments = std::make_shared<VerifyArguments>();
  return {.name = "verify",
          .summary = "Checks every byte; exit status 0 clean, 4 damage, 5 repairable without loss",
          .positionals = {{.name = "TOPIC",
                           .help = "Topics to check (default: all)",
                           .target = &arguments->topics,
                           .required = false}},
          .options = {{.names = "--quick",
                       .help = "Check every batch's CRC, but do not decode records",
                       .target = &arguments->quick}},
          .examples = {"seriatim -d data verify", "seriatim -d data verify orders -j"},
          .run = [arguments](Context& context) { return run_verify(context, *arguments); }};
}

}  // namespace seriatim::cli
