#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace seriatim::base {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t factor;
};

constexpr std::int64_t kib = 1024;
constexpr std::array size_units{Unit{"", 1},
                                Unit{"B", 1},
                                Unit{"KiB", kib},
                                Unit{"MiB", kib* kib},
                                Unit{"GiB", kib* kib* kib},
                                Unit{"TiB", kib* kib* kib* kib},
                                Unit{"K", kib},
                                Unit{"M", kib* kib},
                                Unit{"G", kib* kib* kib},
                                Unit{"T", kib* kib* kib* kib},
                                Unit{"KB", 1'000},
                                Unit{"MB", 1'000'000},
                                Unit{"GB", 1'000'000'000},
                                Unit{"TB", 1'000'000'000'000}};
constexpr std::array duration_units{Unit{"w", 604'800'000}, Unit{"d", 86'400'000}, Unit{"h", 3'600'000},
                                    Unit{"m", 60'000},      Unit{"s", 1'000},      Unit{"ms", 1}};

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

bool equal_in_any_case(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trim(std::string_view text) noexcept {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// Takes the number at the front of `text`; false if there is none, it has a sign or needs more than 63 bits.
bool take_number(std::string_view& text, std::int64_t& number) noexcept {
  if (text.empty() || !is_digit(text.front())) return false;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc{}) return false;
  text.remove_prefix(static_cast<std::size_t>(parsed.ptr - text.data()));
  return true;
}

std::int64_t size_factor(std::string_view unit) noexcept {
  for (const Unit& known : size_units) {
    if (equal_in_any_case(unit, known.name)) return known.factor;
  }
  return 0;
}

std::int64_t duration_factor(std::string_view unit) noexcept {
  for (const Unit& known : duration_units) {
    if (unit == known.name) return known.factor;
  }
  return 0;
}

Error not_a_size(std::string_view text) {
  return {Errc::invalid_argument,
          "\"" + std::string(text) +
              "\" is not a size. Write a whole number of bytes below 2^63, or one with a unit: "
              "4096, 64KiB, 1GB (B, KiB, MiB, GiB, TiB, KB, MB, GB, TB; K, M, G, T are binary)."};
}

Error not_a_duration(std::string_view text) {
  return {Errc::invalid_argument,
          "\"" + std::string(text) +
              "\" is not a duration. Write a whole number of milliseconds below 2^63, or numbers "
              "with units: 250, 250ms, 15m, 1h30m, 7d (ms, s, m, h, d, w)."};
}

// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`
// ("optimal string alignment").
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_previous(b.size() + 1);
  std::vector<std::size_t> previous(b.size() + 1);
  std::vector<std::size_t> current(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) previous[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    current[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool is_same = lower(a[i - 1]) == lower(b[j - 1]);
      current[j] = std::min({previous[j] + 1, current[j - 1] + 1, previous[j - 1] + (is_same ? 0 : 1)});
      const bool is_swap =
          i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]);
      if (is_swap) current[j] = std::min(current[j], before_previous[j - 2] + 1);
    }
    std::swap(before_previous, previous);
    std::swap(previous, current);
  }
  return previous[b.size()];
}

constexpr std::int64_t milliseconds_max = std::numeric_limits<std::int64_t>::max();

Error no_iso_duration(std::string_view text) {
  return {Errc::invalid_argument,
          "\"" + std::string(text) +
              "\" is no duration. Write P[nD]T[nH][nM][n.nS], as in PT15M or P1DT12H; or 15m, 1h30m"};
}

// Milliseconds of a unit behind P, and behind T; 0: there is none.
std::int64_t iso_unit_ms(char unit, bool is_time) {
  if (!is_time) return unit == 'W' ? 604'800'000 : unit == 'D' ? 86'400'000 : 0;
  return unit == 'H' ? 3'600'000 : unit == 'M' ? 60'000 : unit == 'S' ? 1'000 : 0;
}

