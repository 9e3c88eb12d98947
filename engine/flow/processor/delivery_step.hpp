// How a batch becomes true: one class for each `Delivery`.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include <seriatim/flow/processor.hpp>

namespace seriatim {
inline namespace v0 {
namespace detail {

/// Threads: one at a time.
class DeliveryStep {
 public:
  /// @param options  in their ranges.
  /// @param worker  counted from 0.
  /// Errors: as Engine::producer and Engine::transactional_producer.
  static Result<std::unique_ptr<DeliveryStep>> open(const Engine& engine, const ProcessorOptions& options,
                                                    std::size_t worker);
  virtual ~DeliveryStep() = default;

  /// Before the first record of a part of a batch; `behind`: where the group goes on after it.
  /// Errors: of the commit or the transaction; it can be called again.
  virtual Result<> begin(Consumer& consumer, const TopicPartitionOffsets& behind) = 0;
  /// As ProcessorOutput.
  virtual Result<> send(const ProducerRecord& record) = 0;
  virtual Result<TransactionTable> state(std::string_view name);
  virtual Result<Transaction*> transaction();
  /// Behind the last record.
  /// Errors: of outputs, the commit or the transaction; see `can_finish_again`.
  virtual Result<> finish(Consumer& consumer, const TopicPartitionOffsets& behind) = 0;
  /// Of a `finish` that failed: whether it can be repeated. Else what was handled has to be handled again.
  virtual bool can_finish_again() const noexcept { return false; }
  /// Of a record that failed: whether what was handled before it in the part stays. Else `give_up` takes it
  /// back.
  virtual bool keeps_handled() const noexcept { return true; }
  /// Takes back what is not final; the part begins again.
  virtual void give_up() noexcept = 0;
  /// The worker stops in the middle of a part.
  /// @param before  where the group goes on so that the record that failed comes again.
  /// @param behind  so that it does not.
  virtual Result<> stop(Consumer& consumer, const TopicPartitionOffsets& before,
                        const TopicPartitionOffsets& behind) = 0;

  ProcessorOutput output() noexcept { return ProcessorOutput(*this); }
};

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
