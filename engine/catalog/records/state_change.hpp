// Values of state tables: a kind of fact that checkpoints store.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <seriatim/result.hpp>

#include "base/bytes.hpp"
#include "catalog/records/table_writes.hpp"

namespace seriatim::catalog {

/// One change of a state.
struct StateChange {
  std::string name{};
  std::vector<std::byte> key{};
  std::optional<std::vector<std::byte>> value{};  ///< nothing: erased
};

/// Whether this change could be stored.
/// Errors: invalid_argument (name not 1..100 bytes, or with a zero byte; key not 1..400 bytes; value over
/// 1 MiB).
Result<void> check_state_change(const StateChange& change);

/// Adds a change, or leaves it out if check_state_change would refuse it.
/// @param value  nullptr: the key is erased.
void put_state_change(TableWrites& to, std::string_view name, base::ByteSpan key,
                      const std::vector<std::byte>* value);

}  // namespace seriatim::catalog
