#include "text/quantity.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <optional>
#include <utility>

namespace seriatim::cli {
namespace {

std::optional<PartitionId> read_partition(std::string_view text) {
  PartitionId value = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped_at, failure] = std::from_chars(text.data(), end, value);
  if (failure != std::errc() || stopped_at != end || value < 0) return std::nullopt;
  return value;
}

// Kafka's and our own limit of partitions per topic keeps "0-2000000000" from eating the memory.
constexpr PartitionId partition_limit = 10'000;

Error not_a_partition_list(std::string_view text) {
  return {Errc::invalid_argument,
          "\"" + std::string(text) + "\" is no list of partitions. Write 0, or 0,2-5 (partitions 0 .. 9999)"};
}

std::optional<int> hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

// Reads the escape whose letter is at `at` and moves `at` to its last character.
std::optional<char> read_escape(std::string_view text, std::size_t& at) {
  switch (text[at]) {
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case 'r':
      return '\r';
    case '0':
      return '\0';
    case '\\':
      return '\\';
    case 'x':
      break;
    default:
      return std::nullopt;
  }
  if (at + 2 >= text.size()) return std::nullopt;
  const auto high = hex_digit(text[at + 1]);
  const auto low = hex_digit(text[at + 2]);
  if (!high || !low) return std::nullopt;
  at += 2;
  return static_cast<char>(*high * 16 + *low);
}

}  // namespace

Result<std::vector<PartitionId>> parse_partitions(std::string_view text) {
  std::vector<PartitionId> result;
  std::string_view rest = text;
  while (true) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    const std::string_view part = rest.substr(0, comma);
    const std::size_t dash = part.find('-');
    const auto first = read_partition(part.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : read_partition(part.substr(dash + 1));
    if (!first || !last || *last < *first || *last >= partition_limit) return not_a_partition_list(text);
    for (PartitionId partition = *first; partition <= *last; ++partition) result.push_back(partition);
    if (comma == rest.size()) break;
    rest.remove_prefix(comma + 1);
  }
  std::sort(result.begin(), result.end());
  result.erase(std::unique(result.begin(), result.end()), result.end());
  return result;
}

Result<std::string> parse_delimiter(std::string_view text) {
  std::string result;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\\') {
      result += text[at];
      continue;
    }
    const auto escaped = ++at < text.size() ? read_escape(text, at) : std::nullopt;
    if (!escaped) {
      return Error(
          Errc::invalid_argument,
          "\"" + std::string(text) + "\" has an unknown escape. Known are \\n \\t \\r \\0 \\\\ and \\xHH");
    }
    result += *escaped;
  }
  return result;
}

std::string count_of(std::uint64_t count, const std::string& noun, const std::string& plural) {
  if (count == 1) return "1 " + noun;
  return std::to_string(count) + " " + (plural.empty() ? noun + "s" : plural);
}

std::string fixed(double value, int digits) {
  std::array<char, 64> text{};
  const int length = std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return {text.data(), static_cast<std::size_t>(std::clamp(length, 0, static_cast<int>(text.size()) - 1))};
}

std::string readable_size(double bytes) {
  constexpr std::array<std::string_view, 5> units{"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  while (bytes >= 1024 && unit + 1 < units.size()) {
    bytes /= 1024;
    ++unit;
  }
  return fixed(bytes, unit == 0 ? 0 : 1) + " " + std::string(units[unit]);
}

std::string readable_duration(std::chrono::nanoseconds duration) {
  const double ns = static_cast<double>(duration.count());
  const auto digits = [](double value) { return value < 10 ? 1 : 0; };
  if (ns < 1e3) return fixed(ns, 0) + " ns";
  if (ns < 1e6) return fixed(ns / 1e3, digits(ns / 1e3)) + " us";
  if (ns < 1e9) return fixed(ns / 1e6, digits(ns / 1e6)) + " ms";
  if (ns < 120e9) return fixed(ns / 1e9, 1) + " s";
  if (ns < 7200e9) return fixed(ns / 60e9, 0) + " min";
  return fixed(ns / 3600e9, 1) + " h";
}

}  // namespace seriatim::cli
