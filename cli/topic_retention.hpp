// Retention by consumption for people: which groups let segments go, and which keep them.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <seriatim/engine.hpp>
#include <seriatim/result.hpp>

#include "text/output.hpp"

namespace seriatim::cli {

/// The columns of `topic describe` where the topic's settings name groups, and a partition's cells in them.
std::vector<Column> retention_columns();
std::vector<Json> retention_cells(const PartitionRetention& retention);

/// Log bytes that groups keep from being deleted.
struct HeldBack {
  std::uint64_t bytes = 0;
  std::set<std::string> groups{};  ///< The slowest of each partition that has such bytes.

  void add(const HeldBack& other);
};

/// By partition, of all topics with a setting that lets groups keep records; empty: there are none.
/// Errors: those of Admin, damage of a partition excepted: of such a one nothing is known.
Result<std::map<TopicPartition, HeldBack>> held_back_by_groups(const Engine& engine);

}  // namespace seriatim::cli
