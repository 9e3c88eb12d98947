// One LMDB environment and its transactions: everything LMDB asks its users to take care of is taken care of
// here.
//
//   the map is full, or grown by another process  enlarged while no transaction is inside; the body runs anew
//   readers that died                             cleared at open, before each write, when the table is full
//   assertions                                    become corrupt_metadata; the environment is abandoned
//   a failed sync                                 latched: nothing is accepted until the catalog is reopened
//   fork()                                        the child's copy refuses to work and touches nothing
//   two environments of one file in a process     refused
//   no lock file can be written (read-only)       opened without; each read is checked for staleness
//
// Flags are LMDB's defaults with full sync (no WRITEMAP, NOSYNC or NOMETASYNC: each of them loses what was
// committed on a power cut) and NOTLS, so that a read transaction belongs to a call and not to a thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <seriatim/result.hpp>

#include "base/bytes.hpp"
#include "base/mutex.hpp"
#include "catalog/lmdb/env_registry.hpp"
#include "catalog/lmdb/page_walk.hpp"
#include "catalog/lmdb/reader_numbers.hpp"
#include "catalog/lmdb/transaction_gate.hpp"
#include "catalog/records/catalog_options.hpp"
#include "catalog/records/catalog_schema.hpp"

struct MDB_env;
struct MDB_txn;

namespace seriatim::catalog {

class Environment;

/// Reads of one consistent state. Made by Environment::read only.
///
/// Views it returns point into the map and live as long as the transaction; in a write transaction, until its
/// next put or erase.
class ReadTransaction {
 public:
  ReadTransaction(const ReadTransaction&) = delete;
  ReadTransaction& operator=(const ReadTransaction&) = delete;

  /// The stored bytes, or nothing.
  Result<std::optional<base::ByteSpan>> get(Database database, std::string_view key) const;

  /// Called per pair; false ends the scan.
  using Visitor = std::function<Result<bool>(std::string_view key, base::ByteSpan value)>;
  /// Visits pairs in key order, from the first key that is not below `from`. The visitor must not write.
  Result<void> scan(Database database, std::string_view from, const Visitor& visitor) const;

  /// LMDB's number of the state that is read (of the one that is being written).
  std::uint64_t number() const;
  /// Of the catalog, for messages.
  const std::string& directory() const noexcept;

 protected:
  friend class Environment;
  ReadTransaction(const Environment& environment, MDB_txn* transaction)
      : environment_(environment), transaction_(transaction) {}
  Error failed(int code, std::string_view doing, Database database, std::string_view key) const;

  const Environment& environment_;
  MDB_txn* transaction_;
  mutable bool met_full_map_ = false;
};

/// A transaction that may also write. Made by Environment::write only.
class WriteTransaction : public ReadTransaction {
 public:
  /// Stores or replaces.
  Result<void> put(Database database, std::string_view key, std::string_view value);
  /// @return  whether it was there.
  Result<bool> erase(Database database, std::string_view key);
  /// Makes a database that is not there.
  /// @return  LMDB's handle, good in this transaction, and after it once it is committed.
  Result<unsigned> create_database(Database database);

 private:
  friend class Environment;
  using ReadTransaction::ReadTransaction;
  /// Keeps the state's own number in it (catalog_schema.hpp).
  Result<void> put_number();

  bool has_changed_ = false;
};

/// Threads: any number. One writer at a time, the others wait; readers do not wait for writers.
class Environment {
 public:
  using ReadBody = std::function<Result<void>(ReadTransaction&)>;
  using WriteBody = std::function<Result<void>(WriteTransaction&)>;

  /// Opens what create() made. Files, meta pages and all used pages are checked first, and all values given
  /// to `on_value` (again from the beginning, after `on_restart`, if another process changed the state
  /// meanwhile).
  struct Verification {
    ValueCheck on_value{};
    std::function<void()> on_restart{};
  };
  static Result<std::unique_ptr<Environment>> open(const std::string& directory,
                                                   const CatalogOptions& options,
                                                   const Verification& verification);
  /// Makes all databases in an empty directory, with what `fill` puts there, in one synced transaction.
  static Result<void> create(const std::string& directory, const CatalogOptions& options,
                             const WriteBody& fill);

