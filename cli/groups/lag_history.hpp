// How the lag of groups changes from look to look.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <seriatim/admin.hpp>
#include <seriatim/flow/catch_up.hpp>

namespace seriatim::cli {

/// Threads: one at a time.
class LagHistory {
 public:
  /// @param window  estimates are of so long a time, or of what there is of it.
  explicit LagHistory(std::chrono::nanoseconds window) : window_(window) {}

  /// @param time  later than that of the look before.
  void add(const std::string& group, const GroupLag& lag, std::chrono::nanoseconds time);
  /// Nothing: it was looked at once only.
  std::optional<CatchUpEstimate> estimate(const std::string& group, const TopicPartition& at) const;

 private:
  std::chrono::nanoseconds window_;
  std::map<std::pair<std::string, TopicPartition>, std::vector<LagSample>> samples_{};
};

}  // namespace seriatim::cli
