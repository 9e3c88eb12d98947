// dlq replay, purge.
#include <algorithm>
#include <charconv>
#include <chrono>
#include <limits>
#include <memory>
#include <utility>

#include "confirmation.hpp"
#include "dlq/dlq_commands.hpp"
#include "interrupt.hpp"
#include "text/quantity.hpp"

namespace seriatim::cli {
namespace {

constexpr std::size_t step_letters_max = 100;
// Of a second: with a rate, a step has the letters of so much time.
constexpr std::uint64_t steps_per_second = 10;
constexpr std::uint64_t rate_max = 1'000'000;

struct DlqReplayArguments {
  LetterOptions letters{};
  std::string to{};
  std::string rate{};
};

struct DlqPurgeArguments {
  LetterOptions letters{};
  std::optional<std::int64_t> before{};
  bool all = false;
  Consent consent{};
};

/// Letters per second, of "50/s" or "50"; 0: as fast as it goes.
Result<std::uint64_t> letter_rate(std::string_view text) {
  if (text.empty()) return std::uint64_t{0};
  const std::string_view digits = text.ends_with("/s") ? text.substr(0, text.size() - 2) : text;
  std::uint64_t rate = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), rate);
  if (parsed.ec == std::errc() && parsed.ptr == digits.data() + digits.size() && rate >= 1 &&
      rate <= rate_max)
    return rate;
  return Error(Errc::invalid_argument,
               "--rate is \"" + std::string(text) + "\"; it must be letters per second, 1/s to 1000000/s");
}

/// Replays, until it is through or interrupted.
Result<DeadLetterReplayStep> replay_all(DeadLetterReplay& replay, std::uint64_t rate) {
  using Clock = std::chrono::steady_clock;
  const std::size_t letters =
      rate == 0 ? step_letters_max : std::clamp<std::uint64_t>(rate / steps_per_second, 1, step_letters_max);
  DeadLetterReplayStep total;
  auto next = Clock::now();
  while (!total.is_through && !is_interrupted()) {
    const auto step = replay.step(letters);
    if (!step.ok()) return step.error();
    total.replayed += step->replayed;
    total.replayed_before += step->replayed_before;
    total.left_out += step->left_out;
    total.is_through = step->is_through;
    if (rate == 0 || total.is_through) continue;
    // From when it was to be, so that the rate is met on the whole.
    next += std::chrono::nanoseconds(std::chrono::seconds(1)) * step->replayed / rate;
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(next - Clock::now());
    if (wait.count() > 0) wait_for_interrupt(wait);
  }
  return total;
}

Result<ExitCode> run_dlq_replay(Context& context, const DlqReplayArguments& arguments) {
  const auto rate = letter_rate(arguments.rate);
  if (!rate.ok()) return rate.error();
  const auto filter = letter_filter(arguments.letters);
  if (!filter.ok()) return filter.error();
  const Result<Engine> engine = context.open(OpenMode::read_write);
  if (!engine.ok()) return engine.error();
  const Result<TopicDescription> topic = describe_topic(*engine, arguments.letters.topic);
  if (!topic.ok()) return topic.error();
  Result<DeadLetterReplayStep> total = DeadLetterReplayStep{};
  {
    auto replay = DeadLetterReplay::open(
        *engine, {.topic = arguments.letters.topic, .filter = *filter, .to = arguments.to});
    if (!replay.ok()) return replay.error();
    total = replay_all(*replay, *rate);
  }
  if (!total.ok()) return total.error();
  context.note(count_of(total->replayed, "letter") + " replayed, " + std::to_string(total->replayed_before) +
               " were before, " + std::to_string(total->left_out) + " left out" +
               (total->is_through ? "" : "; interrupted, the same command goes on"));
  const Result<> closed = engine->close();
  if (!closed.ok()) return closed.error();
  return ExitCode::ok;
}

struct Purge {
  TopicPartition partition{};
  Offset first = 0;
  Offset before = 0;
};

