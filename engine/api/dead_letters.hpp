// Writes the dead letters of share groups: Kafka's headers, in the transaction that makes the deaths true.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include <seriatim/log_reader.hpp>
#include <seriatim/record.hpp>
#include <seriatim/result.hpp>

#include "base/mutex.hpp"
#include "group/share/letter_writer.hpp"
#include "producer/transaction_impl.hpp"

namespace seriatim::api {

/// One for all share consumers of an engine, which keep it alive: one transactional id writes all letters.
class DeadLetters final : public group::LetterWriter {
 public:
  explicit DeadLetters(std::shared_ptr<detail::EngineImpl> engine) : engine_(std::move(engine)) {}

  /// That of the engine, or a new one.
  static std::shared_ptr<group::LetterWriter> of(const std::shared_ptr<detail::EngineImpl>& engine);

  Result<> bury(const group::Deaths& deaths) override;

 private:
  /// The letters of so many records share a transaction. Arbitrary: its decision stays small.
  static constexpr Offset letters_per_commit = 500;

  /// Errors: as TransactionCoordinator::open.
  Result<> open_producer() SERIATIM_REQUIRES(mutex_);
  /// Errors: as TransactionCoordinator::begin. The next letters have a producer of their own then.
  Result<std::uint64_t> begin() SERIATIM_REQUIRES(mutex_);
  Result<> bury_each(const group::Deaths& deaths) SERIATIM_REQUIRES(mutex_);
  Result<PartitionId> partition_for(const group::Deaths& deaths) const;
  Result<> bury_run(const group::Deaths& deaths, PartitionId letter_partition, const group::DeadRun& run)
      SERIATIM_REQUIRES(mutex_);
  static Result<> write_letters(detail::TransactionImpl& transaction, const group::Deaths& deaths,
                                PartitionId letter_partition, const group::DeadRun& run,
                                const LogReader& reader);

  const std::shared_ptr<detail::EngineImpl> engine_;
  base::Mutex mutex_;  ///< One transaction at a time.
  std::shared_ptr<detail::TransactionalProducerImpl> producer_ SERIATIM_GUARDED_BY(mutex_);
};

}  // namespace seriatim::api
