#include "groups/lag_history.hpp"

#include <span>

namespace seriatim::cli {

void LagHistory::add(const std::string& group, const GroupLag& lag, std::chrono::nanoseconds time) {
  if (lag.lag < 0) {
    samples_.erase({group, lag.topic_partition});  // It cannot be read: nothing is known of it.
    return;
  }
  std::vector<LagSample>& samples = samples_[{group, lag.topic_partition}];
  samples.push_back(lag_sample(std::span(&lag, 1), time));
  // The last of those that are older than the window is its beginning.
  while (samples.size() > 2 && time - samples[1].time >= window_) samples.erase(samples.begin());
}

std::optional<CatchUpEstimate> LagHistory::estimate(const std::string& group,
                                                    const TopicPartition& at) const {
  const auto found = samples_.find({group, at});
  return found == samples_.end() ? std::nullopt : catch_up_estimate(found->second);
}

}  // namespace seriatim::cli