Result<std::vector<Purge>> plan_purges(const Engine& engine, const DlqPurgeArguments& arguments) {
  const Result<TopicDescription> topic = describe_topic(engine, arguments.letters.topic);
  if (!topic.ok()) return topic.error();
  std::vector<Purge> purges;
  for (PartitionId i = 0; i < static_cast<PartitionId>(topic->partitions.size()); ++i) {
    if (arguments.letters.partition && *arguments.letters.partition != i) continue;
    const auto& described = topic->partitions[static_cast<std::size_t>(i)];
    const Offset before = arguments.before.value_or(described.high_watermark);
    if (before > described.high_watermark) {
      return Error(Errc::offset_out_of_range, "--before is " + std::to_string(before) + ", and " +
                                                  arguments.letters.topic + "-" + std::to_string(i) +
                                                  " ends at " + std::to_string(described.high_watermark));
    }
    if (before > described.log_start_offset)
      purges.push_back({{arguments.letters.topic, i}, described.log_start_offset, before});
  }
  return purges;
}

std::string plan_of_purges(const std::vector<Purge>& purges) {
  std::string plan = "deletes for good:";
  for (const Purge& purge : purges) {
    plan += "\n  " + purge.partition.topic + "-" + std::to_string(purge.partition.partition) + ": offsets " +
            std::to_string(purge.first) + " up to but excluding " + std::to_string(purge.before);
  }
  return plan;
}

Result<ExitCode> run_dlq_purge(Context& context, const DlqPurgeArguments& arguments) {
  if (arguments.all == arguments.before.has_value() || (arguments.before && !arguments.letters.partition)) {
    return Error(Errc::invalid_argument,
                 "it is not said what is to be purged. Give --all, or --partition N and --before OFFSET");
  }
  std::vector<Purge> purges;
  {
    const Result<Engine> engine = context.open(OpenMode::read_only);
    if (!engine.ok()) return engine.error();
    auto planned = plan_purges(*engine, arguments);
    if (!planned.ok()) return planned.error();
    purges = *std::move(planned);
  }
  if (purges.empty()) {
    context.note("no letter is there to purge");
    return ExitCode::ok;
  }
  const Result<bool> agreed = confirm(context, arguments.consent, plan_of_purges(purges));
  if (!agreed.ok()) return agreed.error();
  if (!*agreed) return ExitCode::ok;
  const Result<Engine> engine = context.open(OpenMode::read_write);
  if (!engine.ok()) return engine.error();
  for (const Purge& purge : purges) {
    const auto purged = purge_dead_letters(*engine, purge.partition, purge.before);
    if (!purged.ok()) return purged.error();
  }
  context.note("purged; their files go with the next retention pass");
  const Result<> closed = engine->close();
  if (!closed.ok()) return closed.error();
  return ExitCode::ok;
}

}  // namespace

Command dlq_replay_command() {
  auto arguments = std::make_shared<DlqReplayArguments>();
  std::vector<Option> options = letter_options(arguments->letters);
  options.push_back({.names = "--to",
                     .value_name = "TOPIC",
                     .help = "Where the records go (default: to where they were)",
                     .target = &arguments->to});
  options.push_back({.names = "--rate",
                     .value_name = "N/s",
                     .help = "At most so many a second: 50/s (default: as fast as it goes)",
                     .target = &arguments->rate});
  return {.name = "replay",
          .summary = "Puts the records of dead letters back, each once; the letters stay",
          .positionals = {letter_topic_positional(arguments->letters)},
          .options = std::move(options),
          .examples = {"seriatim -d data dlq replay orders.DLQ --error 'no answer' --rate 50/s"},
          .run = [arguments](Context& context) { return run_dlq_replay(context, *arguments); }};
}

Command dlq_purge_command() {
  auto arguments = std::make_shared<DlqPurgeArguments>();
  return {
      .name = "purge",
      .summary = "Deletes dead letters for good",
      .positionals = {letter_topic_positional(arguments->letters)},
      .options = {{.names = "-a,--all", .help = "All that there are", .target = &arguments->all},
                  {.names = "-p,--partition",
                   .value_name = "N",
                   .help = "Only letters of this partition",
                   .target = IntegerTarget{&arguments->letters.partition, 0,
                                           std::numeric_limits<PartitionId>::max()}},
                  {.names = "--before",
                   .value_name = "OFFSET",
                   .help = "Those of the partition before this offset",
                   .target = IntegerTarget{&arguments->before, 0, std::numeric_limits<std::int64_t>::max()}},
                  {.names = "-y,--yes", .help = "Do not ask", .target = &arguments->consent.yes},
                  {.names = "-n,--dry-run",
                   .help = "Only say what would be done",
                   .target = &arguments->consent.dry_run}},
      .examples = {"seriatim -d data dlq purge orders.DLQ --partition 0 --before 1000"},
      .run = [arguments](Context& context) { return run_dlq_purge(context, *arguments); }};
}

}  // namespace seriatim::cli
