// Kafka's rule for topic names.
#pragma once

#include <cstddef>
#include <string_view>

#include <seriatim/result.hpp>

namespace seriatim::format {

inline constexpr std::size_t topic_name_bytes_max = 249;

/// Whether `name` is 1 to 249 characters of [A-Za-z0-9._-] and neither "." nor "..". Any thread.
bool is_topic_name(std::string_view name) noexcept;

/// The same with a reason.
/// Errors: invalid_topic: says which rule `name` breaks, and where.
Result<void> check_topic_name(std::string_view name);

}  // namespace seriatim::format
