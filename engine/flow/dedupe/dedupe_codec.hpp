// Ids of a window as values of a state. The bytes are in docs/data_directory.md.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <seriatim/error.hpp>
#include <seriatim/types.hpp>

namespace seriatim::flow {

/// The place of an id in its window.
struct DedupeMark {
  std::uint64_t bucket = 0;  ///< The larger, the later it was recorded.
  Timestamp time{};
};

/// An id as it is stored.
struct DedupeRow {
  DedupeMark mark{};
  std::optional<std::string> result{};
};

/// The limits of a window as the last open set them.
struct DedupeLimits {
  std::chrono::milliseconds time{};
  std::uint64_t count = 0;
  bool operator==(const DedupeLimits&) const = default;
};

std::string encode(const DedupeMark& mark, BytesView result);
/// nullopt: these are no bytes of `encode`.
std::optional<DedupeRow> decode_dedupe_row(const std::vector<std::byte>& bytes);
std::string encode(const DedupeLimits& limits);
std::optional<DedupeLimits> decode_dedupe_limits(const std::vector<std::byte>& bytes);

/// The states of a name: "__dedupe:NAME", by id; "__dedupe_window:NAME", with one key.
std::string dedupe_state(std::string_view name);
std::string dedupe_window_state(std::string_view name);
inline constexpr std::string_view dedupe_window_key = "window";
Error unreadable_dedupe(std::string_view state, std::string_view key);

}  // namespace seriatim::flow
