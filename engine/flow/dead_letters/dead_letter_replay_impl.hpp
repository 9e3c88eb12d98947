// Behind `DeadLetterReplay`: letters, step by step, each step a transaction of "dlq-replay:TOPIC-ID".
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include <seriatim/flow/dead_letters.hpp>
#include <seriatim/transaction.hpp>

#include "flow/dead_letters/letter_scan.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {

/// Threads: one at a time.
class DeadLetterReplayImpl {
 public:
  static Result<std::unique_ptr<DeadLetterReplayImpl>> open(const Engine& engine,
                                                            DeadLetterReplayOptions options);
  DeadLetterReplayImpl(const Engine& engine, DeadLetterReplayOptions options, flow::LetterScan scan,
                       TransactionalProducer producer);

  Result<DeadLetterReplayStep> step(std::size_t limit);

 private:
  /// A step that is staged; its commit may have to be asked for again.
  struct Staged {
    Transaction transaction;
    DeadLetterReplayStep step{};
    std::optional<DeadLetterPosition> next{};
  };

  Result<> stage(Staged& staged, const DeadLetter& letter);
  Result<> send(Transaction& transaction, const DeadLetter& letter);
  Result<DeadLetterReplayStep> finish();
  /// Of a topic; as it was when this first met it.
  Result<PartitionId> partitions_of(const std::string& topic);

  const Engine engine_;
  const DeadLetterReplayOptions options_;
  const flow::LetterScan scan_;
  TransactionalProducer producer_;
  std::map<std::string, PartitionId, std::less<>> partitions_{};
  std::optional<DeadLetterPosition> at_ = DeadLetterPosition{};  ///< Nothing: it is through.
  std::optional<Staged> staged_{};
};

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
