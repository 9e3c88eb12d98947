// `Router`: the handle, and lists.
#include <seriatim/flow/router.hpp>

#include <utility>

#include <seriatim/admin.hpp>
#include <seriatim/exception.hpp>

#include "flow/route/binding_codec.hpp"
#include "flow/route/binding_rules.hpp"
#include "flow/route/route_table.hpp"
#include "flow/route/router_impl.hpp"

namespace seriatim {
inline namespace v0 {
namespace {

Error router_moved_from() {
  return {Errc::closed, "this Router was moved from; use the one it was moved to"};
}

}  // namespace

Router::Router(std::shared_ptr<detail::RouterImpl> impl) noexcept : impl_(std::move(impl)) {}
Router::Router(Router&&) noexcept = default;
Router& Router::operator=(Router&&) noexcept = default;
Router::~Router() = default;

Result<Router> Router::open(const Engine& engine, const RouterOptions& options) try {
  return detail::RouterImpl::open(engine, options);
} catch (...) {
  return current_error();
}

Result<BindingId> Router::bind(Binding binding) try {
  if (!impl_) return router_moved_from();
  BindingChange change;
  change.bind.push_back(std::move(binding));
  const auto ids = impl_->board().change(change);
  if (!ids) return ids.error();
  return ids->front();
} catch (...) {
  return current_error();
}
Result<> Router::unbind(BindingId id) try {
  if (!impl_) return router_moved_from();
  const auto changed = impl_->board().change({.unbind = {id}});
  if (!changed) return changed.error();
  return {};
} catch (...) {
  return current_error();
}
Result<std::vector<BindingId>> Router::change(const BindingChange& change) try {
  if (!impl_) return router_moved_from();
  return impl_->board().change(change);
} catch (...) {
  return current_error();
}
Result<std::vector<Binding>> Router::bindings() const try {
  if (!impl_) return router_moved_from();
  return impl_->board().bindings();
} catch (...) {
  return current_error();
}
Result<Routed> Router::publish(const RoutedMessage& message) try {
  if (!impl_) return router_moved_from();
  return impl_->publish(message);
} catch (...) {
  return current_error();
}
Result<Routed> Router::publish(Transaction& transaction, const RoutedMessage& message) const try {
  if (!impl_) return router_moved_from();
  return std::as_const(*impl_).publish(transaction, message);
} catch (...) {
  return current_error();
}

Result<std::vector<Binding>> matching_bindings(std::span<const Binding> bindings,
                                               const RoutedMessage& message) try {
  if (auto checked = flow::check_message(message); !checked) return checked.error();
  for (const Binding& binding : bindings) {
    if (auto checked = flow::check_binding(binding); !checked) return checked.error();
  }
  const flow::RouteTable table({bindings.begin(), bindings.end()});
  std::vector<Binding> found;
  for (const std::uint32_t i : table.matching(message.routing_key, message.record.headers))
    found.push_back(bindings[i]);
  return found;
} catch (...) {
  return current_error();
}

Result<std::vector<Binding>> list_bindings(const Engine& engine, std::string_view name) try {
  if (auto checked = flow::check_router_name(name); !checked) return checked.error();
  const auto state = engine.state(flow::route_state(name));
  if (!state) return state.error();
  auto stored = flow::read_bindings(*state);
  if (!stored) return stored.error();
  return std::move(stored->bindings);
} catch (...) {
  return current_error();
}

Result<std::vector<std::string>> list_routers(const Engine& engine) try {
  const auto states = engine.admin().list_states();
  if (!states) return states.error();
  std::vector<std::string> names;
  for (const std::string& state : *states) {
    if (auto name = flow::router_of_state(state)) names.push_back(*std::move(name));
  }
  return names;
} catch (...) {
  return current_error();
}

}  // namespace v0
}  // namespace seriatim
