// State tables of the recipes themselves. Their names begin with "__", so that no application changes one.
#pragma once

#include <string_view>

#include <seriatim/transaction.hpp>

namespace seriatim {
inline namespace v0 {
namespace detail {

struct OwnTables {
  static TransactionTable of(Transaction& transaction, std::string_view name) {
    return transaction.own_state(name);
  }
};

}  // namespace detail
}  // namespace v0

namespace flow {

/// As `Transaction::state`, of a name that begins with "__".
inline TransactionTable own_table(Transaction& transaction, std::string_view name) {
  return detail::OwnTables::of(transaction, name);
}

}  // namespace flow
}  // namespace seriatim
