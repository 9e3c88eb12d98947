#include "catalog/records/state_change.hpp"

#include <utility>

#include "catalog/records/catalog_schema.hpp"
#include "catalog/records/topic_name.hpp"

namespace seriatim::catalog {
namespace {

Result<void> check_change(std::string_view name, base::ByteSpan key, const std::vector<std::byte>* value) {
  if (Result<void> named = check_state_name(name); !named) return named;
  if (Result<void> keyed = check_state_key(key); !keyed) return keyed;
  if (value == nullptr) return {};
  Result<void> sized = check_state_value(*value);
  if (sized) return sized;
  return sized.error().with_context("state " + printable_key(name) + ", key " +
                                    printable_key(base::as_text(key)));
}

}  // namespace

Result<void> check_state_change(const StateChange& change) {
  return check_change(change.name, change.key, change.value ? &*change.value : nullptr);
}

void put_state_change(TableWrites& to, std::string_view name, base::ByteSpan key,
                      const std::vector<std::byte>* value) {
  if (auto checked = check_change(name, key, value); !checked)
    return to.leave_out("a key of state " + printable_key(name), checked.error());
  std::string stored_key = state_key(name, base::as_text(key));
  if (value == nullptr) return to.erase(Database::state, std::move(stored_key));
  to.put(Database::state, std::move(stored_key), base::as_text(*value));
}

}  // namespace seriatim::catalog
