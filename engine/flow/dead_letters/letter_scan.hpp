// Finds the letters of a topic that a filter means.
#pragma once

#include <cstddef>
#include <string>

#include <seriatim/engine.hpp>
#include <seriatim/flow/dead_letters.hpp>
#include <seriatim/record.hpp>
#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "flow/dead_letters/replayed_letters.hpp"

namespace seriatim::flow {

/// Threads: any.
class LetterScan {
 public:
  /// Errors: as Admin::describe_topic.
  static Result<LetterScan> open(const Engine& engine, std::string topic, DeadLetterFilter filter);

  /// As list_dead_letters.
  Result<DeadLetterPage> next(const DeadLetterPosition& from, std::size_t limit) const;
  const ReplayedLetters& replayed() const noexcept { return replayed_; }
  const std::string& topic_id() const noexcept { return topic_id_; }

 private:
  struct Topic {
    std::string name;
    std::string id;
    PartitionId partitions;
  };
  struct Budget {
    std::size_t letters;
    std::size_t records;
  };

  LetterScan(const Engine& engine, Topic topic, DeadLetterFilter filter, ReplayedLetters replayed);
  /// @return where it stopped, as the budget was used up; -1: at the partition's end.
  Result<Offset> scan_partition(const DeadLetterPosition& from, Budget& budget, DeadLetterPage& page) const;
  bool means(const DeadLetter& letter) const;

  Engine engine_;
  std::string topic_;
  std::string topic_id_;
  PartitionId partitions_;
  DeadLetterFilter filter_;
  ReplayedLetters replayed_;
};

}  // namespace seriatim::flow
