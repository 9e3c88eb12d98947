#include "catalog/stored_state.hpp"

#include <utility>

#include "catalog/lmdb/lmdb_env.hpp"
#include "catalog/record_store.hpp"
#include "catalog/records/catalog_schema.hpp"
#include "catalog/records/topic_name.hpp"

namespace seriatim::catalog {
namespace {

using Bytes = std::vector<std::byte>;

// A state's value has no form of its own but its size.
Result<Bytes> decode_state_value(base::ByteSpan payload) {
  if (payload.size() <= state_value_bytes_max) return Bytes(payload.begin(), payload.end());
  return Error(Errc::corrupt_metadata, "catalog: a state's value of " + std::to_string(payload.size()) +
                                           " bytes is larger than any that was stored; restore the catalog "
                                           "from a backup");
}

Error stray_state_key(const ReadTransaction& in, std::string_view key) {
  return {Errc::corrupt_metadata, "catalog " + in.directory() + ", database \"state\", key " +
                                      printable_key(key) +
                                      ": it has no name and key in it; restore the catalog from a backup"};
}

}  // namespace

Result<std::optional<Bytes>> state_value(const Catalog& catalog, std::string_view name, base::ByteSpan key) {
  if (Result<void> named = check_state_name(name); !named) return named.error();
  if (Result<void> keyed = check_state_key(key); !keyed) return keyed.error();
  const std::string stored_key = state_key(name, base::as_text(key));
  std::optional<Bytes> value;
  Result<void> read = catalog.read([&](const ReadTransaction& in) -> Result<void> {
    Result<std::optional<Bytes>> found = get_record(in, Database::state, stored_key, decode_state_value);
    if (!found) return std::move(found).error();
    value = std::move(*found);
    return {};
  });
  if (!read) return std::move(read).error();
  return value;
}

Result<std::vector<std::pair<Bytes, Bytes>>> scan_state(const Catalog& catalog, std::string_view name,
                                                        base::ByteSpan from_key, std::size_t limit) {
  if (Result<void> named = check_state_name(name); !named) return named.error();
  std::vector<std::pair<Bytes, Bytes>> found;
  if (limit == 0) return found;
  const std::string prefix = state_prefix(name);
  const std::string from = state_key(name, base::as_text(from_key));
  Result<void> read = catalog.read([&](const ReadTransaction& in) {
    found.clear();
    return in.scan(Database::state, from, [&](std::string_view key, base::ByteSpan value) -> Result<bool> {
      if (!key.starts_with(prefix)) return false;
      Result<Bytes> bytes = parse_record(in, Database::state, key, value, decode_state_value);
      if (!bytes) return std::move(bytes).error();
      const base::ByteSpan own_key = base::as_bytes(key.substr(prefix.size()));
      found.emplace_back(Bytes(own_key.begin(), own_key.end()), std::move(*bytes));
      return found.size() < limit;
    });
  });
  if (!read) return std::move(read).error();
  return found;
}

Result<std::vector<std::string>> state_names(const Catalog& catalog) {
  std::vector<std::string> names;
  Result<void> read = catalog.read([&](const ReadTransaction& in) -> Result<void> {
    names.clear();
    std::string from;
    // One look per name: from its first key straight to the first key after its last.
    for (bool is_more = true; is_more;) {
      is_more = false;
      Result<void> scanned =
          in.scan(Database::state, from, [&](std::string_view key, base::ByteSpan) -> Result<bool> {
            StateKey parts;
            if (!split_state_key(key, parts)) return stray_state_key(in, key);
            names.emplace_back(parts.name);
            is_more = true;
            return false;
          });
      if (!scanned) return scanned;
      if (is_more) from = after_state(names.back());
    }
    return {};
  });
  if (!read) return std::move(read).error();
  return names;
}

}  // namespace seriatim::catalog
