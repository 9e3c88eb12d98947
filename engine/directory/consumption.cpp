#include "directory/consumption.hpp"

#include <algorithm>
#include <array>

#include "directory/engine_impl.hpp"
#include "partition/retention.hpp"

namespace seriatim::directory {
namespace {

/// A kind of group that keeps a progress of its own is entered here.
std::array<const group::ProgressSource*, 2> progress_sources(const detail::EngineImpl& engine) {
  return {&engine.committed_offsets, &engine.share_groups};
}

partition::GroupsRead read_by(const std::vector<std::string>& groups,
                              const std::optional<group::GroupNeed>& slowest) {
  return {.groups = groups, .below = slowest ? slowest->from : 0};
}

partition::ReadProgress progress_of(const TopicConfig& config, const Consumption& consumption) {
  return {.consumed = read_by(config.retention_consumed_groups, consumption.consumed),
          .unread = read_by(config.retention_unread_groups, consumption.unread)};
}

// A commit at `leader` that a power cut takes back takes back what its transaction wrote from the records as
// well: they are needed again then.
Result<> make_safe(detail::EngineImpl& engine) {
  std::uint64_t lsn = 0;
  for (const auto* source : progress_sources(engine)) lsn = std::max(lsn, source->progress_lsn());
  return lsn == 0 ? Result<>() : engine.acknowledge(lsn, Acks::all);
}

}  // namespace

Result<Consumption> consumption_of(const detail::EngineImpl& engine, const TopicPartition& at,
                                   const TopicConfig& config) {
  const auto sources = progress_sources(engine);
  auto consumed = group::slowest_of(config.retention_consumed_groups, at, sources);
  if (!consumed) return consumed.error();
  auto unread = group::slowest_of(config.retention_unread_groups, at, sources);
  if (!unread) return unread.error();
  return Consumption{.consumed = *std::move(consumed), .unread = *std::move(unread)};
}

Result<partition::Partition::RetentionResult> apply_retention_to(detail::EngineImpl& engine,
                                                                 partition::Partition& partition,
                                                                 partition::IfBusy if_busy) {
  const TopicConfig config = partition.config();
  auto consumption = consumption_of(engine, partition.name(), config);
  if (!consumption) return consumption.error();
  if (consumption->consumed || consumption->unread) {
    if (auto safe = make_safe(engine); !safe) return safe.error();
  }
  return engine.reserve.spend_on(
      [&] { return partition.apply_retention(if_busy, progress_of(config, *consumption)); });
}

std::uint64_t held_back_bytes(const partition::PartitionLog& log, const TopicConfig& config,
                              const Consumption& consumption, std::int64_t now_ms) {
  if (!consumption.unread) return 0;
  partition::RetentionInput input{.config = config,
                                  .now_ms = now_ms,
                                  .log_start = log.log_start_offset(),
                                  .last_stable_offset = log.last_stable_offset(),
                                  .read = progress_of(config, consumption)};
  const auto segments = log.segments().load();
  const std::size_t goes = partition::count_deletable(*segments, input);
  input.config.retention_unread_groups.clear();
  const std::size_t would_go = partition::count_deletable(*segments, input);
  std::uint64_t bytes = 0;
  for (std::size_t i = goes; i < would_go; ++i) bytes += (*segments)[i]->end_position();
  return bytes;
}

}  // namespace seriatim::directory
