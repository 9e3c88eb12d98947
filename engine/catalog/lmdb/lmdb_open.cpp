// Opening and making an environment: the order here is what keeps a damaged or foreign file from ending the
// process. Nothing of LMDB sees the file before its kind and its meta pages are checked, and no tree is
// followed before every page of it is.
#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "base/assert.hpp"
#include "catalog/lmdb/data_file_check.hpp"
#include "catalog/lmdb/lmdb_call.hpp"
#include "catalog/lmdb/lmdb_env.hpp"
#include "catalog/lmdb/lmdb_transaction.hpp"
#include "catalog/lmdb/meta_mend.hpp"
#include "catalog/records/value_codec.hpp"

namespace seriatim::catalog {
namespace {

// Slots of 64 bytes in lock.mdb, one per read transaction that is open at one time in all processes.
constexpr unsigned readers_max = 510;
constexpr unsigned file_mode = 0640;
constexpr std::uint64_t map_unit_bytes = 65'536;  // a multiple of every page size there is

Result<OpenClaim> claim_directory(const std::string& directory, const CatalogOptions& options) {
  SERIATIM_ASSERT(options.process_identity != nullptr);
  return OpenClaim::acquire(directory, options.process_identity());
}

Result<void> put_mend(const std::string& directory, const CatalogOptions& options, const MetaMend& mend) {
  if (options.write_synced) return options.write_synced(data_file(directory), mend.position, mend.bytes);
  return Error(Errc::corrupt_metadata, "catalog " + directory + ": state " + std::to_string(mend.number) +
                                           ", the last that was stored, cannot be followed before a meta "
                                           "page is written anew; open it with the engine, which does that");
}

// Before LMDB sees the file: it would follow an older state, or refuse the file.
// @return  the number of the state it follows after that; nothing if nothing had to be done.
Result<std::optional<std::uint64_t>> mend_meta_pages(const std::string& directory,
                                                     const CatalogOptions& options) {
  if (options.access == Access::read_only) return std::optional<std::uint64_t>();
  const Result<std::optional<MetaMend>> mend = find_meta_mend(directory);
  if (!mend) return mend.error();
  if (!mend->has_value()) return std::optional<std::uint64_t>();
  if (Result<void> put = put_mend(directory, options, **mend); !put) return std::move(put).error();
  return std::optional((*mend)->number);
}

}  // namespace

Result<std::unique_ptr<Environment>> Environment::open(const std::string& directory,
                                                       const CatalogOptions& options,
                                                       const Verification& verification) {
  if (options.before_open) options.before_open();
  if (Result<void> kinds = check_file_kinds(directory); !kinds) return kinds.error();
  Result<OpenClaim> claim = claim_directory(directory, options);
  if (!claim) return claim.error();
  const Result<std::optional<std::uint64_t>> mended = mend_meta_pages(directory, options);
  if (!mended) return mended.error();
  if (const Result<lmdb::Meta> meta = check_meta_pages(directory); !meta) return meta.error();
  std::unique_ptr<Environment> environment(new Environment(directory, options, std::move(*claim)));
  if (Result<void> opened = environment->open_files(false); !opened) return opened.error();
  if (Result<void> detected = environment->detect_lock(); !detected) return detected.error();
  if (Result<void> verified = environment->verify_pages(verification); !verified) return verified.error();
  if (Result<void> databases = environment->open_databases(false); !databases) return databases.error();
  const Result<std::uint64_t> number = environment->verify_number();
  if (!number) return number.error();
  if (*mended && **mended != *number) {
    const Result<MetaMend> other = without_other_state(directory, *number);
    if (!other) return other.error();
    if (Result<void> put = put_mend(directory, options, *other); !put) return std::move(put).error();
  }
  return environment;
}

Result<void> Environment::create(const std::string& directory, const CatalogOptions& options,
                                 const WriteBody& fill) {
  std::error_code failure;
  const bool is_empty = std::filesystem::is_empty(directory, failure);
  if (failure) return lmdb_error(failure.value(), "examining the directory", directory);
  if (!is_empty) {
    return Error(Errc::invalid_argument,
                 "cannot make a catalog in " + directory + ": it is not empty; give an empty directory");
  }
  Result<OpenClaim> claim = claim_directory(directory, options);
  if (!claim) return claim.error();
  const std::unique_ptr<Environment> environment(new Environment(directory, options, std::move(*claim)));
  if (Result<void> opened = environment->open_files(true); !opened) return opened;
  if (Result<void> databases = environment->open_databases(true); !databases) return databases;
  return environment->write(fill);
}

int Environment::open_once(unsigned flags) {
  int code = mdb_env_create(&env_);
  if (code != 0) return code;
  trap_assertions(env_);
  map_bytes_ = base::align_up(options_.map_bytes, map_unit_bytes);
  code = guarded([this] { return mdb_env_set_maxreaders(env_, readers_max); });
  if (code == 0) code = guarded([this] { return mdb_env_set_maxdbs(env_, database_count); });
  if (code == 0) code = guarded([this] { return mdb_env_set_mapsize(env_, map_bytes_); });
  if (options_.before_open) options_.before_open();
  if (code == 0)
    code = guarded([this, flags] { return mdb_env_open(env_, directory_.c_str(), flags, file_mode); });
  // LMDB does it for the others itself.
  mdb_filehandle_t data_file = -1;
  if (code == 0 && options_.after_open && mdb_env_get_fd(env_, &data_file) == 0)
    options_.after_open(data_file);
  if (code == assertion_failed) {
    abandon(lmdb_error(code, "opening", directory_));
  } else if (code != 0) {
    mdb_env_close(env_);
    env_ = nullptr;
  }
  return code;
}

Result<void> Environment::open_files(bool is_birth) {
  const bool is_read_only = options_.access == Access::read_only && !is_birth;
  const unsigned flags = MDB_NOTLS | (is_read_only ? MDB_RDONLY : 0U) |
                         (options_.has_lock_file ? 0U : static_cast<unsigned>(MDB_NOLOCK));
  int code = open_once(flags);
  if (is_read_only && (code == EACCES || code == EPERM || code == EROFS))
    code = open_once(flags | MDB_NOLOCK);
  if (code != 0) return lmdb_error(code, "opening", directory_);
  // LMDB made the map as large as the file needs, if that is more than was asked for.
  MDB_envinfo info{};
  guarded([&] { return mdb_env_info(env_, &info); });
  map_bytes_ = info.me_mapsize;
  if (is_read_only) return {};
  int cleared = 0;
  const int checked = guarded([&] { return mdb_reader_check(env_, &cleared); });
  if (checked != 0) return call_failed(checked, "clearing readers that died");
  return {};
}

// LMDB itself goes on without a lock file on a read-only file system, and tells nobody; but then an open read
// transaction is not in any reader table.
Result<void> Environment::detect_lock() {
  return read([this](ReadTransaction&) -> Result<void> {
    MDB_envinfo info{};
    guarded([&] { return mdb_env_info(env_, &info); });
    lock_free_ = info.me_numreaders == 0;
    return {};
  });
}

Result<void> Environment::verify_pages(const Verification& verification) const {
  // Beside a live writer the meta page of our state may be replaced between the begin and the look at it.
  constexpr int attempts_max = 10;
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    bool is_replaced = false;
    Result<void> walked = read([&](ReadTransaction& transaction) -> Result<void> {
      const Result<std::optional<lmdb::Meta>> meta = meta_of_transaction(directory_, transaction.number());
      if (!meta) return meta.error();
      is_replaced = !meta->has_value();
      if (is_replaced) return {};
      verification.on_restart();
      const Result<PageCount> pages = walk_pages(directory_, **meta, verification.on_value);
      if (!pages) return pages.error();
      return {};
    });
    if (!walked || !is_replaced) return walked;
  }
  return Error(Errc::timed_out,
               "catalog " + directory_ + ": it changes faster than it can be examined; retry");
}

