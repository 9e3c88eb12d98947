// Opening a data directory, step by step; each step can be repeated after a crash.
#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/boundary.hpp"
#include "delivery/delivery_thread.hpp"
#include "directory/background.hpp"
#include "directory/directory_birth.hpp"
#include "directory/engine_impl.hpp"
#include "directory/files/catalog_access.hpp"
#include "directory/files/format_file.hpp"
#include "directory/option_rules.hpp"
#include "directory/recovery/parts_check.hpp"
#include "directory/transaction_recovery.hpp"
#include "directory/upkeep/counters_file.hpp"
#include "os/absolute_path.hpp"
#include "os/descriptor.hpp"
#include "os/path.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {
namespace {

// The catalog's pages that are read must be on the disk: after a failed sync the page cache may hold what
// never got there. That the last stop was clean is itself such a fact, so it is not asked first. Synced
// before that: a meta page that a failed commit has taken back, or one of a process that was killed, may be
// in the page cache alone, and pages of the state that the disk has in its place are about to be used again.
Result<> settle_catalog(os::Vfs& vfs, const std::string& path) {
  auto file = vfs.open(path, os::OpenMode::read);
  if (!file && file.error().code() == Errc::not_found)
    return {};  // Opening the catalog says what is missing.
  if (!file) return file.error();
  if (auto synced = (*file)->sync_data(); !synced) return synced;
  return (*file)->drop_cache(0, 0);
}

Result<> write_synced(os::Vfs& vfs, const std::string& path, std::uint64_t position, base::ByteSpan bytes) {
  auto file = vfs.open(path, os::OpenMode::read_write);
  if (!file) return file.error();
  if (auto written = (*file)->write_at(bytes, position); !written) return written;
  return (*file)->sync_data();
}

// LMDB makes its table of readers sparse and stores into a map of it: on a full disk a store into a hole
// would be SIGBUS. LMDB uses the part beyond its need for more readers.
Result<> allocate_reader_table(os::Vfs& vfs, const std::string& path) {
  constexpr std::uint64_t table_bytes = 64ULL * 512;  // 510 slots and a header of two
  auto file = vfs.open(path, os::OpenMode::open_or_create);
  if (!file) return file.error();
  return (*file)->allocate(0, table_bytes);
}

// A writer that was killed may have left names that only the page cache has: FORMAT, the journal's directory,
// those of partitions. They would be lost in a power cut together with all that is built on them from here
// on.
Result<> settle_names(os::Vfs& vfs, const std::string& dir, const std::string& log_dir) {
  if (auto synced = vfs.sync_directory(dir); !synced) return synced;
  return vfs.sync_directory(log_dir);
}

}  // namespace

Result<std::shared_ptr<EngineImpl>> EngineImpl::open(const std::filesystem::path& dir,
                                                     EngineOptions engine_options, os::Vfs& vfs,
                                                     const base::Clock& clock, bool salvages) {
  // Every file is opened by its path, later ones too, wherever the program has changed to by then.
  auto absolute = os::absolute_path(dir);
  if (!absolute) return absolute.error();
  if (auto checked = directory::check_options(engine_options); !checked) return checked.error();
  // Until it is opened, its end closes nothing: see ~EngineImpl.
  std::shared_ptr<EngineImpl> impl(new EngineImpl(*absolute, std::move(engine_options), vfs, clock),
                                   &EngineImpl::destroy);
  impl->opening.salvages_journal = salvages;
  auto opened = base::answered([&]() -> Result<> {
    if (auto step = impl->open_directory(); !step) return step;
    // A full disk must not keep anybody from opening what is to be made smaller.
    std::optional<directory::Reserve::Spending> spending;
    if (!impl->is_read_only() && impl->reserve.is_needed()) spending.emplace(impl->reserve);
    if (auto step = impl->open_catalog(); !step) return step;
    if (auto step = impl->topics.read_catalog(); !step) return step;
    if (impl->is_read_only()) return directory::check_logs_fit(*impl->catalog, vfs, *absolute);
    if (auto step = impl->replay_journal(); !step) return step;
    if (auto step = impl->topics.finish_deletions(); !step) return step;
    if (auto step = impl->recover_after_crash(); !step) return step;
    return impl->begin_writing();
  });
  if (!opened) return opened.error();
  impl->opening.is_done = true;
  return impl;
}

Result<> EngineImpl::open_directory() {
  const std::string dir = directory.string();
  auto exists = vfs.exists(dir);
  if (!exists) return exists.error();
  if (!*exists) {
    if (options.mode != OpenMode::create_if_missing) {
      return Error(Errc::not_found, dir +
                                        " does not exist; correct the path, or create it with "
                                        "OpenMode::create_if_missing (`seriatim topic create` does)");
    }
    if (auto created = vfs.create_directory(dir); !created) return created;
    if (auto synced = vfs.sync_directory(os::parent_path(dir)); !synced) return synced;
  }
  auto has_format = vfs.exists(os::join_path(dir, directory::format_file_name));
  if (!has_format) return has_format.error();
  if (!*has_format) {
    auto entries = vfs.list(os::join_path(dir, ""));  // The directory itself may be a link; nothing in it.
    if (!entries && entries.error().sys_errno() == ENOTDIR) {
      return Error(Errc::not_a_data_directory, dir + " is no directory; choose another path", ENOTDIR);
    }
    if (!entries) return entries.error();
    const auto foreign = std::find_if(entries->begin(), entries->end(), [](const os::DirEntry& e) {
      return !directory::is_birth_leftover(e.name);
    });
    if (foreign != entries->end() || options.mode == OpenMode::read_only) {
      return Error(
          Errc::not_a_data_directory,
          dir + " has no FORMAT file" +
              (foreign != entries->end() ? " but holds " + foreign->name : std::string()) +
              ": it is not a seriatim data directory; choose another one, or an empty one to begin with");
    }
  }
  if (is_read_only()) {
    auto format = directory::read_format_file(vfs, dir);
    return format ? Result<>{} : Result<>(format.error());
  }
  auto locked = os::acquire_dir_lock(vfs, dir);
  if (!locked) return locked.error();
  lock = *std::move(locked);
  auto file_system = vfs.file_system(dir);
  if (!file_system) return file_system.error();
  writes.keeps_allocated_blocks = file_system->keeps_allocated_blocks;
  writes.is_mapped = options.write_mode == WriteMode::mapped ||
                     (options.write_mode == WriteMode::automatic && file_system->keeps_allocated_blocks);
  return {};
}

