// Committed offsets as a test reads them among the writes of a checkpoint.
#pragma once

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "catalog/records/committed_offset.hpp"
#include "catalog/records/value_codec.hpp"
#include "support/must.hpp"

namespace seriatim::test {

struct GatheredOffset {
  catalog::Id topic_id{};
  PartitionId partition = 0;
  catalog::CommittedOffset committed{};
};

struct GatheredOffsets {
  std::vector<std::string> forgotten_groups{};
  std::map<std::string, std::vector<GatheredOffset>> offsets{};            ///< By group.
  std::map<std::string, std::vector<GatheredOffset>> forgotten_offsets{};  ///< By group.
};

/// Insists that no group is forgotten behind a position of it, which would go with it.
inline GatheredOffsets offsets_in(const catalog::TableWrites& writes) {
  GatheredOffsets found;
  for (const auto& write : writes.in_order()) {
    if (write.table != catalog::Database::offsets) continue;
    if (write.kind == catalog::TableWrites::Kind::erase_all) {
      found.forgotten_groups.push_back(write.key.substr(0, write.key.size() - 1));
      CHECK(found.offsets.count(found.forgotten_groups.back()) == 0);
      continue;
    }
    catalog::OffsetKey key;
    REQUIRE(catalog::split_offset_key(write.key, key));
    if (write.kind == catalog::TableWrites::Kind::erase) {
      found.forgotten_offsets[std::string(key.group)].push_back({key.topic_id, key.partition});
      continue;
    }
    const auto payload = must(catalog::decode_value(write.table, write.key, base::as_bytes(write.value)));
    found.offsets[std::string(key.group)].push_back(
        {key.topic_id, key.partition, must(catalog::decode_committed_offset(payload))});
  }
  return found;
}

}  // namespace seriatim::test
