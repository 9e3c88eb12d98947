#include "group/membership/partition_owners.hpp"

#include <utility>

namespace seriatim::group {

const std::set<TopicPartition>& PartitionOwners::of(const std::string& member) const {
  static const std::set<TopicPartition> none;
  const auto found = owned_.find(member);
  return found == owned_.end() ? none : found->second;
}

void PartitionOwners::take(const TopicPartition& at, const std::string& member, std::int32_t epoch) {
  owners_.insert_or_assign(at, Owner{member, epoch});
  owned_[member].insert(at);
}

void PartitionOwners::release(const TopicPartition& at, const std::string& member) {
  const auto found = owners_.find(at);
  if (found == owners_.end() || found->second.member != member) return;
  owners_.erase(found);
  owned_[member].erase(at);
}

std::set<TopicPartition> PartitionOwners::release_all(const std::string& member) {
  const auto found = owned_.find(member);
  if (found == owned_.end()) return {};
  std::set<TopicPartition> had = std::move(found->second);
  owned_.erase(found);
  for (const TopicPartition& at : had) owners_.erase(at);
  return had;
}

void PartitionOwners::rename(const std::string& from, const std::string& to) {
  const auto found = owned_.find(from);
  if (found == owned_.end()) return;
  for (const TopicPartition& at : found->second) owners_.at(at).member = to;
  owned_[to] = std::move(found->second);
  owned_.erase(from);
}

void PartitionOwners::end_commit(const TopicPartition& at) {
  const auto found = commits_.find(at);
  if (--found->second == 0) commits_.erase(found);
}

}  // namespace seriatim::group