// FORMAT is written last: a directory without one is not born yet, and its birth begins anew.
Result<> EngineImpl::open_catalog() {
  const std::string dir = directory.string();
  const std::string path = os::join_path(dir, directory::catalog_directory_name);
  directory::FormatFile format;
  if (!is_read_only()) {
    auto has_format = vfs.exists(os::join_path(dir, directory::format_file_name));
    if (!has_format) return has_format.error();
    if (!*has_format) {
      const directory::Birth birth{.directory = dir, .has_lock_file = writes.keeps_allocated_blocks};
      if (auto born = directory::give_birth(vfs, birth); !born) return born;
    }
    auto read = directory::read_format_file(vfs, dir);
    if (!read) return read.error();
    format = *read;
    if (auto settled = settle_catalog(vfs, os::join_path(path, "data.mdb")); !settled) return settled;
  }
  if (auto sound = directory::check_layout(vfs, dir); !sound) return sound;
  if (!is_read_only()) {
    // Before the catalog is given what an older seriatim would not look at, and lose.
    if (auto added = directory::add_features(vfs, dir, format); !added) return added;
    if (writes.keeps_allocated_blocks) {
      auto allocated = allocate_reader_table(vfs, os::join_path(path, "lock.mdb"));
      if (!allocated) return allocated;
    }
  }
  auto catalog_options = directory::catalog_options(
      vfs, dir, is_read_only() ? catalog::Access::read_only : catalog::Access::read_write);
  catalog_options.write_synced = [this](const std::string& file, std::uint64_t position,
                                        base::ByteSpan bytes) {
    return write_synced(vfs, file, position, bytes);
  };
  auto opened = catalog::Catalog::open(path, catalog_options);
  if (!opened) return opened.error();
  catalog.emplace(*std::move(opened));
  if (is_read_only()) return {};
  auto record = catalog->engine();
  if (!record) return record.error();
  was_clean = record->clean_shutdown;
  if (!was_clean) {
    if (auto settled = settle_names(vfs, dir, log_directory()); !settled) return settled;
  }
  return {};
}

// After a clean close nothing is opened before it is used. After a crash every partition is recovered at
// once, because committed offsets must not exceed the recovered ends (INV-2).
Result<> EngineImpl::recover_after_crash() {
  if (was_clean) {
    replay.reset();
    return {};
  }
  // The journal may tell more than the flag, and recovery writes.
  if (auto told = catalog->set_clean_shutdown(false); !told) return told;
  if (last_stop() == segment::LastStop::kill) replay->expect_every_decision();
  if (auto opened = topics.open_all_partitions(); !opened) return opened.error();
  if (auto explained = check_markers(); !explained) return explained;
  directory::TransactionRecovery recovery(*this, *replay);
  if (auto rolled_back = recovery.roll_back_lost(); !rolled_back) return rolled_back;
  auto ends = topics.open_all_partitions();
  if (!ends) return ends.error();
  if (auto restored = replay->restore(facts); !restored) return restored;
  const auto lowered_shares = share_groups.lower(*ends);
  if (!lowered_shares) return lowered_shares.error();
  if (*lowered_shares > 0) {
    report(LogLevel::warn,
           std::to_string(*lowered_shares) +
               " partitions of share groups were beyond their recovered end and were set back "
               "to it");
  }
  if (auto finished = recovery.finish(); !finished) return finished;
  replay.reset();
  // The catalog is about to show what decisions at `leader` say, whose records may be in the page cache only.
  if (auto synced = checkpointer->sync_partitions(); !synced) return synced;
  // First the offsets, then their limit, then the LSN that says that all of it is done.
  if (auto stored = checkpointer->store_commits(); !stored) return stored;
  auto lowered = catalog->clamp_offsets(*ends);
  if (!lowered) return lowered.error();
  if (*lowered > 0) {
    report(LogLevel::warn,
           std::to_string(*lowered) +
               " committed offsets were beyond the recovered end of their partition and were set back to it");
  }
  committed_offsets.forget(journal->stats().staged_lsn);
  return checkpointer->checkpoint();
}

// From here on the files hold what this boot writes, until a sync fails: the next open can tell damage from
// what a power cut has left.
void EngineImpl::settle_directory() {
  health.on_failure([this] {
    if (auto told = lock.unsettle(); !told) report(LogLevel::error, told.error().message());
  });
  if (auto settled = lock.settle(); !settled) report(LogLevel::warn, settled.error().message());
}

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
