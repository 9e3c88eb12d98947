#include "flow/processor/delivery_step.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace seriatim {
inline namespace v0 {
namespace detail {
namespace {

class AtMostOnce final : public DeliveryStep {
 public:
  explicit AtMostOnce(Producer producer) : producer_(std::move(producer)) {}

  Result<> begin(Consumer& consumer, const TopicPartitionOffsets& behind) override {
    return consumer.commit_sync(behind);
  }
  // Waited for: nothing that the handler could do again must fail behind its back.
  Result<> send(const ProducerRecord& record) override {
    auto sent = producer_.send_sync(record);
    return sent ? Result<>() : Result<>(sent.error());
  }
  Result<> finish(Consumer& /*consumer*/, const TopicPartitionOffsets& /*behind*/) override { return {}; }
  void give_up() noexcept override {}
  // The records behind it were committed and not handled: they are given back.
  Result<> stop(Consumer& consumer, const TopicPartitionOffsets& /*before*/,
                const TopicPartitionOffsets& behind) override {
    return consumer.commit_sync(behind);
  }

 private:
  Producer producer_;
};

class AtLeastOnce final : public DeliveryStep {
 public:
  explicit AtLeastOnce(Producer producer) : producer_(std::move(producer)) {}

  Result<> begin(Consumer& /*consumer*/, const TopicPartitionOffsets& /*behind*/) override {
    can_finish_again_ = false;
    return {};
  }
  Result<> send(const ProducerRecord& record) override {
    auto sent = producer_.send(record);
    if (!sent.ready()) {
      waiting_.push_back(std::move(sent));
      return {};
    }
    auto outcome = sent.get();
    return outcome ? Result<>() : Result<>(outcome.error());
  }
  Result<> finish(Consumer& consumer, const TopicPartitionOffsets& behind) override {
    if (auto sent = wait_for_outputs(); !sent) return sent;
    can_finish_again_ = true;
    return consumer.commit_sync(behind);
  }
  bool can_finish_again() const noexcept override { return can_finish_again_; }
  void give_up() noexcept override { waiting_.clear(); }
  Result<> stop(Consumer& consumer, const TopicPartitionOffsets& before,
                const TopicPartitionOffsets& /*behind*/) override {
    return finish(consumer, before);
  }

 private:
  Result<> wait_for_outputs() {
    can_finish_again_ = false;
    auto waiting = std::exchange(waiting_, {});
    for (DeliveryFuture& sent : waiting) {
      if (auto outcome = sent.get(); !outcome) return outcome.error();
    }
    return {};
  }

  Producer producer_;
  std::vector<DeliveryFuture> waiting_{};
  bool can_finish_again_ = false;
};

class ExactlyOnce final : public DeliveryStep {
 public:
  explicit ExactlyOnce(TransactionalProducer producer) : producer_(std::move(producer)) {}

  Result<> begin(Consumer& /*consumer*/, const TopicPartitionOffsets& /*behind*/) override {
    // An abort that failed before.
    if (auto given_up = abort(); !given_up) return given_up;
    auto begun = producer_.begin();
    if (!begun) return begun.error();
    transaction_.emplace(*std::move(begun));
    is_complete_ = false;
    return {};
  }
  Result<> send(const ProducerRecord& record) override {
    auto sent = transaction_->send(record);
    return sent ? Result<>() : Result<>(sent.error());
  }
  Result<TransactionTable> state(std::string_view name) override { return transaction_->state(name); }
  Result<Transaction*> transaction() override { return &*transaction_; }
  Result<> finish(Consumer& consumer, const TopicPartitionOffsets& behind) override {
    if (!is_complete_) {
      if (auto sent = transaction_->send_offsets(behind, consumer.group_metadata()); !sent) return sent;
      is_complete_ = true;
    }
    auto committed = transaction_->commit();
    // It can not be committed any more, or was ended by its time-out.
    if (!committed && (committed.error().requires_abort() || committed.error().fatal() ||
                       committed.error().code() == Errc::invalid_txn_state))
      is_complete_ = false;
    if (committed) transaction_.reset();
    return committed;
  }
  // One that may be committed already is not aborted, and not begun again: it is asked again.
  bool can_finish_again() const noexcept override { return is_complete_; }
  bool keeps_handled() const noexcept override { return false; }
  void give_up() noexcept override {
    // Where that fails, `begin` tries again, and says so.
    static_cast<void>(abort().ok());
  }
  Result<> stop(Consumer& /*consumer*/, const TopicPartitionOffsets& /*before*/,
                const TopicPartitionOffsets& /*behind*/) override {
    return abort();
  }

 private:
  Result<> abort() noexcept {
    if (!transaction_) return {};
    auto aborted = transaction_->abort();
    if (!aborted && aborted.error().code() != Errc::producer_fenced) return aborted;
    transaction_.reset();
    return {};
  }

  TransactionalProducer producer_;
  std::optional<Transaction> transaction_{};
  bool is_complete_ = false;  ///< It has its positions; the commit is missing.
};

}  // namespace

Result<std::unique_ptr<DeliveryStep>> DeliveryStep::open(const Engine& engine,
                                                         const ProcessorOptions& options,
                                                         std::size_t worker) {
  if (options.delivery == Delivery::exactly_once) {
    const std::string& id = options.transactional_id.empty() ? options.group_id : options.transactional_id;
    auto producer = engine.transactional_producer({.transactional_id = id + "-" + std::to_string(worker),
                                                   .acks = options.acks,
                                                   .transaction_timeout = options.transaction_timeout});
    if (!producer) return producer.error();
    return std::unique_ptr<DeliveryStep>(std::make_unique<ExactlyOnce>(*std::move(producer)));
  }
  auto producer = engine.producer({.acks = options.acks});
  if (!producer) return producer.error();
  if (options.delivery == Delivery::at_most_once)
    return std::unique_ptr<DeliveryStep>(std::make_unique<AtMostOnce>(*std::move(producer)));
  return std::unique_ptr<DeliveryStep>(std::make_unique<AtLeastOnce>(*std::move(producer)));
}

Result<TransactionTable> DeliveryStep::state(std::string_view name) {
  return Error(Errc::invalid_state, "state \"" + std::string(name) +
                                        "\" is changed in transactions; set ProcessorOptions::delivery to "
                                        "exactly_once");
}

Result<Transaction*> DeliveryStep::transaction() {
  return Error(Errc::invalid_state,
               "a processor has transactions under exactly_once only; set ProcessorOptions::delivery to it");
}

}  // namespace detail

Result<> ProcessorOutput::send(const ProducerRecord& record) { return step_.send(record); }
Result<TransactionTable> ProcessorOutput::state(std::string_view name) { return step_.state(name); }
Result<Transaction*> ProcessorOutput::transaction() { return step_.transaction(); }

}  // namespace v0
}  // namespace seriatim
