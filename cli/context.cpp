#include "context.hpp"

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <system_error>
#include <vector>

#include <unistd.h>

#include "suggestion.hpp"
#include "text/quantity.hpp"
#include "text/text_encoding.hpp"

namespace seriatim::cli {
namespace {

constexpr std::string_view usual_directory = "seriatim-data";

void print_engine_message(LogLevel level, std::string_view text) {
  const char* const word = level == LogLevel::error ? "error" : level == LogLevel::warn ? "warning" : "note";
  std::fprintf(stderr, "%s: %s\n", word, printable_lines(text).c_str());
}

}  // namespace

Context::Context() : out(STDOUT_FILENO) {}

OutputFormat Context::format() const {
  if (options.json || options.output == "json") return OutputFormat::json;
  if (options.output == "jsonl") return OutputFormat::jsonl;
  return options.output == "tsv" ? OutputFormat::tsv : OutputFormat::table;
}

Result<std::filesystem::path> Context::directory() const {
  if (!options.directory.empty()) return std::filesystem::path(options.directory);
  const char* const from_environment = std::getenv("SERIATIM_DIR");
  if (from_environment != nullptr && *from_environment != '\0')
    return std::filesystem::path(from_environment);
  std::error_code failure;
  std::filesystem::path here = std::filesystem::current_path(failure);
  while (!failure && !here.empty()) {
    const std::filesystem::path candidate = here / usual_directory;
    std::error_code unreadable;
    if (std::filesystem::is_directory(candidate, unreadable)) return candidate;
    if (here == here.parent_path()) break;
    here = here.parent_path();
  }
  return Error(Errc::invalid_argument, "no data directory is named, and none called " +
                                           std::string(usual_directory) +
                                           " lies here or above. Give -d DIR or set SERIATIM_DIR");
}

Result<std::filesystem::path> Context::existing_directory() const {
  Result<std::filesystem::path> path = directory();
  std::error_code unreadable;
  if (!path.ok() || std::filesystem::exists(*path, unreadable) || unreadable) return path;
  return Error(Errc::not_found,
               "there is no data directory " + path->string() +
                   ". Correct the path (-d DIR or $SERIATIM_DIR), or create it with its first "
                   "topic: seriatim -d " +
                   path->string() + " topic create TOPIC");
}

Result<Engine> Context::open(OpenMode mode) const {
  const Result<std::filesystem::path> path =
      mode == OpenMode::create_if_missing ? directory() : existing_directory();
  if (!path.ok()) return path.error();
  EngineOptions engine_options{.mode = mode};
  engine_options.log_sink = [quiet = options.quiet](LogLevel level, std::string_view text) {
    if (!quiet || level == LogLevel::error) print_engine_message(level, text);
  };
  return Engine::open(*path, std::move(engine_options));
}

void Context::note(std::string_view text) const {
  if (!options.quiet) std::fprintf(stderr, "%s\n", printable_lines(text).c_str());
}

Result<TopicDescription> describe_topic(const Engine& engine, const std::string& topic) {
  Result<TopicDescription> description = engine.admin().describe_topic(topic);
  if (description.ok() || description.error().code() != Errc::unknown_topic_or_partition) return description;
  const Result<std::vector<std::string>> known = engine.admin().list_topics();
  if (!known.ok()) return known.error();
  const std::string directory = engine.directory().string();
  std::string text = "there is no topic " + topic + " in " + directory + ".";
  if (const auto guess = nearest(topic, *known)) text += " Did you mean " + *guess + "?";
  return Error(Errc::unknown_topic_or_partition,
               text + " To create it: seriatim -d " + directory + " topic create " + topic);
}

Result<TopicPartition> parse_partition_place(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  PartitionId partition = -1;
  if (colon != std::string::npos) {
    const char* const end = text.data() + text.size();
    const auto [stopped_at, failure] = std::from_chars(text.data() + colon + 1, end, partition);
    if (failure != std::errc() || stopped_at != end) partition = -1;
  }
  if (partition >= 0) return TopicPartition{text.substr(0, colon), partition};
  return Error(Errc::invalid_argument,
               "\"" + text + "\" does not name a partition. Write TOPIC:PARTITION, as in orders:3");
}

Result<std::vector<TopicPartition>> select_partitions(const TopicDescription& topic, std::string_view list) {
  std::vector<TopicPartition> selected;
  if (list.empty()) {
    for (const PartitionDescription& partition : topic.partitions)
      selected.push_back({topic.name, partition.partition});
    return selected;
  }
  const Result<std::vector<PartitionId>> partitions = parse_partitions(list);
  if (!partitions.ok()) return partitions.error();
  for (const PartitionId partition : *partitions) {
    if (static_cast<std::size_t>(partition) >= topic.partitions.size()) {
      const std::size_t count = topic.partitions.size();
      return Error(Errc::unknown_topic_or_partition,
                   "topic " + topic.name + " has no partition " + std::to_string(partition) + ", only " +
                       (count == 1 ? std::string("0") : "0 to " + std::to_string(count - 1)));
    }
    selected.push_back({topic.name, partition});
  }
  return selected;
}

}  // namespace seriatim::cli
