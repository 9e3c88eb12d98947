#include "catalog/records/topic_name.hpp"

#include <algorithm>
#include <string>

#include "catalog/records/catalog_schema.hpp"

namespace seriatim::catalog {
namespace {

constexpr std::size_t topic_name_bytes_max =
    249;  // Kafka's: leaves room for "-<partition>" and suffixes in 255

bool is_legal(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
         c == '-';
}

// Without a zero byte, because one ends the name where it is part of a key.
Result<void> check_plain_name(std::string_view what, std::string_view name, std::size_t bytes_max) {
  if (!name.empty() && name.size() <= bytes_max && name.find('\0') == std::string_view::npos) return {};
  return Error(Errc::invalid_argument, std::string(what) + " " + printable_key(name) + " (" +
                                           std::to_string(name.size()) + " bytes) is not legal; use 1 to " +
                                           std::to_string(bytes_max) + " bytes without a zero byte");
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
  return check_plain_name("group name", name, group_name_bytes_max);
}

Result<void> check_producer_name(std::string_view name) {
  return check_plain_name("producer name", name, producer_name_bytes_max);
}

Result<void> check_transactional_id(std::string_view id) {
  return check_plain_name("transactional id", id, transactional_id_bytes_max);
}

Error negative_producer_number(std::string_view what, std::string_view name) {
  return {Errc::invalid_argument,
          std::string(what) + " " + printable_key(name) +
              ": its producer id, epoch or timeout is negative; give numbers from 0 on"};
}

Result<void> check_state_name(std::string_view name) {
  return check_plain_name("state name", name, state_name_bytes_max);
}

Result<void> check_state_key(base::ByteSpan key) {
  if (!key.empty() && key.size() <= state_key_bytes_max) return {};
  return Error(Errc::invalid_argument,
               "state key " + printable_key(base::as_text(key)) + " (" + std::to_string(key.size()) +
                   " bytes) is not legal; use 1 to 400 bytes, for example a hash of what is longer");
}

Result<void> check_state_value(base::ByteSpan value) {
  if (value.size() <= state_value_bytes_max) return {};
  return Error(
      Errc::invalid_argument,
      "a state value of " + std::to_string(value.size()) +
          " bytes is too large; store at most 1048576 bytes under a key, or divide it among several");
}

}  // namespace seriatim::catalog
