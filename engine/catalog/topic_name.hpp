// What a topic and a group may be called.
#pragma once

#include <string_view>

#include <seriatim/result.hpp>

namespace seriatim::catalog {

/// Kafka's rule: 1 to 249 of [A-Za-z0-9._-], not "." or "..". The name becomes part of a directory's name.
/// Errors: invalid_topic.
Result<void> check_topic_name(std::string_view name);

/// 1 to 255 bytes, none of them zero.
/// Errors: invalid_argument.
Result<void> check_group_name(std::string_view name);

}  // namespace seriatim::catalog
