// What the journal tells a writer that opens after a crash, sorted by who needs it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <seriatim/result.hpp>

#include "api/offset_store.hpp"
#include "api/topic.hpp"
#include "journal/journal_reader.hpp"
#include "partition/partition.hpp"

namespace seriatim::api {

/// In the data directory.
inline constexpr std::string_view journal_directory_name = "journal";

/// Keeps what belongs to topics that exist. One thread.
class JournalReplay final : public journal::JournalVisitor {
 public:
  /// @param topics  of the catalog, by name.
  explicit JournalReplay(const TopicMap& topics);

  /// The batches of a partition, in the journal's order; empty afterwards.
  std::vector<partition::JournalledBatch> take_batches(const catalog::Id& topic_id, PartitionId partition);
  /// Puts the committed offsets where lookups find them.
  void restore_offsets(OffsetStore& store);
  /// Whether there was anything.
  bool empty() const noexcept { return batches_.empty() && commits_.empty(); }

  Result<void> batch(const journal::FramePlace& place, const format::JournalBatch& batch) override;
  Result<void> synced_range(const journal::FramePlace& place,
                            const format::JournalSyncedRange& range) override;
  Result<void> committed_offsets(const journal::FramePlace& place,
                                 const format::JournalCommittedOffsets& commit) override;

 private:
  struct Commit {
    std::string group{};
    std::vector<PositionCommit> positions{};
    std::uint64_t lsn = 0;
  };

  const Topic* find(const catalog::Id& topic_id, PartitionId partition) const;

  std::map<catalog::Id, TopicPtr> topics_;
  std::map<std::pair<catalog::Id, PartitionId>, std::vector<partition::JournalledBatch>> batches_;
  std::vector<Commit> commits_;
};

}  // namespace seriatim::api