  /// Makes the databases that an older catalog does not have, in one transaction that changes nothing else.
  /// Before any other thread uses the environment. Without effect if it has them, or is open read-only.
  Result<void> add_missing_databases();

  ~Environment();
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  /// Lets go of the files, once running transactions have ended; from then on every call answers closed.
  /// Idempotent; in a forked child, which has nothing to close, without effect.
  void close();

  /// Runs `body` on one state. It may run more than once (the map was enlarged by another process), so it
  /// must begin by clearing what it collects. It must not call read() or write().
  Result<void> read(const ReadBody& body) const;
  /// Runs `body` and commits with full sync if it succeeds; else nothing is stored. It may run more than
  /// once, and must not call read() or write().
  Result<void> write(const WriteBody& body);

  struct Info {
    std::uint64_t map_bytes = 0;
    std::uint64_t used_bytes = 0;
    std::uint64_t last_transaction = 0;
    bool lock_free = false;
  };
  Result<Info> info() const;
  const std::string& directory() const noexcept { return directory_; }

 private:
  friend class ReadTransaction;
  friend class WriteTransaction;

  enum class Next { finished, map_full, map_resized, stale };
  struct Attempt {
    Next next = Next::finished;
    Result<void> result{};
    std::uint64_t map_bytes = 0;  ///< the map it ran on
  };
  class OpenTransaction;

  Environment(std::string directory, const CatalogOptions& options, OpenClaim claim);

  Result<void> open_files(bool is_birth);
  int open_once(unsigned flags);
  Result<void> open_databases(bool is_birth);
  Result<void> open_handles(MDB_txn* raw, bool is_birth) const;
  /// Opens what another process may have added to an older catalog.
  Result<void> look_for_databases() const;
  Result<void> verify_pages(const Verification& verification) const;
  /// @return  the number of the state in use.
  Result<std::uint64_t> verify_number() const;
  Result<void> detect_lock();
  Result<void> check_usable() const;
  int begin(bool is_write, MDB_txn*& transaction) const;
  Attempt try_read(const ReadBody& body) const;
  Attempt read_once(const ReadBody& body) const;
  /// Of the last commit.
  std::uint64_t last_number() const;
  /// Whether this process writes without a lock file: then it keeps its own readers' states itself.
  bool keeps_readers() const noexcept {
    return !options_.has_lock_file && options_.access == Access::read_write;
  }
  Attempt try_write(const WriteBody& body) const;
  /// Does nothing if the map is no longer the one of `seen_bytes`.
  Result<void> enlarge_map(std::uint64_t seen_bytes) const;
  /// Notes in the environment what a failed LMDB call means for it, and returns it as an Error.
  Error call_failed(int code, std::string_view doing) const;
  Error write_failed(int code, std::string_view doing) const;
  /// Refuses everything from now on with `error`; the first one stays.
  Error latch(Error error) const;
  /// As latch, after an assertion: LMDB's state is unknown, so it is never called again, not even to close.
  Error abandon(Error error) const;
  void close_files();

  std::string directory_;
  CatalogOptions options_;
  std::uint64_t process_;
  mutable std::optional<OpenClaim> claim_;
  MDB_env* env_ = nullptr;
  /// None for a database that an older catalog does not have. They change alone in the gate.
  mutable std::array<std::optional<unsigned>, database_count> handles_{};
  mutable std::atomic<bool> has_all_databases_{true};
  bool lock_free_ = false;
  mutable ReaderNumbers readers_;  ///< See keeps_readers.

  base::Mutex writer_;
  mutable TransactionGate gate_;
  mutable std::atomic<std::uint64_t> map_bytes_;
  mutable std::atomic<bool> is_latched_{false};
  mutable std::atomic<bool> is_abandoned_{false};
  mutable base::Mutex latch_mutex_;
  mutable std::optional<Error> latched_ SERIATIM_GUARDED_BY(latch_mutex_);
};

}  // namespace seriatim::catalog
