// Bindings as values of a state. The bytes are in docs/data_directory.md.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <seriatim/error.hpp>
#include <seriatim/flow/router.hpp>
#include <seriatim/result.hpp>
#include <seriatim/state.hpp>
#include <seriatim/types.hpp>

namespace seriatim::flow {

/// "__route:NAME".
std::string route_state(std::string_view name);
/// The name of the router whose state it is; nullopt: it is another's.
std::optional<std::string> router_of_state(std::string_view state);

std::string binding_key(BindingId id);
std::string encode(const Binding& binding);

/// The key and the value of the row that keeps the next id.
std::string_view next_id_key();
std::string encode_next_id(BindingId next);

/// All rows of a router.
struct StoredBindings {
  std::vector<Binding> bindings{};  ///< By id.
  BindingId next_id = 1;
};
/// Errors: as State::scan; corrupt_metadata: a row is not one of `encode`, or breaks a rule of bindings.
Result<StoredBindings> read_bindings(const State& state);

}  // namespace seriatim::flow
