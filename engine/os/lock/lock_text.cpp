#include "os/lock/lock_text.hpp"

#include <algorithm>
#include <charconv>

namespace seriatim::os {
namespace {

constexpr std::string_view title = "seriatim lock 1\n";
// Five fields of this and their names fit into lock_text_bytes; a process id is shorter.
constexpr std::size_t field_bytes_max = 96;
constexpr std::string_view settled_name = "settled_boot_id";

void append_field(std::string& text, std::string_view name, std::string_view value) {
  text.append(name).append(": ");
  for (const char c : value.substr(0, field_bytes_max)) {
    const auto byte = static_cast<unsigned char>(c);
    text.push_back(byte < 0x20 || byte == 0x7F ? '?' : c);
  }
  text.push_back('\n');
}

// Takes the line "name: value" from the front of `text`.
std::optional<std::string_view> take_field(std::string_view& text, std::string_view name) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos || !text.starts_with(name)) return std::nullopt;
  std::string_view value = text.substr(name.size(), end - name.size());
  if (!value.starts_with(": ")) return std::nullopt;
  text.remove_prefix(end + 1);
  return value.substr(2);
}

}  // namespace

std::string format_lock_text(const LockInfo& info) {
  std::string text(title);
  append_field(text, "pid", std::to_string(info.pid));
  append_field(text, "program", info.program);
  append_field(text, "boot_id", info.boot_id);
  append_field(text, "since", info.since);
  // Older writers leave it out, and ask nobody for it.
  if (!info.settled_boot_id.empty()) append_field(text, settled_name, info.settled_boot_id);
  text.resize(lock_text_bytes, '\n');
  return text;
}

std::optional<LockInfo> parse_lock_text(std::string_view text) {
  if (text.size() != lock_text_bytes || !text.starts_with(title)) return std::nullopt;
  text.remove_prefix(title.size());
  const auto pid = take_field(text, "pid");
  const auto program = pid ? take_field(text, "program") : std::nullopt;
  const auto boot = program ? take_field(text, "boot_id") : std::nullopt;
  const auto since = boot ? take_field(text, "since") : std::nullopt;
  if (!since) return std::nullopt;
  LockInfo info;
  const auto parsed = std::from_chars(pid->data(), pid->data() + pid->size(), info.pid);
  if (parsed.ec != std::errc{} || parsed.ptr != pid->data() + pid->size()) return std::nullopt;
  info.program = *program;
  info.boot_id = *boot;
  info.since = *since;
  info.settled_boot_id = take_field(text, settled_name).value_or(std::string_view());
  return info;
}

}  // namespace seriatim::os
