// State in the catalog: values under a name and a key. Checkpoints change them (records/state_change.hpp).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <seriatim/result.hpp>

#include "base/bytes.hpp"
#include "catalog/catalog.hpp"

namespace seriatim::catalog {

/// Nothing if there is no such key.
/// Errors: as the catalog; invalid_argument (name or key as check_state_change).
Result<std::optional<std::vector<std::byte>>> state_value(const Catalog& catalog, std::string_view name,
                                                          base::ByteSpan key);
/// Keys with their values in byte order of the keys, from the first that is not below `from_key` (of any
/// length; empty: from the beginning), at most `limit`.
/// Errors: as the catalog; invalid_argument (name as check_state_change).
/// Cost: copies the values, up to 1 MiB each.
Result<std::vector<std::pair<std::vector<std::byte>, std::vector<std::byte>>>> scan_state(
    const Catalog& catalog, std::string_view name, base::ByteSpan from_key, std::size_t limit);
/// Names of all states with at least one key, sorted.
/// Errors: as the catalog.
Result<std::vector<std::string>> state_names(const Catalog& catalog);

}  // namespace seriatim::catalog
