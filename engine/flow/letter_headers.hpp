// The headers of dead letters. The first six are Kafka's, as share groups write them.
#pragma once

#include <string_view>

namespace seriatim::flow {

inline constexpr std::string_view dead_letter_prefix = "__dlq.errors.";
inline constexpr std::string_view letter_topic = "__dlq.errors.topic";
inline constexpr std::string_view letter_partition = "__dlq.errors.partition";
inline constexpr std::string_view letter_offset = "__dlq.errors.offset";
inline constexpr std::string_view letter_group = "__dlq.errors.group";
inline constexpr std::string_view letter_attempts = "__dlq.errors.delivery.count";
inline constexpr std::string_view letter_message = "__dlq.errors.message";
inline constexpr std::string_view letter_error_name = "__dlq.errors.name";
inline constexpr std::string_view letter_timestamp = "__dlq.errors.timestamp";
inline constexpr std::string_view letter_first_failure = "__dlq.errors.first.time";
inline constexpr std::string_view letter_time = "__dlq.errors.time";

}  // namespace seriatim::flow
