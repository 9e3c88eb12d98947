// Transactional producers of the recipes themselves.
#pragma once

#include <string>

#include <seriatim/engine.hpp>
#include <seriatim/result.hpp>
#include <seriatim/transaction.hpp>
#include <seriatim/types.hpp>

namespace seriatim::flow {

/// Its transactions are open for as long as a commit takes: the usual time-out, or the longest that the
/// engine allows, if that is less.
/// Errors: as Engine::transactional_producer.
Result<TransactionalProducer> open_recipe_producer(const Engine& engine, const std::string& id, Acks acks);

}  // namespace seriatim::flow
