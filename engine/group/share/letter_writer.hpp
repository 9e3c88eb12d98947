// The way into a dead letter topic, which lies above this layer: a producer.
#pragma once

#include <string>
#include <vector>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "group/share/share_partition.hpp"
#include "group/share/share_types.hpp"

namespace seriatim::group {

/// Records that die alike.
struct DeadRun {
  OffsetRun offsets{};
  std::int16_t delivery_count = 0;
  bool is_rejected = false;  ///< By its member; else it was delivered too often.
};

/// Deaths in one partition, which are decided, and become true with their letters.
struct Deaths {
  std::string group{};
  TopicPartition at{};
  SharePartitionPtr partition{};
  std::vector<DeadRun> runs{};
  std::string letter_topic{};
  bool copies_records = true;
  IsolationLevel isolation_level = IsolationLevel::read_committed;
};

/// Threads: any.
class LetterWriter {
 public:
  LetterWriter() = default;
  virtual ~LetterWriter() = default;
  LetterWriter(const LetterWriter&) = delete;
  LetterWriter& operator=(const LetterWriter&) = delete;

  /// Writes the letters and makes the deaths true, in one commit.
  /// Errors: those of the letter topic and of the commit; then neither is there, or, with Outcome::unknown,
  /// both may come later.
  /// Durability: power loss, on return.
  virtual Result<> bury(const Deaths& deaths) = 0;
};

}  // namespace seriatim::group
