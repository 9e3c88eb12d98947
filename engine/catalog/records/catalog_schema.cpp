#include "catalog/records/catalog_schema.hpp"

#include <algorithm>
#include <cstring>

#include "base/bytes.hpp"

namespace seriatim::catalog {
namespace {

constexpr std::size_t id_bytes = std::tuple_size_v<Id>;
constexpr std::size_t partition_bytes = sizeof(std::uint32_t);

// Names have no zero byte: all keys that begin with a name and a zero byte are of that name, and the first
// text after them is the name with a byte of one.
std::string with_byte(std::string_view name, char byte) {
  std::string text(name);
  text.push_back(byte);
  return text;
}

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

std::string group_prefix(std::string_view group) { return with_byte(group, '\0'); }

std::string after_group(std::string_view group) { return with_byte(group, '\x01'); }

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

std::string state_key(std::string_view name, std::string_view key) { return state_prefix(name).append(key); }

std::string state_prefix(std::string_view name) { return with_byte(name, '\0'); }

std::string after_state(std::string_view name) { return with_byte(name, '\x01'); }

bool split_state_key(std::string_view stored, StateKey& parts) noexcept {
  const std::size_t name_bytes = stored.find('\0');
  if (name_bytes == std::string_view::npos || name_bytes == 0 || name_bytes > state_name_bytes_max)
    return false;
  const std::string_view key = stored.substr(name_bytes + 1);
  if (key.empty() || key.size() > state_key_bytes_max) return false;
  parts = {stored.substr(0, name_bytes), key};
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
