#include "catalog/stored_share.hpp"

#include <set>
#include <utility>

#include "catalog/lmdb/lmdb_env.hpp"
#include "catalog/record_store.hpp"
#include "catalog/records/catalog_schema.hpp"

namespace seriatim::catalog {
namespace {

using Payload = std::vector<std::byte>;

// Its form is for the layer above to judge.
Result<Payload> copy_of_payload(base::ByteSpan payload) { return Payload(payload.begin(), payload.end()); }

Error stray_share_key(const ReadTransaction& in, std::string_view key) {
  return {Errc::corrupt_metadata, "catalog " + in.directory() + ", database \"share_progress\", key " +
                                      printable_key(key) +
                                      ": it has no group, topic and partition in it; restore the catalog "
                                      "from a backup"};
}

Result<std::optional<Payload>> share_payload(const Catalog& catalog, Database database,
                                             std::string_view key) {
  std::optional<Payload> payload;
  Result<void> read = catalog.read([&](const ReadTransaction& in) -> Result<void> {
    Result<std::optional<Payload>> found = get_record(in, database, key, copy_of_payload);
    if (!found) return std::move(found).error();
    payload = std::move(*found);
    return {};
  });
  if (!read) return std::move(read).error();
  return payload;
}

// One look for each group: from its first key straight to the first key after its last.
Result<void> collect_groups_with_progress(const ReadTransaction& in, std::set<std::string>& groups) {
  std::string from;
  for (bool is_more = true; is_more;) {
    is_more = false;
    Result<void> scanned =
        in.scan(Database::share_progress, from, [&](std::string_view key, base::ByteSpan) -> Result<bool> {
          OffsetKey parts;
          if (!split_offset_key(key, parts)) return stray_share_key(in, key);
          from = after_group(parts.group);
          groups.emplace(parts.group);
          is_more = true;
          return false;
        });
    if (!scanned) return scanned;
  }
  return {};
}

}  // namespace

Result<std::optional<Payload>> share_progress(const Catalog& catalog, std::string_view group,
                                              const Id& topic_id, PartitionId partition) {
  return share_payload(catalog, Database::share_progress, offset_key(group, topic_id, partition));
}

Result<std::optional<Payload>> share_config(const Catalog& catalog, std::string_view group) {
  return share_payload(catalog, Database::share_groups, group);
}

Result<std::vector<StoredShareProgress>> share_progress_of(const Catalog& catalog, std::string_view group) {
  std::vector<StoredShareProgress> rows;
  const std::string prefix = group_prefix(group);
  Result<void> read = catalog.read([&](const ReadTransaction& in) {
    rows.clear();
    return in.scan(
        Database::share_progress, prefix, [&](std::string_view key, base::ByteSpan value) -> Result<bool> {
          if (!key.starts_with(prefix)) return false;
          OffsetKey parts;
          if (!split_offset_key(key, parts)) return stray_share_key(in, key);
          Result<Payload> payload = parse_record(in, Database::share_progress, key, value, copy_of_payload);
          if (!payload) return std::move(payload).error();
          rows.push_back({parts.topic_id, parts.partition, std::move(*payload)});
          return true;
        });
  });
  if (!read) return std::move(read).error();
  return rows;
}

Result<std::vector<std::string>> share_groups(const Catalog& catalog) {
  std::set<std::string> groups;
  Result<void> read = catalog.read([&](const ReadTransaction& in) -> Result<void> {
    groups.clear();
    if (Result<void> collected = collect_groups_with_progress(in, groups); !collected) return collected;
    return in.scan(Database::share_groups, {}, [&](std::string_view key, base::ByteSpan) -> Result<bool> {
      groups.emplace(key);
      return true;
    });
  });
  if (!read) return std::move(read).error();
  return std::vector<std::string>(groups.begin(), groups.end());
}

}  // namespace seriatim::catalog
