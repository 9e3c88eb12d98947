#include "format/topic_name.hpp"

#include <algorithm>
#include <string>

namespace seriatim::format {
namespace {

// Not isalnum(): that depends on the locale of the embedding program.
bool is_allowed(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
         c == '-';
}

constexpr std::string_view rule =
    "; a topic name is 1 to 249 characters of A-Z a-z 0-9 . _ - and neither \".\" nor \"..\"";

Error refused(std::string what) { return {Errc::invalid_topic, what.append(rule)}; }

// Names come from anywhere: what is shown of them is short and printable.
std::string shown(std::string_view name) {
  constexpr std::size_t shown_max = 60;
  std::string text;
  for (const char c : name.substr(0, shown_max)) text += c >= ' ' && c <= '~' ? c : '?';
  return name.size() > shown_max ? text + "..." : text;
}

}  // namespace

bool is_topic_name(std::string_view name) noexcept {
  return !name.empty() && name.size() <= topic_name_bytes_max && name != "." && name != ".." &&
         std::all_of(name.begin(), name.end(), is_allowed);
}

Result<void> check_topic_name(std::string_view name) {
  if (is_topic_name(name)) return {};
  if (name.empty()) return refused("the topic name is empty");
  if (name.size() > topic_name_bytes_max) {
    return refused("topic name \"" + shown(name) + "\" has " + std::to_string(name.size()) + " characters");
  }
  if (name == "." || name == "..")
    return refused("topic name \"" + std::string(name) + "\" means a directory");
  const auto bad = std::find_if_not(name.begin(), name.end(), is_allowed);
  return refused("topic name \"" + shown(name) + "\" has a character that is not allowed at position " +
                 std::to_string(bad - name.begin()));
}

bool is_own_name(std::string_view name) noexcept { return name.starts_with("__"); }

Result<void> check_new_topic_name(std::string_view name) {
  if (auto legal = check_topic_name(name); !legal) return legal;
  if (!is_own_name(name)) return {};
  return Error(Errc::invalid_topic, "topic name \"" + shown(name) +
                                        "\" begins with \"__\": such names are kept for the engine's own "
                                        "topics; choose one that begins otherwise");
}

}  // namespace seriatim::format
