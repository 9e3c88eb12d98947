#include "topic_retention.hpp"

namespace seriatim::cli {
namespace {

void add_group(std::vector<Json>& cells, const std::optional<SlowestGroup>& group) {
  cells.push_back(group ? Json(group->read_to) : Json(nullptr));
  cells.push_back(group ? Json(group->group_id) : Json(nullptr));
}

}  // namespace

std::vector<Column> retention_columns() {
  return {{"consumed_to", ColumnKind::number},
          {"consumed_by"},
          {"kept_from", ColumnKind::number},
          {"kept_for"},
          {"held_back_bytes", ColumnKind::bytes}};
}

std::vector<Json> retention_cells(const PartitionRetention& retention) {
  std::vector<Json> cells;
  add_group(cells, retention.consumed);
  add_group(cells, retention.unread);
  cells.push_back(retention.damage ? Json(nullptr) : Json(retention.held_back_bytes));
  return cells;
}

void HeldBack::add(const HeldBack& other) {
  bytes += other.bytes;
  groups.insert(other.groups.begin(), other.groups.end());
}

Result<std::map<TopicPartition, HeldBack>> held_back_by_groups(const Engine& engine) {
  const auto topics = engine.admin().list_topics();
  if (!topics.ok()) return topics.error();
  std::map<TopicPartition, HeldBack> held_back;
  for (const std::string& topic : *topics) {
    const auto partitions = engine.admin().describe_retention(topic);
    if (!partitions.ok() && partitions.error().code() == Errc::unknown_topic_or_partition) continue;
    if (!partitions.ok()) return partitions.error();
    for (const PartitionRetention& partition : *partitions) {
      if (!partition.unread || partition.damage) continue;
      HeldBack& held = held_back[{topic, partition.partition}];
      held.bytes = partition.held_back_bytes;
      if (held.bytes > 0) held.groups.insert(partition.unread->group_id);
    }
  }
  return held_back;
}

}  // namespace seriatim::cli
