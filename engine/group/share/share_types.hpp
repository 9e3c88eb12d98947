// The records of one partition as a share group knows them: runs of offsets that were delivered alike.
#pragma once

#include <cstdint>
#include <vector>

#include <seriatim/types.hpp>

namespace seriatim::group {

/// The numbers are Kafka's. `archiving` is never stored: a death is stored with its letter.
enum class DeliveryState : std::uint8_t {
  available = 0,     ///< To be delivered, perhaps again.
  acquired = 1,      ///< A member has it, until its lock runs out.
  acknowledged = 2,  ///< Accepted: done.
  archiving = 3,     ///< Its death is decided, its letter is being written.
  archived = 4,      ///< Rejected, or delivered too often: done.
};
constexpr bool is_finished(DeliveryState state) noexcept {
  return state == DeliveryState::acknowledged || state == DeliveryState::archived;
}

/// How a member answers for a record. The numbers are Kafka's.
enum class Acknowledging : std::uint8_t { accept = 1, release = 2, reject = 3, renew = 4 };

/// Offsets from `first` to `last`, both included.
struct OffsetRun {
  Offset first = 0;
  Offset last = 0;
  bool operator==(const OffsetRun&) const = default;
};

/// The part of a run that lasts.
struct DeliveredRun {
  OffsetRun offsets{};
  DeliveryState state = DeliveryState::available;
  std::int16_t delivery_count = 0;  ///< Deliveries so far, the one under way included.
  bool operator==(const DeliveredRun&) const = default;
};

/// Of one partition, as it is stored: below `start_offset` everything is done, from behind the last run on
/// nothing was delivered, and between two runs what is missing is available and was never delivered.
struct DeliveryProgress {
  Offset start_offset = 0;
  std::vector<DeliveredRun> runs{};  ///< Ascending, without overlap.
  bool operator==(const DeliveryProgress&) const = default;
};

}  // namespace seriatim::group
