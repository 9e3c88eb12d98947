#include "flow/route/router_impl.hpp"

#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "flow/route/binding_rules.hpp"
#include "flow/route/route_headers.hpp"
#include "flow/route/route_memo.hpp"

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

Result<> send_all(Transaction& transaction, const std::string& router, const Record& record,
                  std::span<const HeaderView> headers, Routed& routed) {
  for (RoutedTo& to : routed.targets) {
    const auto sent = transaction.send(record_for(to.topic, record, headers));
    if (!sent) return in_topic(sent.error(), router, to.topic);
    to.record = *sent;
  }
  return {};
}

}  // namespace

Result<Router> RouterImpl::open(const Engine& engine, const RouterOptions& options, flow::RecipeClock clock) {
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

RouterImpl::RouterImpl(std::shared_ptr<flow::RouteBoard> board, flow::RecipeClock clock)
    : board_(std::move(board)), now_(std::move(clock)) {}

Result<Routed> RouterImpl::route(const RoutedMessage& message) const {
  if (auto checked = flow::check_message(message); !checked) return checked.error();
  Routed routed;
  for (const std::string_view topic : flow::RouteMemo::of_thread().topics_for(*board_, message))
    routed.targets.push_back({.topic = std::string(topic)});
  if (!routed.targets.empty()) return routed;
  const RouterOptions& options = board_->options();
  if (options.alternate_topic.empty()) return unroutable(options.name, message);
  routed.targets.push_back({.topic = options.alternate_topic});
  routed.is_alternate = true;
  return routed;
}

Result<Routed> RouterImpl::publish(const RoutedMessage& message) {
  auto routed = route(message);
  if (!routed) return routed;
  const flow::RouteHeaders headers(message, now_);
  const std::string& name = board_->options().name;
  if (routed->targets.size() == 1) {
    RoutedTo& to = *routed->targets.begin();
    const auto sent = board_->producer().send_sync(record_for(to.topic, message.record, headers.view()));
    if (!sent) return in_topic(sent.error(), name, to.topic);
    to.record = *sent;
    return routed;
  }
  auto committed = board_->transactions().run([&](Transaction& transaction) {
    auto sent = send_all(transaction, name, message.record, headers.view(), *routed);
    // A part of it may be in the log, and is never committed.
    return sent ? sent : Result<>(sent.error().with_outcome(Outcome::not_written));
  });
  if (!committed) return committed.error().with_context("router " + name);
  return routed;
}

Result<Routed> RouterImpl::publish(Transaction& transaction, const RoutedMessage& message) const {
  auto routed = route(message);
  if (!routed) return routed;
  const flow::RouteHeaders headers(message, now_);
  auto sent = send_all(transaction, board_->options().name, message.record, headers.view(), *routed);
  if (!sent) return sent.error();
  return routed;
}

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
