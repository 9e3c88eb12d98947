#include "dlq/dlq_commands.hpp"

#include <chrono>
#include <limits>

#include "base/time_text.hpp"
#include "command_tree.hpp"

namespace seriatim::cli {
namespace {

Result<std::optional<Timestamp>> time_of_letter(const std::optional<std::string>& text) {
  if (!text) return std::optional<Timestamp>();
  const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const Result<std::int64_t> ms = base::parse_time_ms(*text, now.time_since_epoch().count());
  if (!ms.ok()) return ms.error();
  return std::optional<Timestamp>(Timestamp(std::chrono::milliseconds(*ms)));
}

}  // namespace

std::vector<Option> letter_options(LetterOptions& options) {
  return {{.names = "-e,--error",
           .value_name = "TEXT",
           .help = "Only letters whose error contains this",
           .target = &options.error},
          {.names = "-k,--key",
           .value_name = "KEY",
           .help = "Only letters of records of this key",
           .target = &options.key},
          {.names = "--from",
           .value_name = "TIME",
           .help = "Only records that died at this time or later: 2026-11-22T10:00:00Z, or ms since 1970",
           .target = &options.from},
          {.names = "--until",
           .value_name = "TIME",
           .help = "Only records that died before this time",
           .target = &options.until},
          {.names = "-p,--partition",
           .value_name = "N",
           .help = "Only letters of this partition",
           .target = IntegerTarget{&options.partition, 0, std::numeric_limits<PartitionId>::max()}}};
}

Positional letter_topic_positional(LetterOptions& options) {
  return {.name = "TOPIC", .help = "The topic of the letters: orders.DLQ", .target = &options.topic};
}

Result<DeadLetterFilter> letter_filter(const LetterOptions& options) {
  const auto from = time_of_letter(options.from);
  if (!from.ok()) return from.error();
  const auto until = time_of_letter(options.until);
  if (!until.ok()) return until.error();
  DeadLetterFilter filter{
      .error_contains = options.error, .key = options.key, .from = *from, .until = *until};
  if (options.partition) filter.partition = static_cast<PartitionId>(*options.partition);
  return filter;
}

std::string record_place(const DeadLetter& letter) {
  std::string place = letter.topic;
  if (letter.record_partition) place += "-" + std::to_string(*letter.record_partition);
  if (letter.record_offset) place += "@" + std::to_string(*letter.record_offset);
  return place;
}

Command dlq_command() {
  return {.name = "dlq",
          .summary = "Shows, replays and purges dead letters",
          .children = {dlq_list_command(), dlq_show_command(), dlq_replay_command(), dlq_purge_command()}};
}

}  // namespace seriatim::cli
