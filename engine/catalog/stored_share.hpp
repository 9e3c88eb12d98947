// Share groups in the catalog. Checkpoints change them (records/share_rows.hpp); the payloads are for
// group/share to read.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "catalog/catalog.hpp"

namespace seriatim::catalog {

/// The progress of a group in one partition.
struct StoredShareProgress {
  Id topic_id{};
  PartitionId partition = 0;
  std::vector<std::byte> payload{};
};

/// Nothing: the catalog has none.
/// Errors: as the catalog.
Result<std::optional<std::vector<std::byte>>> share_progress(const Catalog& catalog, std::string_view group,
                                                             const Id& topic_id, PartitionId partition);
/// Of all partitions, by topic id and partition.
/// Errors: as the catalog.
Result<std::vector<StoredShareProgress>> share_progress_of(const Catalog& catalog, std::string_view group);
/// Nothing: the group has none.
/// Errors: as the catalog.
Result<std::optional<std::vector<std::byte>>> share_config(const Catalog& catalog, std::string_view group);
/// Names of all groups with progress or a configuration, sorted.
/// Errors: as the catalog.
Result<std::vector<std::string>> share_groups(const Catalog& catalog);

}  // namespace seriatim::catalog
