// When a failed record is handled again.
#pragma once

#include <chrono>
#include <cstdint>

#include <seriatim/flow/retry_consumer.hpp>
#include <seriatim/result.hpp>

namespace seriatim::flow {

/// Errors: invalid_argument: a member is out of its range.
Result<> check_policy(const RetryPolicy& policy);

/// The wait behind an attempt.
/// @param policy   in its ranges.
/// @param attempt  from 1 on.
/// @param seed     decides on the jitter.
std::chrono::milliseconds retry_delay(const RetryPolicy& policy, std::uint32_t attempt, std::uint64_t seed);

}  // namespace seriatim::flow
