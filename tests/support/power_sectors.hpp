// The bytes of one file after a power cut: any of its changed sectors old or new.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "support/random.hpp"

namespace seriatim::test {

/// How a disk writes: each of these is old or new after a power cut.
inline constexpr std::size_t power_sector_bytes = 512;

/// The kind of one power cut. The extremes come often, because they show a missing sync.
struct PowerChoice {
  enum class Names { none, all, prefix, each };
  enum class Bytes { none, all, all_but_last_sector, length_only, front, back, each };

  explicit PowerChoice(Random& random) {
    constexpr Names of_names[] = {Names::none, Names::all, Names::prefix, Names::each};
    constexpr Bytes of_bytes[] = {Bytes::none,        Bytes::all,   Bytes::all_but_last_sector,
                                  Bytes::length_only, Bytes::front, Bytes::back,
                                  Bytes::each,        Bytes::each};
    names = of_names[random.between(0, 3)];
    bytes = of_bytes[random.between(0, 7)];
    is_mixed = random.one_in(3);
  }

  Names names = Names::none;
  Bytes bytes = Bytes::none;
  bool is_mixed = false;  ///< Files go their own ways.
};

struct PowerBytes {
  const std::vector<std::byte>& durable;
  std::vector<std::byte> live;
  bool is_mapped = false;
};

/// The number of bytes up to the last that is not zero.
inline std::size_t end_of_content(const std::vector<std::byte>& bytes) {
  std::size_t end = bytes.size();
  while (end >= sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + end - sizeof word, sizeof word);
    if (word != 0) break;
    end -= sizeof word;
  }
  while (end > 0 && bytes[end - 1] == std::byte{0}) --end;
  return end;
}

/// Starts of the sectors of [0, size) in which the two differ, what lies behind either's end being zeros.
inline std::vector<std::size_t> changed_sectors(const std::vector<std::byte>& a,
                                                const std::vector<std::byte>& b) {
  std::vector<std::size_t> changed;
  for (std::size_t at = 0; at < a.size(); at += power_sector_bytes) {
    const std::size_t count = std::min(power_sector_bytes, a.size() - at);
    if (std::memcmp(a.data() + at, b.data() + at, count) != 0) changed.push_back(at);
  }
  return changed;
}

/// The bytes of a file after a power cut, chosen by `random`.
inline std::vector<std::byte> surviving_bytes(PowerBytes file, PowerChoice choice, Random& random) {
  using Bytes = PowerChoice::Bytes;
  if (choice.is_mixed) choice = PowerChoice(random);
  if (choice.bytes == Bytes::none) return file.durable;
  if (choice.bytes == Bytes::all) return std::move(file.live);
  // Both as long as the longer one: what a cut of the length took may be there again, and the other way
  // round.
  const std::size_t live_size = file.live.size();
  std::vector<std::byte> bytes = file.durable;
  const std::size_t longer = std::max(bytes.size(), live_size);
  const bool keeps_length = choice.bytes == Bytes::length_only || choice.bytes == Bytes::all_but_last_sector;
  const std::size_t size = keeps_length || random.one_in(2) ? live_size : bytes.size();
  bytes.resize(longer);
  file.live.resize(longer);
  const auto changed = changed_sectors(bytes, file.live);
  constexpr std::int64_t eighths[] = {1, 4, 7};
  const std::int64_t kept = eighths[random.between(0, 2)];
  // A hole and what lies behind it, or what comes before.
  const auto border = static_cast<std::size_t>(random.between(0, std::ssize(changed)));
  for (std::size_t i = 0; i < changed.size() && choice.bytes != Bytes::length_only; ++i) {
    bool is_new = i + 1 < changed.size();
    if (choice.bytes == Bytes::each) is_new = random.between(1, 8) <= kept;
    if (choice.bytes == Bytes::front) is_new = i < border;
    if (choice.bytes == Bytes::back) is_new = i >= border;
    if (!is_new) continue;
    const std::size_t at = changed[i];
    std::size_t from = 0;
    std::size_t to = std::min(power_sector_bytes, longer - at);
    if (file.is_mapped && choice.bytes == Bytes::each && random.one_in(8)) {
      const auto torn = static_cast<std::size_t>(random.between(0, static_cast<std::int64_t>(to)));
      (random.one_in(2) ? from : to) = torn;
    }
    std::memcpy(bytes.data() + at + from, file.live.data() + at + from, to - from);
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace seriatim::test
