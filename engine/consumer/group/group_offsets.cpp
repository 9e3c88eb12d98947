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

Result<> GroupOffsets::commit(const ConsumerGroupMetadata& by, const TopicPartitionOffsets& offsets) const {
  if (auto writable = engine_.check_writable(); !writable) return writable;
  if (auto grouped = check_group(); !grouped) return grouped;
  if (offsets.empty()) return {};
  // Until its end nobody else gets the partitions: a later owner goes on behind this commit.
  auto ticket = engine_.groups.admit_commit(by, offsets);
  if (!ticket) return ticket.error();
  if (auto stored = engine_.committed_offsets.commit(options_.group_id, offsets, options_.commit_acks);
      !stored)
    return stored;
  engine_.counters.offset_commits.add();
  return {};
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
