#include "directory/upkeep/reserve.hpp"

#include <utility>

#include "base/boundary.hpp"
#include "os/path.hpp"

namespace seriatim::directory {

Reserve::Reserve(os::Vfs& vfs, const std::string& directory)
    : vfs_(vfs), directory_(directory), path_(os::join_path(directory, reserve_file_name)) {}

Result<> Reserve::make() {
  const base::MutexLock lock(mutex_);
  if (is_whole_ || spenders_ > 0) return {};
  return make_locked(Partly::yes);
}

Result<> Reserve::make_locked(Partly partly) {
  auto exists = vfs_.exists(path_);
  if (!exists) return exists.error();
  auto file = vfs_.open(path_, os::OpenMode::open_or_create);
  if (!file) return file.error();
  auto allocated = allocate(**file);
  if (!allocated && partly == Partly::yes) {
    if (auto kept = allocate_part(**file); !kept) return kept;
  }
  if (!allocated && !*exists && !is_owed_.load(std::memory_order_relaxed)) {
    // A disk too small for it: the engine works without, as in a directory of an earlier release. Left
    // behind, the empty file says that it is owed.
    if (vfs_.remove(path_)) return allocated;
  }
  is_whole_ = allocated.ok();
  is_owed_.store(!is_whole_, std::memory_order_release);
  return allocated;
}

// Blocks that it has already cost nothing, and stay: its length is what is kept.
Result<> Reserve::allocate(os::File& file) {
  const auto kept = file.size();
  if (!kept) return kept.error();
  auto allocated = file.allocate(0, reserve_bytes);
  if (allocated) return allocated;
  if (auto cut = file.truncate(*kept); !cut) return cut;
  return allocated;
}

// Where there is no room for the whole, as much as there is: what the catalog has grown by is missing, and
// whoever fills the disk next would take the rest.
Result<> Reserve::allocate_part(os::File& file) {
  constexpr std::uint64_t piece_bytes = reserve_bytes / 16;
  const auto kept = file.size();
  if (!kept) return kept.error();
  for (std::uint64_t size = reserve_bytes - piece_bytes; size >= *kept + piece_bytes; size -= piece_bytes) {
    if (file.allocate(0, size)) return {};
    if (auto cut = file.truncate(*kept); !cut) return cut;
  }
  return {};
}

// True if a call that found the disk full may find room now: blocks were given up here, or by somebody
// before.
bool Reserve::begin_spending() {
  const base::MutexLock lock(mutex_);
  ++spenders_;
  const bool was_owed = is_owed_.load(std::memory_order_relaxed);
  auto file = vfs_.open(path_, os::OpenMode::read_write);
  if (!file) return was_owed && !is_whole_;
  // From here on nobody begins to take blocks; those who began before would take what is given up.
  is_owed_.store(true, std::memory_order_release);
  while (takers_ > 0) nobody_takes_.wait(mutex_);
  // Cut, not removed: that it is there and empty tells the next open that it is owed.
  auto cut = (*file)->truncate(0);
  if (cut) is_whole_ = false;
  is_owed_.store(was_owed || cut.ok(), std::memory_order_release);
  // A file system with a journal gives blocks out again when its own commit is done.
  if (cut) static_cast<void>((*file)->sync_all().ok());
  return !is_whole_;
}

Result<> Reserve::begin_taking() {
  const base::MutexLock lock(mutex_);
  if (auto allowed = allow_taking(); !allowed) return allowed;
  ++takers_;
  return {};
}

void Reserve::end_taking() noexcept {
  const base::MutexLock lock(mutex_);
  if (--takers_ == 0) nobody_takes_.notify_all();
}

// A failure is what makes it owed; whoever needs blocks next, or the background thread, tries again.
void Reserve::end_spending() {
  const base::MutexLock lock(mutex_);
  --spenders_;
  if (spenders_ > 0 || !is_owed_.load(std::memory_order_relaxed)) return;
  const auto make = [this]() SERIATIM_NO_THREAD_SAFETY_ANALYSIS { return make_locked(Partly::yes); };
  static_cast<void>(base::answered(make).ok());
}

Reserve::Spending::Spending(Reserve& reserve) : reserve_(reserve), has_given_(reserve.begin_spending()) {}
Reserve::Spending::~Spending() { reserve_.end_spending(); }

bool Reserve::is_needed() const {
  const auto file_system = vfs_.file_system(directory_);
  return file_system && file_system->free_bytes < reserve_bytes;
}

Result<> Reserve::before_taking() {
  if (!is_owed_.load(std::memory_order_acquire)) return {};
  const base::MutexLock lock(mutex_);
  return allow_taking();
}

Result<> Reserve::allow_taking() {
  if (!is_owed_.load(std::memory_order_relaxed)) return {};
  Result<> made = spenders_ == 0 ? make_locked(Partly::no) : Result<>{};
  if (spenders_ == 0 && (made || made.error().code() != Errc::storage_full)) return made;
  return Error(Errc::storage_full,
               path_ +
                   " is spent: the disk is full, and what is left of it is kept for deleting topics and "
                   "records, for retention and for checkpoints. Free space on this file system, or "
                   "delete what is not needed; appends go on by themselves then.");
}

}  // namespace seriatim::directory
