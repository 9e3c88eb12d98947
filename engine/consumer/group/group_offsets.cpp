#include "consumer/group/group_offsets.hpp"

#include <utility>

#include "base/clock.hpp"
#include "base/saturate.hpp"

namespace seriatim::consumer {

Result<> GroupOffsets::check_group() const {
  if (!options_.group_id.empty()) return {};
  return Error(
      Errc::invalid_state,
      "this consumer has no group_id, under which positions are stored; set ConsumerOptions::group_id");
}

Result<> GroupOffsets::check_may_commit() const {
  if (auto writable = engine_.check_writable(); !writable) return writable;
  return check_group();
}

Result<std::uint64_t> GroupOffsets::stage(const ConsumerGroupMetadata& by,
                                          const TopicPartitionOffsets& offsets) const {
  // Until it is staged nobody else gets the partitions: a later owner goes on behind this commit.
  auto ticket = engine_.groups.admit_commit(by, offsets);
  if (!ticket) return ticket.error();
  return engine_.committed_offsets.stage(options_.group_id, offsets);
}

Result<> GroupOffsets::commit_now(const ConsumerGroupMetadata& by,
                                  const TopicPartitionOffsets& offsets) const {
  if (auto may = check_may_commit(); !may || offsets.empty()) return may;
  auto lsn = stage(by, offsets);
  if (!lsn) return lsn.error();
  if (auto safe = engine_.acknowledge(*lsn, options_.commit_acks); !safe) return safe;
  engine_.counters.offset_commits.add();
  return {};
}

// The journal keeps the order: with this one those before it are safe, and nothing more is waited for.
Result<> GroupOffsets::commit(const ConsumerGroupMetadata& by, const TopicPartitionOffsets& offsets) {
  auto committed = commit_now(by, offsets);
  auto settled = async_.settle(AsyncCommits::Which::all);
  if (committed) return settled;
  if (!settled) engine_.report(LogLevel::error, settled.error().message());
  return committed;
}

Result<> GroupOffsets::commit_async(const ConsumerGroupMetadata& by, TopicPartitionOffsets offsets,
                                    OffsetCommitCallback callback) {
  if (auto may = check_may_commit(); !may) return may;
  return async_.commit(std::move(offsets), std::move(callback),
                       [&](const TopicPartitionOffsets& kept) -> Result<std::uint64_t> {
                         if (kept.empty()) return std::uint64_t{0};
                         auto lsn = stage(by, kept);
                         if (lsn) engine_.counters.offset_commits.add();
                         return lsn;
                       });
}

Result<std::optional<OffsetAndMetadata>> GroupOffsets::committed(const TopicPartition& at) const {
  if (auto grouped = check_group(); !grouped) return grouped.error();
  auto stored = engine_.committed_offsets.find(options_.group_id, at);
  if (!stored) return stored.error();
  if (!*stored) return std::optional<OffsetAndMetadata>();
  return std::optional<OffsetAndMetadata>(
      OffsetAndMetadata{(*stored)->offset, std::move((*stored)->metadata)});
}

bool GroupOffsets::is_commit_due() {
  const std::int64_t now_ns = base::system_clock().monotonic_ns();
  if (now_ns < next_commit_ns_) return false;
  next_commit_ns_ = base::saturating_add(now_ns, base::ns_of_ms(options_.auto_commit_interval.count()));
  return true;
}

}  // namespace seriatim::consumer
