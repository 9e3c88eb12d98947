/// @file
/// `catch_up_estimate`: how long a reader needs until nothing is left, from samples of its lag.
#pragma once

#include <seriatim/language.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>

#include <seriatim/admin.hpp>
#include <seriatim/export.hpp>

namespace seriatim {
inline namespace v0 {

/// How far a reader is behind, at a moment.
struct LagSample {
  std::chrono::nanoseconds time{0};  ///< Of any clock that does not jump: only differences count.
  std::int64_t lag = 0;              ///< Offsets that are left to read, 0 or more.
  std::int64_t end = 0;              ///< The offset behind the last record; of several partitions, their sum.
};

/// The speed of a reader and of those who write, between two samples.
struct CatchUpEstimate {
  double consumed_per_second = 0;  ///< Offsets, 0 or more.
  double produced_per_second = 0;  ///< Offsets, 0 or more.
  /// Until nothing is left, if both go on so. 0: nothing is left. Nothing: never, or not within a century.
  std::optional<std::chrono::nanoseconds> time_left{};
};

/// Estimates from the first and the last of the samples.
/// @param samples  in the order of their times.
/// @return nothing, if there are not two of different times.
/// Threads: any.
SERIATIM_API std::optional<CatchUpEstimate> catch_up_estimate(std::span<const LagSample> samples) noexcept;

/// A sample of partitions together, as Admin::group_lag gives them. Of a group as a whole it is the right one
/// where all its partitions are read at the same time; a single partition that falls behind shows only in
/// samples of its own. Partitions that cannot be read do not count.
/// Threads: any.
SERIATIM_API LagSample lag_sample(std::span<const GroupLag> lags, std::chrono::nanoseconds time) noexcept;

}  // namespace v0
}  // namespace seriatim
