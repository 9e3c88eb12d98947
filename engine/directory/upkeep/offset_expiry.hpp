// Forgets committed offsets that nobody has renewed for long, as Kafka does under the protocol "consumer".
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <seriatim/result.hpp>

#include "base/clock.hpp"
#include "group/committed_offsets.hpp"
#include "group/membership/group_coordinator.hpp"

namespace seriatim::directory {

/// The parts of the engine around it. All of them outlive it.
struct OffsetExpiryEnvironment {
  group::CommittedOffsets& offsets;
  const group::GroupCoordinator& groups;
  const base::Clock& clock;
  std::int64_t retention_ms = 0;  ///< From the commit on.
  /// Whether the settings of the topic name the group: its positions there stay.
  std::function<bool(const std::string& topic, std::string_view group)> is_named{};
};

/// One pass looks at each group once, some at a time. A position expires `retention_ms` after its commit
/// where no member of its group subscribes to its topic.
///
/// Threads: one at a time.
class OffsetExpiry {
 public:
  /// Groups of one step. Arbitrary: each costs a look at the catalog, and, if it has expired positions, a
  /// wait for the journal.
  static constexpr std::size_t groups_per_step = 100;

  explicit OffsetExpiry(OffsetExpiryEnvironment environment) : environment_(std::move(environment)) {}

  /// Goes on with the pass that is under way, or begins one. Holds no lock while it waits for the disk.
  /// Errors: those of the catalog and of the journal, the first of several. The other groups were seen to;
  /// one that failed is the next pass's.
  Result<> step();
  /// Whether no pass is under way.
  bool is_done() const noexcept { return left_.empty(); }

 private:
  Result<> expire(const std::string& group);

  const OffsetExpiryEnvironment environment_;
  std::vector<std::string> left_{};  ///< Of the pass, in reverse.
};

}  // namespace seriatim::directory