// Thousandths of a number "12" or "12.3456"; digits beyond are cut off. Moves `text` behind it.
std::optional<std::int64_t> take_thousandths(std::string_view& text) {
  std::int64_t whole = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), whole);
  if (failure != std::errc() || whole < 0 || text.front() == '-') return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (whole > milliseconds_max / 1'000 - 1) return std::nullopt;
  std::int64_t thousandths = whole * 1'000;
  if (!text.starts_with('.') && !text.starts_with(',')) return thousandths;
  text.remove_prefix(1);
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  if (digits == 0) return std::nullopt;
  for (std::size_t i = 0, unit = 100; i < digits && unit > 0; ++i, unit /= 10)
    thousandths += (text[i] - '0') * static_cast<std::int64_t>(unit);
  text.remove_prefix(digits);
  return thousandths;
}

}  // namespace

Result<std::int64_t> parse_size(std::string_view text) {
  std::string_view rest = trim(text);
  std::int64_t number = 0;
  if (!take_number(rest, number)) return not_a_size(text);
  const std::int64_t factor = size_factor(trim(rest));
  std::int64_t bytes = 0;
  if (factor == 0 || __builtin_mul_overflow(number, factor, &bytes)) return not_a_size(text);
  return bytes;
}

Result<std::int64_t> parse_duration_ms(std::string_view text) {
  std::string_view rest = trim(text);
  std::int64_t number = 0;
  if (!take_number(rest, number)) return not_a_duration(text);
  if (rest.empty()) return number;
  std::int64_t sum_ms = 0;
  while (true) {
    rest = trim(rest);
    const auto unit_end =
        std::find_if(rest.begin(), rest.end(), [](char c) { return is_digit(c) || c == ' '; });
    const auto unit_bytes = static_cast<std::size_t>(unit_end - rest.begin());
    const std::int64_t factor = duration_factor(rest.substr(0, unit_bytes));
    std::int64_t part_ms = 0;
    if (factor == 0 || __builtin_mul_overflow(number, factor, &part_ms) ||
        __builtin_add_overflow(sum_ms, part_ms, &sum_ms)) {
      return not_a_duration(text);
    }
    rest = trim(rest.substr(unit_bytes));
    if (rest.empty()) return sum_ms;
    if (!take_number(rest, number)) return not_a_duration(text);
  }
}

Result<std::int64_t> parse_iso_duration_ms(std::string_view text) {
  if (!text.starts_with('P')) return no_iso_duration(text);
  std::string_view rest = text.substr(1);
  std::int64_t total = 0;
  bool is_time = false;
  bool has_part = false;
  while (!rest.empty()) {
    if (rest.front() == 'T' && !is_time) {
      is_time = true;
      has_part = false;
      rest.remove_prefix(1);
      continue;
    }
    const auto thousandths = take_thousandths(rest);
    const std::int64_t unit = !thousandths || rest.empty() ? 0 : iso_unit_ms(rest.front(), is_time);
    // Only seconds have a fraction.
    if (unit == 0 || (unit != 1'000 && *thousandths % 1'000 != 0)) return no_iso_duration(text);
    rest.remove_prefix(1);
    if (*thousandths / 1'000 > (milliseconds_max - total) / unit - 1) return no_iso_duration(text);
    total += unit == 1'000 ? *thousandths : *thousandths / 1'000 * unit;
    has_part = true;
  }
  return has_part ? Result<std::int64_t>(total) : Result<std::int64_t>(no_iso_duration(text));
}

std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates) {
  // Longer words than any name here are not misspelt names, and would cost their square.
  constexpr std::size_t word_bytes_max = 256;
  if (word.size() > word_bytes_max) return {};
  std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
  std::string_view best;
  for (const std::string_view candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance >= best_distance) continue;
    best_distance = distance;
    best = candidate;
  }
  return best;
}

}  // namespace seriatim::base
