// `State`: reading the state tables.
#include <seriatim/state.hpp>

#include <utility>

#include <seriatim/exception.hpp>

#include "base/moved_from.hpp"
#include "directory/engine_impl.hpp"

namespace seriatim {
inline namespace v0 {

Result<std::optional<std::vector<std::byte>>> State::get(BytesView key) const try {
  if (!engine_) return base::moved_from("State");
  if (auto usable = engine_->check_usable(); !usable) return usable.error();
  return engine_->state_tables.value(name_, key.bytes());
} catch (...) {
  return current_error();
}

Result<std::vector<StateEntry>> State::scan(BytesView from_key, std::size_t limit) const try {
  if (!engine_) return base::moved_from("State");
  if (auto usable = engine_->check_usable(); !usable) return usable.error();
  return engine_->state_tables.scan(name_, from_key.bytes(), limit);
} catch (...) {
  return current_error();
}

Result<State> Engine::state(std::string_view name) const try {
  if (!impl_) return base::moved_from("Engine");
  if (auto usable = impl_->check_usable(); !usable) return usable.error();
  // Any key will do: the name is what is checked.
  if (auto checked = catalog::check_state_change({.name = std::string(name), .key = {std::byte{0}}});
      !checked)
    return checked.error();
  return State(impl_, std::string(name));
} catch (...) {
  return current_error();
}

}  // namespace v0
}  // namespace seriatim
