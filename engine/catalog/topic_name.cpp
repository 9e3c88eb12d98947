#include "catalog/topic_name.hpp"

#include <algorithm>
#include <string>

#include "catalog/catalog_schema.hpp"

namespace seriatim::catalog {
namespace {

constexpr std::size_t topic_name_bytes_max =
    249;  // Kafka's: leaves room for "-<partition>" and suffixes in 255

bool is_legal(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
         c == '-';
}

}  // namespace

Result<void> check_topic_name(std::string_view name) {
  const bool is_good = !name.empty() && name.size() <= topic_name_bytes_max && name != "." && name != ".." &&
                       std::all_of(name.begin(), name.end(), is_legal);
  if (is_good) return {};
  return Error(Errc::invalid_topic,
               "topic name " + printable_key(name) + " (" + std::to_string(name.size()) +
                   " bytes) is not legal; use 1 to 249 of A-Z a-z 0-9 . _ -, not \".\" or \"..\"");
}

Result<void> check_group_name(std::string_view name) {
  if (!name.empty() && name.size() <= group_name_bytes_max && name.find('\0') == std::string_view::npos)
    return {};
  return Error(Errc::invalid_argument, "group name " + printable_key(name) + " (" +
                                           std::to_string(name.size()) +
                                           " bytes) is not legal; use 1 to 255 bytes without a zero byte");
}

}  // namespace seriatim::catalog
