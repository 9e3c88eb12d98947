#include "flow/route/binding_rules.hpp"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

namespace seriatim::flow {
namespace {

constexpr std::size_t router_name_bytes_max = 80;
constexpr std::size_t topic_name_bytes_max = 249;
constexpr std::size_t binding_headers_max = 64;
constexpr std::size_t header_name_bytes_max = 255;
// Of all names and values of one binding. Arbitrary; a transaction takes many such changes.
constexpr std::size_t binding_header_bytes_max = std::size_t{32} << 10;

bool is_by_headers(BindingKind kind) {
  return kind == BindingKind::headers_all || kind == BindingKind::headers_any;
}
bool is_by_key(BindingKind kind) { return kind == BindingKind::exact || kind == BindingKind::pattern; }

Error refused_binding(const Binding& binding, const std::string& reason) {
  return {Errc::invalid_argument, "the binding to topic \"" + binding.topic + "\": " + reason};
}

Result<> check_topic(const Binding& binding, const std::string& topic) {
  if (!topic.empty() && topic.size() <= topic_name_bytes_max) return {};
  return refused_binding(binding, "a topic's name has " + std::to_string(topic.size()) +
                                      " bytes; it must be 1 to " + std::to_string(topic_name_bytes_max));
}

Result<> check_binding_headers(const Binding& binding) {
  if (!is_by_headers(binding.kind)) {
    if (binding.headers.empty()) return {};
    return refused_binding(binding,
                           "it names headers; set its kind to headers_all or headers_any, or name none");
  }
  if (binding.headers.empty() || binding.headers.size() > binding_headers_max) {
    return refused_binding(binding, "it names " + std::to_string(binding.headers.size()) +
                                        " headers; it must be 1 to " + std::to_string(binding_headers_max) +
                                        ". To match every message, use fan_out");
  }
  std::size_t bytes = 0;
  for (const auto& [name, value] : binding.headers) {
    if (name.empty() || name.size() > header_name_bytes_max) {
      return refused_binding(binding, "a header's name has " + std::to_string(name.size()) +
                                          " bytes; it must be 1 to " + std::to_string(header_name_bytes_max));
    }
    bytes += name.size() + (value ? value->size() : 0);
  }
  if (bytes <= binding_header_bytes_max) return {};
  return refused_binding(binding, "its headers have " + std::to_string(bytes) + " bytes; " +
                                      std::to_string(binding_header_bytes_max) + " are the most");
}

Result<> check_routing_key(std::string_view key) {
  if (key.size() <= routing_key_bytes_max) return {};
  return Error(Errc::invalid_argument, "the routing key has " + std::to_string(key.size()) + " bytes; " +
                                           std::to_string(routing_key_bytes_max) + " are the most");
}

}  // namespace

std::vector<std::string_view> words_of(std::string_view key) {
  std::vector<std::string_view> words;
  if (key.empty()) return words;
  for (;;) {
    const std::size_t dot = key.find('.');
    words.push_back(key.substr(0, dot));
    if (dot == std::string_view::npos) return words;
    key.remove_prefix(dot + 1);
  }
}

Result<> check_binding(const Binding& binding) {
  if (auto checked = check_topic(binding, binding.topic); !checked) return checked;
  for (const auto& lane : binding.priority_topics) {
    if (auto checked = check_topic(binding, lane.second); !checked) return checked;
  }
  if (binding.kind > BindingKind::fan_out) {
    return refused_binding(binding, "its kind is " + std::to_string(static_cast<int>(binding.kind)) +
                                        "; it must be exact (0) to fan_out (4)");
  }
  if (!is_by_key(binding.kind) && !binding.routing_key.empty()) {
    return refused_binding(binding,
                           "it has a routing key; set its kind to exact or pattern, or leave the key empty");
  }
  if (auto checked = check_routing_key(binding.routing_key); !checked)
    return refused_binding(binding, checked.error().message());
  return check_binding_headers(binding);
}

Result<> check_message(const RoutedMessage& message) {
  if (auto checked = check_routing_key(message.routing_key); !checked) return checked;
  if (!message.ttl || message.ttl->count() >= 0) return {};
  return Error(Errc::invalid_argument, "RoutedMessage::ttl is " + std::to_string(message.ttl->count()) +
                                           " ms; it must be 0 ms or more");
}

Result<> check_router_name(std::string_view name) {
  if (!name.empty() && name.size() <= router_name_bytes_max && name.find('\0') == std::string_view::npos)
    return {};
  return Error(Errc::invalid_argument, "the name of a router has " + std::to_string(name.size()) +
                                           " bytes; it must be 1 to " +
                                           std::to_string(router_name_bytes_max) +
                                           ", none of them zero, the same after every restart");
}

Binding normalised(Binding binding) {
  std::sort(binding.headers.begin(), binding.headers.end());
  binding.headers.erase(std::unique(binding.headers.begin(), binding.headers.end()), binding.headers.end());
  return binding;
}

const std::string& topic_at(const Binding& binding, std::uint8_t priority) {
  const auto above = binding.priority_topics.upper_bound(priority);
  return above == binding.priority_topics.begin() ? binding.topic : std::prev(above)->second;
}

std::vector<std::string_view> topics_of(const Binding& binding) {
  std::vector<std::string_view> topics{binding.topic};
  for (const auto& lane : binding.priority_topics) topics.emplace_back(lane.second);
  return topics;
}

}  // namespace seriatim::flow