Result<std::uint64_t> Environment::verify_number() const {
  std::uint64_t verified = 0;
  Result<void> done = read([&](ReadTransaction& in) -> Result<void> {
    const Result<std::optional<base::ByteSpan>> value = in.get(Database::engine, transaction_key);
    if (!value) return value.error();
    const std::optional<std::uint64_t> number = value->has_value() ? number_in(**value) : std::nullopt;
    verified = in.number();
    if (number == verified) return {};
    return Error(Errc::corrupt_metadata,
                 "catalog " + directory_ + ": state " + std::to_string(in.number()) +
                     " is not the last that was stored, the number of a meta page was damaged" +
                     damaged_catalog_advice);
  });
  if (!done) return std::move(done).error();
  return verified;
}

Result<void> Environment::open_databases(bool is_birth) {
  MDB_txn* raw = nullptr;
  int begun = begin(is_birth, raw);
  while (begun == MDB_MAP_RESIZED) {  // another process writes
    if (Result<void> enlarged = enlarge_map(map_bytes_); !enlarged) return enlarged;
    begun = begin(is_birth, raw);
  }
  if (begun != 0) return call_failed(begun, "opening the databases");
  return open_handles(raw, is_birth);
}

Result<void> Environment::open_handles(MDB_txn* raw, bool is_birth) const {
  OpenTransaction owner(raw);
  std::vector<std::string> missing;
  for (std::size_t i = 0; i < database_count; ++i) {
    const std::string name(database_names[i]);
    const unsigned flags = is_birth ? static_cast<unsigned>(MDB_CREATE) : 0U;
    unsigned handle = 0;
    const int opened = guarded([&] { return mdb_dbi_open(raw, name.c_str(), flags, &handle); });
    if (opened == assertion_failed) owner.release();
    if (opened != 0 && opened != MDB_NOTFOUND) return call_failed(opened, "opening database " + name);
    if (opened == 0) handles_[i] = handle;
    if (opened == MDB_NOTFOUND) missing.push_back(name);
  }
  // An older catalog lacks all that were added since, because those of one version are made together;
  // anything else was there.
  const bool is_older =
      std::any_of(database_counts.begin(), database_counts.end(), [&missing](std::size_t count) {
        return std::equal(missing.begin(), missing.end(),
                          database_names.begin() + static_cast<std::ptrdiff_t>(count), database_names.end());
      });
  if (!is_older) {
    return Error(Errc::corrupt_metadata, "catalog " + directory_ + ": the database \"" + missing.front() +
                                             "\" is missing" + damaged_catalog_advice);
  }
  has_all_databases_ = missing.empty();
  owner.release();
  const int committed = guarded([&] { return mdb_txn_commit(raw); });
  if (committed != 0) return write_failed(committed, "opening the databases");
  return {};
}

