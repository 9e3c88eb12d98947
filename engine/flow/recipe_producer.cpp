#include "flow/recipe_producer.hpp"

namespace seriatim::flow {

Result<TransactionalProducer> open_recipe_producer(const Engine& engine, const std::string& id, Acks acks) {
  TransactionalProducerOptions options{.transactional_id = id, .acks = acks};
  for (;;) {
    auto producer = engine.transactional_producer(options);
    const bool is_too_long = !producer && producer.error().code() == Errc::invalid_transaction_timeout;
    if (!is_too_long || options.transaction_timeout.count() <= 1) return producer;
    options.transaction_timeout /= 2;
  }
}

}  // namespace seriatim::flow
