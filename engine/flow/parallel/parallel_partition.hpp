// A partition while this member has it, and after that until its last record is out of all hands.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <seriatim/types.hpp>

#include "flow/parallel/offset_window.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {

struct ParallelPartition {
  ParallelPartition(TopicPartition of, OffsetWindow records, std::uint64_t unlike_others)
      : at(std::move(of)), window(std::move(records)), salt(unlike_others) {}

  const TopicPartition at;
  OffsetWindow window;                  ///< Behind the pool's mutex.
  std::size_t in_flight = 0;            ///< The same. Added to the pool, and neither finished nor dropped.
  const std::uint64_t salt;             ///< Keeps its orders apart from those of others.
  std::atomic<bool> is_dropped{false};  ///< Its records are not handled any more.

  // Of the thread that polls.
  bool is_paused = false;
  bool has_many_ranges = false;  ///< More would not fit into a commit.
  OffsetAndMetadata committed{.offset = -1};
};

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
