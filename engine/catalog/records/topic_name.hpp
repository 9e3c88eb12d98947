// The names that topics, groups, producers and states may have, and how large a state's keys and values may
// be.
#pragma once

#include <string_view>

#include <seriatim/result.hpp>

#include "base/bytes.hpp"

namespace seriatim::catalog {

/// Kafka's rule: 1 to 249 of [A-Za-z0-9._-], not "." or "..". The name becomes part of a directory's name.
/// Errors: invalid_topic.
Result<void> check_topic_name(std::string_view name);

/// 1 to 255 bytes, none of them zero.
/// Errors: invalid_argument.
Result<void> check_group_name(std::string_view name);
/// As a group's name.
Result<void> check_producer_name(std::string_view name);
/// As a group's name.
Result<void> check_transactional_id(std::string_view id);
/// The error of a producer or transactional id (`what`) of that name whose numbers are negative.
Error negative_producer_number(std::string_view what, std::string_view name);

/// 1 to 100 bytes, none of them zero.
/// Errors: invalid_argument.
Result<void> check_state_name(std::string_view name);
/// 1 to 400 bytes, whatever they are.
/// Errors: invalid_argument.
Result<void> check_state_key(base::ByteSpan key);
/// At most 1 MiB.
/// Errors: invalid_argument.
Result<void> check_state_value(base::ByteSpan value);

}  // namespace seriatim::catalog
