// The rules that bindings and messages of a router have to keep, and the words of a routing key.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <seriatim/flow/router.hpp>
#include <seriatim/result.hpp>

namespace seriatim::flow {

/// RabbitMQ's limit of a routing key.
inline constexpr std::size_t routing_key_bytes_max = 255;

/// Between the dots; a key of no bytes has no words, as RabbitMQ has it.
std::vector<std::string_view> words_of(std::string_view key);

/// Ranges, and that nothing is set that its kind does not use. Does not ask for topics.
/// Errors: invalid_argument.
Result<> check_binding(const Binding& binding);
/// Errors: invalid_argument.
Result<> check_message(const RoutedMessage& message);
/// Errors: invalid_argument.
Result<> check_router_name(std::string_view name);

/// As it is stored: with its headers in order, so that two that say the same have the same bytes.
Binding normalised(Binding binding);

/// The topic that takes messages of a priority.
const std::string& topic_at(const Binding& binding, std::uint8_t priority);
/// Every topic that the binding may send to.
std::vector<std::string_view> topics_of(const Binding& binding);

}  // namespace seriatim::flow
