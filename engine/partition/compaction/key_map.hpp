// Hash of a key -> the newest offset it has, in a fixed amount of memory: the first pass of compaction.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <seriatim/types.hpp>

#include "base/bytes.hpp"
#include "base/xxh3.hpp"

namespace seriatim::partition {

/// Open addressing over 24-byte slots: 16 bytes of XXH3-128 stand for the key, as 16 bytes of MD5 do in
/// Kafka. Two keys that collide would cost a record; with 10^9 keys the chance is below 10^-20.
/// Threads: one at a time.
class KeyMap {
 public:
  /// Memory for `keys` keys, as far as `bytes_max` allows.
  static std::uint64_t bytes_for(std::uint64_t keys, std::uint64_t bytes_max) noexcept;
  /// @param bytes  memory for slots; at least two slots are made.
  explicit KeyMap(std::uint64_t bytes);

  /// Notes that `key` has a record at `offset`, which is not below any noted before for it. False: the map is
  /// full and the key is not in it.
  bool put(base::ByteSpan key, Offset offset);
  /// The newest offset of `key`, -1 if it is not in the map.
  Offset newest(base::ByteSpan key) const noexcept;
  std::size_t size() const noexcept { return size_; }
  /// Entries it takes: 0.9 of the slots, Kafka's load factor.
  std::size_t capacity() const noexcept { return slots_.size() * 9 / 10; }

 private:
  struct Slot {
    base::Hash128 hash{};
    Offset offset = -1;  // -1: free
  };
  std::size_t find(const base::Hash128& hash) const noexcept;

  std::vector<Slot> slots_;
  std::size_t size_ = 0;
};

}  // namespace seriatim::partition
