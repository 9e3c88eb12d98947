#include "catalog/lmdb/lmdb_env.hpp"

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/boundary.hpp"
#include "catalog/lmdb/lmdb_call.hpp"
#include "catalog/lmdb/lmdb_layout.hpp"
#include "catalog/lmdb/lmdb_transaction.hpp"

namespace seriatim::catalog {
namespace {

// A lock-free reader starts again when the writer has moved on by two commits, which takes it four syncs at
// least; more than a handful of times in a row means that reading takes longer than that.
constexpr int stale_attempts_max = 20;

bool is_full_disk(int code, const std::string& directory) {
  if (code == ENOSPC || code == EDQUOT || code == EFBIG) return true;
  if (code != EIO) return false;
  // LMDB answers EIO when a write was cut short, which is what the first write into a full disk looks like.
  constexpr std::uintmax_t room_bytes = std::uintmax_t{1} << 20U;  // arbitrary: less is full for any purpose
  std::error_code failure;
  const std::filesystem::space_info space = std::filesystem::space(directory, failure);
  return !failure && space.available < room_bytes;
}

}  // namespace

Environment::Environment(std::string directory, const CatalogOptions& options, OpenClaim claim)
    : directory_(std::move(directory)),
      options_(options),
      process_(options.process_identity()),
      claim_(std::move(claim)),
      map_bytes_(options.map_bytes) {}

Environment::~Environment() { close_files(); }

void Environment::close() {
  if (options_.process_identity() != process_) return;
  const TransactionGate::PassAlone alone(gate_);
  // Where there is no memory to say it, that is said: it is closed in any case.
  const auto why = base::answered([this]() -> Result<void> {
    return Error(Errc::closed, "catalog " + directory_ + " was closed; open the engine again");
  });
  latch(why.error());
  close_files();
}

void Environment::close_files() {
  if (env_ == nullptr) return;
  // In a forked child the file locks and the reader table are the parent's; after an assertion LMDB's memory
  // is in an unknown state. Both are left as they are, and the process's end releases them.
  if (options_.process_identity() != process_ || is_abandoned_) {
    claim_->keep_for_ever();
    return;
  }
  guarded([this] {
    mdb_env_close(env_);
    return 0;
  });
  env_ = nullptr;
  claim_.reset();
}

Result<void> Environment::check_usable() const {
  if (options_.process_identity() != process_) {
    return Error(Errc::invalid_state,
                 "catalog " + directory_ +
                     ": this is a copy from before fork(); use it in the process that opened "
                     "it, or open the engine anew in this one after that one closed it");
  }
  if (!is_latched_) return {};
  base::MutexLock lock(latch_mutex_);
  return *latched_;
}

Error Environment::latch(Error error) const {
  base::MutexLock lock(latch_mutex_);
  if (!latched_) latched_ = error;
  is_latched_ = true;
  return error;
}

Error Environment::abandon(Error error) const {
  is_abandoned_ = true;
  return latch(std::move(error));
}

Error Environment::call_failed(int code, std::string_view doing) const {
  Error error = lmdb_error(code, doing, directory_);
  if (code == assertion_failed) return abandon(std::move(error));
  if (code == MDB_PANIC) return latch(std::move(error));
  return error;
}

// A commit writes pages that nothing refers to yet, syncs them, then writes and syncs the meta page. A
// failure before the meta page leaves the last state untouched, and the next commit writes all of its own
// pages anew: a full disk is therefore safe to go on from. A failed sync is not taken for that: it is final
// (the kernel may have dropped what it could not write), as is a failed meta page, after which LMDB answers
// MDB_PANIC.
Error Environment::write_failed(int code, std::string_view doing) const {
  if (code == assertion_failed || code < 0) return call_failed(code, doing);
  MDB_txn* probe = nullptr;
  const int probed = begin(false, probe);
  if (probed == assertion_failed) return call_failed(probed, doing);
  OpenTransaction probe_owner(probe);
  if (probed != MDB_PANIC) {
    if (code == ENOMEM) return lmdb_error(code, doing, directory_);
    if (is_full_disk(code, directory_)) return lmdb_error(ENOSPC, doing, directory_);
  }
  return latch(
      Error(Errc::storage_failed,
            lmdb_error(code, doing, directory_).message() +
                "; the catalog accepts nothing more: close the engine, check the disk, open it again",
            code, Outcome::unknown));
}

int Environment::begin(bool is_write, MDB_txn*& transaction) const {
  const unsigned flags = is_write ? 0U : static_cast<unsigned>(MDB_RDONLY);
  int code = guarded([&] { return mdb_txn_begin(env_, nullptr, flags, &transaction); });
  if (code == MDB_READERS_FULL) {
    int cleared = 0;
    guarded([&] { return mdb_reader_check(env_, &cleared); });
    if (cleared > 0) code = guarded([&] { return mdb_txn_begin(env_, nullptr, flags, &transaction); });
  }
  if (code != 0) transaction = nullptr;
  return code;
}

std::uint64_t Environment::last_number() const {
  MDB_envinfo now{};
  guarded([&] { return mdb_env_info(env_, &now); });
  return now.me_last_txnid;
}

Environment::Attempt Environment::try_read(const ReadBody& body) const {
  const TransactionGate::Pass pass(gate_);
  if (Result<void> usable = check_usable(); !usable) return {Next::finished, std::move(usable), map_bytes_};
  if (!keeps_readers()) return read_once(body);
  // The number first: what is read is that state or a later one.
  const ReaderNumbers::Reading reading(readers_, last_number());
  return read_once(body);
}

Environment::Attempt Environment::read_once(const ReadBody& body) const {
  const std::uint64_t map_bytes = map_bytes_;
  MDB_txn* raw = nullptr;
  const int begun = begin(false, raw);
  if (begun == MDB_MAP_RESIZED) return {Next::map_resized, {}, map_bytes};
  if (begun != 0) return {Next::finished, call_failed(begun, "beginning a read"), map_bytes};
  OpenTransaction owner(raw);
  ReadTransaction transaction(*this, raw);
  Result<void> result = body(transaction);
  if (is_abandoned_) owner.release();
  if (lock_free_ && !keeps_readers() && !is_abandoned_) {
    // Without an entry in the reader table the writer may reuse the pages of a state once it is two commits
    // on.
    if (last_number() > transaction.number() + 1) return {Next::stale, {}, map_bytes};
  }
  return {Next::finished, std::move(result), map_bytes};
}

Result<void> Environment::read(const ReadBody& body) const {
  if (!has_all_databases_) {
    if (Result<void> looked = look_for_databases(); !looked) return looked;
  }
  for (int stale = 0; stale < stale_attempts_max;) {
    Attempt attempt = try_read(body);
    if (attempt.next == Next::finished) return std::move(attempt.result);
    if (attempt.next == Next::stale) {
      ++stale;
    } else if (Result<void> enlarged = enlarge_map(attempt.map_bytes); !enlarged) {
      return enlarged;
    }
  }
  return Error(Errc::timed_out, "catalog " + directory_ +
                                    ": it changed faster than it could be read without its lock file; make "
                                    "lock.mdb writable for this user, or retry");
}

Environment::Attempt Environment::try_write(const WriteBody& body) const {
  const TransactionGate::Pass pass(gate_);
  const std::uint64_t map_bytes = map_bytes_;
  if (Result<void> usable = check_usable(); !usable) return {Next::finished, std::move(usable), map_bytes};
  // A reader process that died without a word would keep every page from being used again from then on.
  int cleared = 0;
  guarded([&] { return mdb_reader_check(env_, &cleared); });
  if (keeps_readers()) readers_.wait_for_older_than(last_number() + 1);
  MDB_txn* raw = nullptr;
  const int begun = begin(true, raw);
  if (begun == MDB_MAP_RESIZED) return {Next::map_resized, {}, map_bytes};
  if (begun != 0) return {Next::finished, call_failed(begun, "beginning a write"), map_bytes};
  OpenTransaction owner(raw);
  WriteTransaction transaction(*this, raw);
  Result<void> result = body(transaction);
  if (result && transaction.has_changed_) result = transaction.put_number();
  if (is_abandoned_) {
    owner.release();
    return {Next::finished, check_usable(), map_bytes};
  }
  if (transaction.met_full_map_) return {Next::map_full, {}, map_bytes};
  if (!result || !transaction.has_changed_) return {Next::finished, std::move(result), map_bytes};
  owner.release();  // a commit ends the transaction, whatever it answers
  const int committed = guarded([&] { return mdb_txn_commit(raw); });
  if (committed == MDB_MAP_FULL) return {Next::map_full, {}, map_bytes};
  if (committed != 0) return {Next::finished, write_failed(committed, "committing"), map_bytes};
  return {Next::finished, {}, map_bytes};
}

Result<void> Environment::write(const WriteBody& body) {
  if (options_.access == Access::read_only) {
    return Error(Errc::read_only,
                 "catalog " + directory_ + " was opened read-only; open the engine for writing to change it");
  }
  // Before the lock: in a forked child the lock may be held by a thread that does not exist there.
  if (Result<void> usable = check_usable(); !usable) return usable;
  // LMDB has a writer lock of its own, but one that a failed assertion leaves locked for ever: whoever waited
  // in LMDB would never return.
  const base::MutexLock one_writer(writer_);
  for (;;) {
    Attempt attempt = try_write(body);
    if (attempt.next == Next::finished) return std::move(attempt.result);
    if (Result<void> enlarged = enlarge_map(attempt.map_bytes); !enlarged) return enlarged;
  }
}

Result<void> Environment::enlarge_map(std::uint64_t seen_bytes) const {
  const TransactionGate::PassAlone alone(gate_);
  if (Result<void> usable = check_usable(); !usable) return usable;
  if (map_bytes_ != seen_bytes) return {};
  if (seen_bytes >= lmdb::map_bytes_max / 2) {
    return Error(Errc::storage_full, "catalog " + directory_ + " has reached the largest size, " +
                                         std::to_string(seen_bytes) + " bytes; delete topics or groups");
  }
  // LMDB takes more than asked for if another process has grown the file beyond it.
  const int code = guarded([&] { return mdb_env_set_mapsize(env_, seen_bytes * 2); });
  if (code != 0) return latch(call_failed(code, "enlarging the map"));  // the old map is gone already
  MDB_envinfo now{};
  guarded([&] { return mdb_env_info(env_, &now); });
  map_bytes_ = now.me_mapsize;
  return {};
}

Result<Environment::Info> Environment::info() const {
  const TransactionGate::Pass pass(gate_);
  if (Result<void> usable = check_usable(); !usable) return usable.error();
  MDB_envinfo now{};
  MDB_stat stat{};
  guarded([&] { return mdb_env_info(env_, &now); });
  guarded([&] { return mdb_env_stat(env_, &stat); });
  return Info{now.me_mapsize, (now.me_last_pgno + 1) * stat.ms_psize, now.me_last_txnid, lock_free_};
}

}  // namespace seriatim::catalog
