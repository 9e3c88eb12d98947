#include "format/journal/journal_share.hpp"

#include <algorithm>
#include <concepts>
#include <optional>
#include <string>

#include "base/checked.hpp"

namespace seriatim::format {
namespace {

constexpr std::size_t partition_and_kind_bytes = 13;  // int32 partition, uint8 kind, int64 start offset

Error bad_share_frame(const std::string& what) {
  return {
      Errc::corrupt_metadata,
      "a journalled fact of a share group " + what +
          ". Its checksum is right, so it was written like this: report it as a bug of seriatim, with the "
          "file."};
}

template <std::integral T>
void append_integer(std::vector<std::byte>& to, T value) {
  to.resize(to.size() + sizeof(T));
  base::store_le(to.data() + to.size() - sizeof(T), value);
}

void append_bytes(std::vector<std::byte>& to, base::ByteSpan bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
}

void append_length(std::vector<std::byte>& to, std::string_view text) {
  append_integer(to, base::narrow<std::uint16_t>(text.size()));
}

// A text behind its uint16 length; nothing: the bytes end before.
std::optional<std::string_view> take_text(base::ByteSpan& from) noexcept {
  if (from.size() < sizeof(std::uint16_t)) return std::nullopt;
  const auto length = base::load_le<std::uint16_t>(from.data());
  from = from.subspan(sizeof(std::uint16_t));
  if (from.size() < length) return std::nullopt;
  const auto text = base::as_text(from.first(length));
  from = from.subspan(length);
  return text;
}

Error cut_off_share_frame(base::ByteSpan payload) {
  return bad_share_frame("of " + std::to_string(payload.size()) +
                         " bytes does not end where its lengths say");
}

bool is_possible_progress(const JournalShareProgress& progress) noexcept {
  if (progress.group.empty() || progress.partition < 0 || progress.start_offset < -1) return false;
  switch (progress.kind) {
    case ShareProgressKind::changed:
      return true;
    case ShareProgressKind::replaced:
      return progress.start_offset >= 0;
    case ShareProgressKind::forgotten:
      return progress.start_offset == -1 && progress.runs.empty();
  }
  return false;
}

bool is_ascending(const ShareConfigPairs& config) noexcept {
  return std::adjacent_find(config.begin(), config.end(),
                            [](const auto& a, const auto& b) { return a.first >= b.first; }) == config.end();
}

}  // namespace

void encode_journal_share_progress(const JournalShareProgress& progress, std::vector<std::byte>& payload) {
  payload.clear();
  append_length(payload, progress.group);
  append_bytes(payload, base::as_bytes(progress.group));
  append_bytes(payload, progress.topic_id);
  append_integer(payload, progress.partition);
  append_integer(payload, static_cast<std::uint8_t>(progress.kind));
  append_integer(payload, progress.start_offset);
  append_share_runs(payload, progress.runs);
}

Result<JournalShareProgress> parse_journal_share_progress(base::ByteSpan payload) {
  base::ByteSpan rest = payload;
  JournalShareProgress progress;
  const auto group = take_text(rest);
  if (!group || rest.size() < progress.topic_id.size() + partition_and_kind_bytes)
    return cut_off_share_frame(payload);
  progress.group = *group;
  std::copy_n(rest.begin(), progress.topic_id.size(), progress.topic_id.begin());
  rest = rest.subspan(progress.topic_id.size());
  progress.partition = base::load_le<PartitionId>(rest.data());
  progress.kind = static_cast<ShareProgressKind>(rest[sizeof(PartitionId)]);
  progress.start_offset = base::load_le<Offset>(rest.data() + sizeof(PartitionId) + 1);
  rest = rest.subspan(partition_and_kind_bytes);
  auto runs = take_share_runs(rest);
  if (!runs) return runs.error();
  progress.runs = *std::move(runs);
  if (!rest.empty()) return cut_off_share_frame(payload);
  if (is_possible_progress(progress)) return progress;
  return bad_share_frame("has partition " + std::to_string(progress.partition) + ", kind " +
                         std::to_string(static_cast<int>(progress.kind)) + ", start offset " +
                         std::to_string(progress.start_offset) + ", " + std::to_string(progress.runs.size()) +
                         " runs");
}

void append_share_config(std::vector<std::byte>& to, const ShareConfigPairs& config) {
  append_integer(to, base::narrow<std::uint16_t>(config.size()));
  for (const auto& [name, value] : config) {
    append_length(to, name);
    append_bytes(to, base::as_bytes(name));
    append_length(to, value);
    append_bytes(to, base::as_bytes(value));
  }
}

Result<ShareConfigPairs> take_share_config(base::ByteSpan& from) {
  const base::ByteSpan payload = from;
  if (from.size() < sizeof(std::uint16_t)) return cut_off_share_frame(payload);
  const auto count = base::load_le<std::uint16_t>(from.data());
  from = from.subspan(sizeof(std::uint16_t));
  ShareConfigPairs config;
  for (std::uint16_t i = 0; i < count; ++i) {
    const auto name = take_text(from);
    const auto value = name ? take_text(from) : std::nullopt;
    if (!value) return cut_off_share_frame(payload);
    config.emplace_back(*name, *value);
  }
  const bool is_named = config.empty() || !config.front().first.empty();
  if (is_named && is_ascending(config)) return config;
  return bad_share_frame("has settings without a name, or out of order");
}

void encode_journal_share_group(const JournalShareGroup& group, std::vector<std::byte>& payload) {
  payload.clear();
  append_length(payload, group.group);
  append_bytes(payload, base::as_bytes(group.group));
  append_integer(payload, static_cast<std::uint8_t>(group.is_forgotten ? 1 : 0));
  append_share_config(payload, group.config);
}

Result<JournalShareGroup> parse_journal_share_group(base::ByteSpan payload) {
  base::ByteSpan rest = payload;
  JournalShareGroup told;
  const auto group = take_text(rest);
  if (!group || rest.empty()) return cut_off_share_frame(payload);
  told.group = *group;
  const auto end = std::to_integer<std::uint8_t>(rest.front());
  rest = rest.subspan(1);
  auto config = take_share_config(rest);
  if (!config) return config.error();
  told.config = *std::move(config);
  if (!rest.empty()) return cut_off_share_frame(payload);
  told.is_forgotten = end == 1;
  const bool is_sound = !told.group.empty() && end <= 1 && (end == 0 || told.config.empty());
  if (is_sound) return told;
  return bad_share_frame("has a group of " + std::to_string(told.group.size()) + " bytes, end " +
                         std::to_string(end) + ", " + std::to_string(told.config.size()) + " settings");
}

}  // namespace seriatim::format
