#include "catalog/catalog_schema.hpp"

#include <algorithm>
#include <cstring>

#include "base/bytes.hpp"

namespace seriatim::catalog {
namespace {

constexpr std::size_t id_bytes = std::tuple_size_v<Id>;
constexpr std::size_t partition_bytes = sizeof(std::uint32_t);

}  // namespace

std::string topic_id_key(const Id& topic_id) {
  return {reinterpret_cast<const char*>(topic_id.data()), topic_id.size()};
}

std::string partition_key(const Id& topic_id, PartitionId partition) {
  std::string key = topic_id_key(topic_id);
  key.resize(id_bytes + partition_bytes);
  base::store_be(reinterpret_cast<std::byte*>(key.data() + id_bytes), static_cast<std::uint32_t>(partition));
  return key;
}

std::string offset_key(std::string_view group, const Id& topic_id, PartitionId partition) {
  return group_prefix(group) + partition_key(topic_id, partition);
}

std::string group_prefix(std::string_view group) {
  std::string prefix(group);
  prefix.push_back('\0');
  return prefix;
}

std::string after_group(std::string_view group) {
  std::string key(group);
  key.push_back('\x01');
  return key;
}

bool split_offset_key(std::string_view key, OffsetKey& parts) noexcept {
  constexpr std::size_t tail = 1 + id_bytes + partition_bytes;
  if (key.size() <= tail) return false;
  const std::size_t group_bytes = key.size() - tail;
  if (key[group_bytes] != '\0') return false;
  const auto* id = reinterpret_cast<const std::byte*>(key.data() + group_bytes + 1);
  const auto partition = base::load_be<std::uint32_t>(id + id_bytes);
  if (partition >= static_cast<std::uint32_t>(partition_count_max)) return false;
  parts.group = key.substr(0, group_bytes);
  std::memcpy(parts.topic_id.data(), id, id_bytes);
  parts.partition = static_cast<PartitionId>(partition);
  return true;
}

std::string printable_key(std::string_view key) {
  constexpr std::size_t shown_bytes_max = 64;  // arbitrary: a line of a log
  constexpr char digits[] = "0123456789abcdef";
  const bool cut = key.size() > shown_bytes_max;
  const std::string_view shown = key.substr(0, shown_bytes_max);
  const bool is_text = !shown.empty() && std::all_of(shown.begin(), shown.end(),
                                                     [](char c) { return c >= ' ' && c <= '~' && c != '"'; });
  std::string out = is_text ? "\"" : "0x";
  for (const char c : shown) {
    if (is_text) {
      out.push_back(c);
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out.push_back(digits[byte >> 4U]);
      out.push_back(digits[byte & 15U]);
    }
  }
  if (cut) out += "...";
  if (is_text) out.push_back('"');
  return out;
}

}  // namespace seriatim::catalog
