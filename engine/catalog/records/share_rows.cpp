#include "catalog/records/share_rows.hpp"

#include <string>

#include "catalog/records/catalog_schema.hpp"
#include "catalog/records/topic_name.hpp"

namespace seriatim::catalog {
namespace {

bool takes_share_group(TableWrites& to, std::string_view what, std::string_view group) {
  const auto named = check_group_name(group);
  if (!named) to.leave_out(std::string(what) + " of share group " + printable_key(group), named.error());
  return named.ok();
}

}  // namespace

void put_share_progress(TableWrites& to, std::string_view group, const Id& topic_id, PartitionId partition,
                        base::ByteSpan payload) {
  if (takes_share_group(to, "progress", group))
    to.put(Database::share_progress, offset_key(group, topic_id, partition), base::as_text(payload));
}

void forget_share_progress(TableWrites& to, std::string_view group, const Id& topic_id,
                           PartitionId partition) {
  if (takes_share_group(to, "forgotten progress", group))
    to.erase(Database::share_progress, offset_key(group, topic_id, partition));
}

void put_share_config(TableWrites& to, std::string_view group, base::ByteSpan payload) {
  if (takes_share_group(to, "the configuration", group))
    to.put(Database::share_groups, std::string(group), base::as_text(payload));
}

void forget_share_config(TableWrites& to, std::string_view group) {
  if (takes_share_group(to, "the forgotten configuration", group))
    to.erase(Database::share_groups, std::string(group));
}

void forget_share_group(TableWrites& to, std::string_view group) {
  if (!takes_share_group(to, "the end", group)) return;
  to.erase(Database::share_groups, std::string(group));
  to.erase_all(Database::share_progress, group_prefix(group));
}

}  // namespace seriatim::catalog
