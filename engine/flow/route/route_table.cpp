#include "flow/route/route_table.hpp"

#include <algorithm>

#include "flow/route/binding_rules.hpp"

namespace seriatim::flow {
namespace {

bool is_equal(BytesView bytes, const std::string& text) {
  return !bytes.is_null() && bytes.text() == std::string_view(text);
}

// Any of the headers that have the name may be it.
bool has_header(std::span<const HeaderView> headers,
                const std::pair<std::string, std::optional<std::string>>& wanted) {
  return std::any_of(headers.begin(), headers.end(), [&](const HeaderView& header) {
    return header.key == wanted.first && (!wanted.second || is_equal(header.value, *wanted.second));
  });
}

bool match_headers(const Binding& binding, std::span<const HeaderView> headers) {
  const auto is_there = [&](const auto& wanted) { return has_header(headers, wanted); };
  const auto& wanted = binding.headers;
  return binding.kind == BindingKind::headers_all ? std::all_of(wanted.begin(), wanted.end(), is_there)
                                                  : std::any_of(wanted.begin(), wanted.end(), is_there);
}

}  // namespace

RouteTable::RouteTable(std::vector<Binding> bindings) : bindings_(std::move(bindings)) {
  for (std::uint32_t i = 0; i < bindings_.size(); ++i) {
    const Binding& binding = bindings_[i];
    switch (binding.kind) {
      case BindingKind::exact:
        by_key_[binding.routing_key].push_back(i);
        break;
      case BindingKind::pattern:
        patterns_.add(binding.routing_key, i);
        break;
      case BindingKind::headers_all:
      case BindingKind::headers_any:
        by_headers_.push_back(i);
        break;
      case BindingKind::fan_out:
        always_.push_back(i);
        break;
    }
  }
}

void RouteTable::match(std::string_view routing_key, std::span<const HeaderView> headers,
                       std::vector<std::uint32_t>& found) const {
  found = always_;
  if (const auto exact = by_key_.find(routing_key); exact != by_key_.end())
    found.insert(found.end(), exact->second.begin(), exact->second.end());
  if (!patterns_.empty()) patterns_.match(routing_key, found);
  for (const std::uint32_t i : by_headers_) {
    if (match_headers(bindings_[i], headers)) found.push_back(i);
  }
}

std::vector<std::uint32_t> RouteTable::matching(std::string_view routing_key,
                                                std::span<const HeaderView> headers) const {
  std::vector<std::uint32_t> found;
  match(routing_key, headers, found);
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<std::string_view> RouteTable::topics_for(const RoutedMessage& message) const {
  std::vector<std::uint32_t> found;
  match(message.routing_key, message.record.headers, found);
  std::vector<std::string_view> topics;
  topics.reserve(found.size());
  for (const std::uint32_t i : found) topics.emplace_back(topic_at(bindings_[i], message.priority));
  std::sort(topics.begin(), topics.end());
  topics.erase(std::unique(topics.begin(), topics.end()), topics.end());
  return topics;
}

}  // namespace seriatim::flow
