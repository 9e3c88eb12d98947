// How far groups have come, for retention: each kind of group is a source of its own.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

namespace seriatim::group {

/// Threads: any.
class ProgressSource {
 public:
  ProgressSource() = default;
  virtual ~ProgressSource() = default;
  ProgressSource(const ProgressSource&) = delete;
  ProgressSource& operator=(const ProgressSource&) = delete;

  /// The lowest offset that the group still needs of the partition; nothing: this source knows none.
  /// Errors: unknown_topic_or_partition: the topic was deleted; corrupt_metadata.
  virtual Result<std::optional<Offset>> needed_from(std::string_view group,
                                                    const TopicPartition& at) const = 0;
  /// A frame of the journal: once all up to it are on stable storage, what `needed_from` has answered before
  /// survives every fault. 0: it does already.
  virtual std::uint64_t progress_lsn() const = 0;
};

/// A group, and the lowest offset that it still needs.
struct GroupNeed {
  std::string group{};
  Offset from = 0;
};

/// The one of `groups` that needs the lowest offset of the partition, the first of several. A group that no
/// source knows needs everything. Nothing: there are no groups.
/// Errors: as ProgressSource::needed_from.
Result<std::optional<GroupNeed>> slowest_of(const std::vector<std::string>& groups, const TopicPartition& at,
                                            std::span<const ProgressSource* const> sources);

}  // namespace seriatim::group