Result<void> Environment::look_for_databases() const {
  // Before the gate, as in write().
  if (Result<void> usable = check_usable(); !usable) return usable;
  const TransactionGate::PassAlone alone(gate_);
  if (Result<void> usable = check_usable(); !usable) return usable;
  MDB_txn* raw = nullptr;
  const int begun = begin(false, raw);
  if (begun == MDB_MAP_RESIZED)
    return {};  // The read that comes next enlarges the map; the one after it looks.
  if (begun != 0) return call_failed(begun, "looking for databases");
  return open_handles(raw, false);
}

Result<void> Environment::add_missing_databases() {
  if (has_all_databases_ || options_.access == Access::read_only) return {};
  // Looked up before: the body runs again, where the map has to grow, and what it made before is gone.
  std::vector<std::size_t> missing;
  for (std::size_t i = first_database_count; i < database_count; ++i) {
    if (!handles_[i]) missing.push_back(i);
  }
  Result<void> added = write([this, &missing](WriteTransaction& out) -> Result<void> {
    for (const std::size_t i : missing) {
      const Result<unsigned> handle = out.create_database(static_cast<Database>(i));
      if (!handle) return handle.error();
      handles_[i] = *handle;
    }
    return {};
  });
  if (added) has_all_databases_ = true;
  return added;
}

}  // namespace seriatim::catalog
