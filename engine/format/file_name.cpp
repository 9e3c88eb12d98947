#include "format/file_name.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/assert.hpp"
#include "format/topic_name.hpp"

namespace seriatim::format {
namespace {

constexpr std::size_t offset_digits = 20;
constexpr std::size_t unique_id_digits = 32;
constexpr std::size_t file_name_bytes_max = 255;  // NAME_MAX of every Linux file system

constexpr std::array<std::string_view, 6> kind_suffixes{".log",      ".index",    ".timeindex",
                                                        ".txnindex", ".snapshot", ".producers"};
constexpr std::array<std::string_view, 4> state_suffixes{"", ".deleted", ".cleaned", ".swap"};
constexpr std::array<std::string_view, 4> directory_suffixes{"", "-delete", "-future", "-stray"};

// The whole of `text` as a non-negative number of decimal digits.
template <class Integer>
std::optional<Integer> parse_digits(std::string_view text) noexcept {
  if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
  Integer value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool is_unique_id(std::string_view text) noexcept {
  return text.size() == unique_id_digits && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

std::optional<TopicPartition> parse_topic_partition(std::string_view name) {
  const std::size_t dash = name.rfind('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const std::string_view topic = name.substr(0, dash);
  const std::string_view digits = name.substr(dash + 1);
  const std::optional<PartitionId> partition = parse_digits<PartitionId>(digits);
  // A leading zero would make two names of one partition.
  if (!partition || (digits.size() > 1 && digits.front() == '0') || !is_topic_name(topic))
    return std::nullopt;
  return TopicPartition{std::string(topic), *partition};
}

}  // namespace

std::string file_name(Offset offset, FileKind kind, FileState state) {
  SERIATIM_ASSERT(offset >= 0);
  const std::string digits = std::to_string(offset);
  std::string name(offset_digits - digits.size(), '0');
  name.append(digits).append(kind_suffixes[static_cast<std::size_t>(kind)]);
  return name.append(state_suffixes[static_cast<std::size_t>(state)]);
}

std::optional<FileName> parse_file_name(std::string_view name) noexcept {
  if (name.size() <= offset_digits) return std::nullopt;
  const std::optional<Offset> offset = parse_digits<Offset>(name.substr(0, offset_digits));
  if (!offset) return std::nullopt;
  const std::string_view suffix = name.substr(offset_digits);
  for (std::size_t kind = 0; kind < kind_suffixes.size(); ++kind) {
    if (!suffix.starts_with(kind_suffixes[kind])) continue;
    const auto state =
        std::find(state_suffixes.begin(), state_suffixes.end(), suffix.substr(kind_suffixes[kind].size()));
    if (state == state_suffixes.end()) continue;
    return FileName{*offset, static_cast<FileKind>(kind),
                    static_cast<FileState>(state - state_suffixes.begin())};
  }
  return std::nullopt;
}

std::string partition_directory(std::string_view topic, PartitionId partition) {
  return std::string(topic).append("-").append(std::to_string(partition));
}

std::string deleted_partition_directory(const TopicPartition& topic_partition, std::string_view unique_id) {
  SERIATIM_ASSERT(is_unique_id(unique_id));
  std::string suffix("-");
  suffix.append(std::to_string(topic_partition.partition)).append(".").append(unique_id);
  suffix.append(directory_suffixes[static_cast<std::size_t>(DirectoryState::deleted)]);
  return topic_partition.topic.substr(0, file_name_bytes_max - suffix.size()) + suffix;
}

std::optional<PartitionDirectory> parse_partition_directory(std::string_view name) {
  for (std::size_t state = 1; state < directory_suffixes.size(); ++state) {
    if (!name.ends_with(directory_suffixes[state])) continue;
    name.remove_suffix(directory_suffixes[state].size());
    const std::size_t dot = name.rfind('.');
    if (dot == std::string_view::npos || !is_unique_id(name.substr(dot + 1))) return std::nullopt;
    std::optional<TopicPartition> of = parse_topic_partition(name.substr(0, dot));
    if (!of) return std::nullopt;
    return PartitionDirectory{std::move(*of), static_cast<DirectoryState>(state)};
  }
  std::optional<TopicPartition> of = parse_topic_partition(name);
  if (!of) return std::nullopt;
  return PartitionDirectory{std::move(*of), DirectoryState::live};
}

}  // namespace seriatim::format
