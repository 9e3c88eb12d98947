// A transaction with the ids that it has in hand.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include <seriatim/transaction.hpp>

#include "flow/dedupe/dedupe_ledger.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {

struct DedupeWork {
  explicit DedupeWork(Transaction begun) : transaction(std::move(begun)) {}
  Transaction transaction;
  std::optional<TransactionalProducer> slot{};  ///< Of those of `begin`; comes back at the end.
  std::map<std::string, flow::DedupeHeld, std::less<>> held{};
  bool is_over = false;
};

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
