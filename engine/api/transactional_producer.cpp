// `TransactionalProducer`: the holder of a transactional id.
#include <utility>

#include <seriatim/exception.hpp>

#include "base/boundary.hpp"
#include "base/moved_from.hpp"
#include "directory/option_rules.hpp"
#include "format/compression/codec.hpp"
#include "format/topic_name.hpp"
#include "producer/transaction_impl.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {
namespace {

constexpr std::size_t id_bytes_max = 255;  // The catalog's.

Result<> check_options(const TransactionalProducerOptions& options, std::chrono::milliseconds timeout_max) {
  const std::string& id = options.transactional_id;
  if (id.empty() || id.size() > id_bytes_max || id.find('\0') != std::string::npos) {
    return Error(Errc::invalid_argument,
                 "TransactionalProducerOptions::transactional_id has " + std::to_string(id.size()) +
                     " bytes; it must be 1 to " + std::to_string(id_bytes_max) +
                     ", none of them zero: the name of what writes, the same after every restart");
  }
  if (format::is_own_name(id)) {
    return Error(Errc::invalid_argument,
                 "TransactionalProducerOptions::transactional_id \"" + id +
                     "\" begins with \"__\": such ids are kept for what the library itself writes, as the "
                     "letters of share groups; choose one that begins otherwise");
  }
  if (options.acks == Acks::none) {
    return Error(Errc::invalid_argument,
                 "TransactionalProducerOptions::acks is none, but a commit that may be lost at once is none; "
                 "choose all or leader");
  }
  if (options.compression_type == CompressionType::producer) {
    return Error(Errc::invalid_argument,
                 "TransactionalProducerOptions::compression_type names the producer's own codec; "
                 "CompressionType::producer is a topic's setting");
  }
  if (auto checked = directory::check_choices(directory::transactional_choice_rules(), options); !checked)
    return checked;
  if (options.transaction_timeout.count() < 1 || options.transaction_timeout > timeout_max) {
    return Error(Errc::invalid_transaction_timeout,
                 "TransactionalProducerOptions::transaction_timeout is " +
                     std::to_string(options.transaction_timeout.count()) +
                     " ms; it must be 1 ms to EngineOptions::transaction_max_timeout, " +
                     std::to_string(timeout_max.count()) + " ms");
  }
  return {};
}

// Nothing lingers, and nothing waits before the commit does.
ProducerOptions inner_options(const TransactionalProducerOptions& options) {
  return {.acks = Acks::leader,
          .compression_type = options.compression_type,
          .compression_level = options.compression_level,
          .partitioning = options.partitioning,
          .partitioner = options.partitioner};
}

TransactionEffects* give_effects(EngineImpl& engine, transaction::Holder& holder) {
  auto effects = std::make_unique<TransactionEffects>(engine);
  TransactionEffects* const given = effects.get();
  const base::MutexLock lock(holder.mutex);
  holder.effects = std::move(effects);
  return given;
}

}  // namespace

TransactionalProducerImpl::TransactionalProducerImpl(std::shared_ptr<EngineImpl> engine_of,
                                                     TransactionalProducerOptions given,
                                                     transaction::HolderPtr held)
    : engine(std::move(engine_of)),
      options(std::move(given)),
      holder(std::move(held)),
      effects(give_effects(*engine, *holder)),
      producer(std::make_shared<ProducerImpl>(engine, inner_options(options), nullptr)) {}

Result<TransactionalProducer> TransactionalProducerImpl::create(std::shared_ptr<EngineImpl> engine,
                                                                TransactionalProducerOptions options) {
  if (auto writable = engine->check_writable(); !writable) return writable.error();
  if (auto checked = check_options(options, engine->options.transaction_max_timeout); !checked)
    return checked.error();
  if (auto checked = ProducerImpl::check_options(inner_options(options)); !checked) return checked.error();
  auto holder = engine->coordinator->open(options.transactional_id, options.transaction_timeout);
  if (!holder) return holder.error();
  return TransactionalProducer(
      std::make_shared<TransactionalProducerImpl>(std::move(engine), std::move(options), *std::move(holder)));
}

Result<Transaction> TransactionalProducerImpl::begin() {
  if (auto writable = engine->check_writable(); !writable) return writable.error();
  if (auto healthy = engine->health.check(); !healthy) return healthy.error();
  auto number = engine->coordinator->begin(*holder);
  if (!number) return number.error();
  // One that nobody holds would be in the way until its time-out.
  base::Undoing withdraw([&] {
    static_cast<void>(base::answered([&] { return engine->coordinator->abort(*holder, *number); }).ok());
  });
  auto transaction = std::make_unique<TransactionImpl>(shared_from_this(), *number);
  withdraw.keep();
  return Transaction(std::move(transaction));
}

}  // namespace detail

Result<TransactionalProducer> Engine::transactional_producer(TransactionalProducerOptions options) const try {
  if (!impl_) return base::moved_from("Engine");
  return detail::TransactionalProducerImpl::create(impl_, std::move(options));
} catch (...) {
  return current_error();
}

TransactionalProducer::TransactionalProducer(std::shared_ptr<detail::TransactionalProducerImpl> impl) noexcept
    : impl_(std::move(impl)) {}
TransactionalProducer::TransactionalProducer(TransactionalProducer&&) noexcept = default;
TransactionalProducer& TransactionalProducer::operator=(TransactionalProducer&&) noexcept = default;
TransactionalProducer::~TransactionalProducer() = default;

Result<Transaction> TransactionalProducer::begin() try {
  if (!impl_) return base::moved_from("TransactionalProducer");
  return impl_->begin();
} catch (...) {
  return current_error();
}
ProducerId TransactionalProducer::producer_id() const noexcept {
  return impl_ ? impl_->holder->identity().id : -1;
}
ProducerEpoch TransactionalProducer::producer_epoch() const noexcept {
  return impl_ ? impl_->holder->identity().epoch : ProducerEpoch{-1};
}
const std::string& TransactionalProducer::transactional_id() const noexcept {
  static const std::string none;
  return impl_ ? impl_->options.transactional_id : none;
}

}  // namespace v0
}  // namespace seriatim
