// Owner of an open LMDB transaction. Private to catalog/*.cpp: it includes lmdb.h.
#pragma once

#include "catalog/lmdb/lmdb_call.hpp"
#include "catalog/lmdb/lmdb_env.hpp"

namespace seriatim::catalog {

/// Aborts on destruction, unless released before.
class Environment::OpenTransaction {
 public:
  explicit OpenTransaction(MDB_txn* transaction) : transaction_(transaction) {}
  ~OpenTransaction() {
    if (transaction_ == nullptr) return;
    guarded([this] {
      mdb_txn_abort(transaction_);
      return 0;
    });
  }
  OpenTransaction(const OpenTransaction&) = delete;
  OpenTransaction& operator=(const OpenTransaction&) = delete;
  void release() noexcept { transaction_ = nullptr; }

 private:
  MDB_txn* transaction_;
};

}  // namespace seriatim::catalog
