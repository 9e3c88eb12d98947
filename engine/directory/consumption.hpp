// Retention by consumption: how far the groups have read that the settings of a topic name.
#pragma once

#include <cstdint>
#include <optional>

#include <seriatim/result.hpp>
#include <seriatim/topic_config.hpp>
#include <seriatim/types.hpp>

#include "group/progress_source.hpp"
#include "partition/partition.hpp"
#include "partition/partition_log.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {
struct EngineImpl;
}
}  // namespace v0
}  // namespace seriatim

namespace seriatim::directory {

/// The slowest group of each setting. Nothing: the setting names none.
struct Consumption {
  std::optional<group::GroupNeed> consumed{};
  std::optional<group::GroupNeed> unread{};
};

/// As far as is known now; a fault may still set groups back.
/// Errors: as group::ProgressSource::needed_from.
Result<Consumption> consumption_of(const detail::EngineImpl& engine, const TopicPartition& at,
                                   const TopicConfig& config);

/// Partition::apply_retention, with the groups that its settings name. Their reading is on stable
/// storage before anything is deleted; no lock is held while that is waited for.
/// Errors: as `consumption_of`, the journal, and Partition::apply_retention.
Result<partition::Partition::RetentionResult> apply_retention_to(detail::EngineImpl& engine,
                                                                 partition::Partition& partition,
                                                                 partition::IfBusy if_busy);

/// Log bytes that retention would delete now, had the groups of `retention_unread_groups` read everything.
std::uint64_t held_back_bytes(const partition::PartitionLog& log, const TopicConfig& config,
                              const Consumption& consumption, std::int64_t now_ms);

}  // namespace seriatim::directory
