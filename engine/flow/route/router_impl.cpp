#include "flow/route/router_impl.hpp"

#include <chrono>
#include <string>
#include <utility>

#include "flow/route/binding_rules.hpp"
#include "flow/route/route_headers.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {
namespace {

ProducerRecord record_for(std::string_view topic, const Record& record, std::span<const HeaderView> headers) {
  return {.topic = topic,
          .key = record.key,
          .value = record.value,
          .timestamp = record.timestamp,
          .headers = headers};
}

Error unroutable(const std::string& router, const RoutedMessage& message) {
  return {Errc::not_found, "no binding of router " + router + " matches the routing key \"" +
                               std::string(message.routing_key) +
                               "\" and the headers of the message, and there is no alternate topic; nothing "
                               "was appended. `seriatim route test` shows what matches"};
}

Error in_topic(const Error& error, const std::string& router, std::string_view topic) {
  std::string context = "routing by ";
  context.append(router).append(" to topic ").append(topic);
  return error.with_context(context);
}

}  // namespace

Timestamp route_time_ms() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

Result<Router> RouterImpl::open(const Engine& engine, const RouterOptions& options, RouteClock clock) {
  if (auto checked = flow::check_router_name(options.name); !checked) return checked.error();
  if (options.acks != Acks::all && options.acks != Acks::leader) {
    return Error(Errc::invalid_argument, "RouterOptions::acks is " +
                                             std::to_string(static_cast<int>(options.acks)) +
                                             "; it must be all (-1) or leader (1)");
  }
  auto board = flow::RouteBoard::of(engine, options);
  if (!board) return board.error();
  return Router(std::make_shared<RouterImpl>(*std::move(board), std::move(clock)));
}

RouterImpl::RouterImpl(std::shared_ptr<flow::RouteBoard> board, RouteClock clock)
    : board_(std::move(board)), now_(std::move(clock)) {}

Result<RouterImpl::Targets> RouterImpl::targets_of(const RoutedMessage& message) const {
  if (auto checked = flow::check_message(message); !checked) return checked.error();
  Targets targets{.table = board_->table()};
  targets.topics = targets.table->topics_for(message);
  if (!targets.topics.empty()) return targets;
  const RouterOptions& options = board_->options();
  if (options.alternate_topic.empty()) return unroutable(options.name, message);
  targets.topics.emplace_back(options.alternate_topic);
  targets.is_alternate = true;
  return targets;
}

Result<Routed> RouterImpl::publish(const RoutedMessage& message) {
  auto targets = targets_of(message);
  if (!targets) return targets.error();
  const flow::RouteHeaders headers(message, now_);
  const std::string& name = board_->options().name;
  Routed routed{.is_alternate = targets->is_alternate};
  routed.targets.reserve(targets->topics.size());
  for (const std::string_view topic : targets->topics)
    routed.targets.push_back({.topic = std::string(topic)});
  if (routed.targets.size() == 1) {
    RoutedTo& to = routed.targets.front();
    const auto sent = board_->producer().send_sync(record_for(to.topic, message.record, headers.view()));
    if (!sent) return in_topic(sent.error(), name, to.topic);
    to.record = *sent;
    return routed;
  }
  auto committed = board_->transactions().run([&](Transaction& transaction) -> Result<> {
    for (RoutedTo& to : routed.targets) {
      const auto sent = transaction.send(record_for(to.topic, message.record, headers.view()));
      if (!sent) return in_topic(sent.error(), name, to.topic).with_outcome(Outcome::not_written);
      to.record = *sent;
    }
    return {};
  });
  if (!committed) return committed.error().with_context("router " + name);
  return routed;
}

Result<Routed> RouterImpl::publish(Transaction& transaction, const RoutedMessage& message) const {
  auto targets = targets_of(message);
  if (!targets) return targets.error();
  const flow::RouteHeaders headers(message, now_);
  Routed routed{.is_alternate = targets->is_alternate};
  routed.targets.reserve(targets->topics.size());
  for (const std::string_view topic : targets->topics) {
    const auto sent = transaction.send(record_for(topic, message.record, headers.view()));
    if (!sent) return in_topic(sent.error(), board_->options().name, topic);
    routed.targets.push_back({.topic = std::string(topic), .record = *sent});
  }
  return routed;
}

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
