#include "flow/delayed/delayed_ids.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <random>

namespace seriatim::flow {
namespace {

constexpr std::size_t due_digits = 12;
constexpr std::size_t own_digits = 10;
constexpr std::size_t number_digits = 10;
constexpr std::size_t made_id_digits = due_digits + own_digits + number_digits;
// Eight bytes of due time and an id are a key; a state's has 400 at most.
constexpr std::size_t id_bytes_max = 200;
constexpr std::int64_t due_ms_max = 253'402'300'799'999;  // The last of the year 9999.

void append_digits(std::string& to, std::uint64_t value, std::size_t digits) {
  for (std::size_t i = digits; i > 0; --i) to.push_back("0123456789abcdef"[value >> (4 * (i - 1)) & 0xFU]);
}

}  // namespace

DelayedIds::DelayedIds() {
  std::random_device random;
  append_digits(own_, std::uint64_t{random()} << 32U | random(), own_digits);
}

std::string DelayedIds::make(Timestamp due) {
  std::string id;
  id.reserve(made_id_digits);
  append_digits(id, static_cast<std::uint64_t>(due.time_since_epoch().count()), due_digits);
  id += own_;
  append_digits(id, next_.fetch_add(1, std::memory_order_relaxed), number_digits);
  return id;
}

std::optional<Timestamp> made_due(std::string_view id) {
  const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (id.size() != made_id_digits || !std::all_of(id.begin(), id.end(), is_digit)) return std::nullopt;
  std::int64_t ms = 0;
  std::from_chars(id.data(), id.data() + due_digits, ms, 16);
  return Timestamp{std::chrono::milliseconds{ms}};
}

Result<> check_delayed_id(std::string_view id) {
  if (!id.empty() && id.size() <= id_bytes_max) return {};
  return Error(Errc::invalid_argument, "the id of a delayed message has " + std::to_string(id.size()) +
                                           " bytes; it must have 1 to " + std::to_string(id_bytes_max));
}

Result<> check_due(Timestamp due) {
  const std::int64_t ms = due.time_since_epoch().count();
  if (ms >= 0 && ms <= due_ms_max) return {};
  return Error(Errc::invalid_argument, "a delayed message is due at " + std::to_string(ms) +
                                           " ms since 1970; it must be 0 to " + std::to_string(due_ms_max) +
                                           " (the year 9999)");
}

}  // namespace seriatim::flow
