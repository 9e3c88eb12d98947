#include "flow/route/route_headers.hpp"

#include <charconv>

namespace seriatim::flow {
namespace {

bool is_of_router(std::string_view name) {
  return name == routing_key_header || name == priority_header || name == expires_header;
}

}  // namespace

RouteHeaders::RouteHeaders(const RoutedMessage& message, Timestamp expires) {
  for (const HeaderView& header : message.record.headers) {
    if (!is_of_router(header.key)) add(header);
  }
  add({routing_key_header, message.routing_key});
  if (message.priority != 0) add({priority_header, text_of(message.priority, priority_)});
  if (expires != no_timestamp) add({expires_header, text_of(expires.time_since_epoch().count(), expires_)});
}

Timestamp RouteHeaders::expires_at(Timestamp now, std::chrono::milliseconds ttl) noexcept {
  return ttl > Timestamp::max() - now ? no_timestamp : now + ttl;
}

std::string_view RouteHeaders::text_of(std::int64_t number, NumberText& text) noexcept {
  const auto written = std::to_chars(text.data(), text.data() + text.size(), number);
  return {text.data(), static_cast<std::size_t>(written.ptr - text.data())};
}

void RouteHeaders::add(const HeaderView& header) {
  if (!many_.empty() || count_ == few_.size()) {
    if (many_.empty()) many_.assign(few_.begin(), few_.end());
    many_.push_back(header);
  } else {
    few_[count_++] = header;
  }
}

}  // namespace seriatim::flow
