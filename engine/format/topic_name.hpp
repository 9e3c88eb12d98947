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

/// Whether a name of a topic or a state table is one that only the engine itself gives: it begins with "__",
/// as in Kafka.
bool is_own_name(std::string_view name) noexcept;

/// Whether an application may create a topic of this name.
/// Errors: invalid_topic: as `check_topic_name`, or the name is the engine's.
Result<void> check_new_topic_name(std::string_view name);

}  // namespace seriatim::format
