#include "os/file/fd_cache.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/assert.hpp"
#include "base/boundary.hpp"
#include "os/process.hpp"

namespace seriatim::os {
namespace {

// Nobody but the cache has it, and under the cache's lock nobody can get it.
bool is_idle(const std::shared_ptr<File>& file) noexcept { return file.use_count() == 1; }

}  // namespace

FdCache::FdCache(Vfs& vfs, std::size_t capacity) : vfs_(vfs), capacity_(capacity) {
  SERIATIM_ASSERT(capacity > 0);
}

FdCache::~FdCache() = default;

std::size_t FdCache::default_capacity() noexcept {
  return static_cast<std::size_t>(std::clamp<std::uint64_t>(open_files_max() / 4, 16, 512));
}

Result<std::shared_ptr<File>> FdCache::open(const std::string& path, OpenMode mode) {
  Closing closing;  // outlives the lock: closing a file can take long
  base::MutexLock lock(mutex_);
  const auto found = by_path_.find(path);
  if (found != by_path_.end() && mode != OpenMode::create_new) {
    const Entries::iterator entry = found->second;
    if (entry->is_writable || mode == OpenMode::read) {
      entries_.splice(entries_.begin(), entries_, entry);
      return entry->file;
    }
  }
  auto opened = open_evicting(path, mode, closing);
  if (!opened) return std::move(opened).error();
  if (const auto old = by_path_.find(path); old != by_path_.end()) drop(old->second, closing);
  evict_to(capacity_ - 1, closing);
  entries_.push_front({path, mode != OpenMode::read, std::shared_ptr<File>(std::move(*opened))});
  // An entry that no path leads to would be in the way of the next of its name.
  base::Undoing take_out([this]() SERIATIM_NO_THREAD_SAFETY_ANALYSIS { entries_.pop_front(); });
  by_path_.emplace(entries_.front().path, entries_.begin());
  take_out.keep();
  return entries_.front().file;
}

void FdCache::forget(const std::string& path) {
  Closing closing;
  base::MutexLock lock(mutex_);
  if (const auto found = by_path_.find(path); found != by_path_.end()) drop(found->second, closing);
}

void FdCache::forget_below(const std::string& directory) {
  const std::string prefix = directory + "/";
  Closing closing;
  base::MutexLock lock(mutex_);
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const auto next = std::next(entry);
    if (entry->path.compare(0, prefix.size(), prefix) == 0) drop(entry, closing);
    entry = next;
  }
}

std::size_t FdCache::size() const {
  base::MutexLock lock(mutex_);
  return entries_.size();
}

void FdCache::evict_to(std::size_t keep, Closing& closing) {
  auto entry = entries_.end();
  while (entries_.size() > keep && entry != entries_.begin()) {
    --entry;
    if (is_idle(entry->file)) drop(entry++, closing);
  }
}

void FdCache::drop(Entries::iterator entry, Closing& closing) {
  closing.push_back(std::move(entry->file));
  by_path_.erase(entry->path);
  entries_.erase(entry);
}

Result<std::unique_ptr<File>> FdCache::open_evicting(const std::string& path, OpenMode mode,
                                                     Closing& closing) {
  auto opened = vfs_.open(path, mode);
  if (opened || opened.error().code() != Errc::too_many_open_files) return opened;
  const auto idle = static_cast<std::size_t>(std::count_if(
      entries_.begin(), entries_.end(), [](const Entry& entry) { return is_idle(entry.file); }));
  evict_to(entries_.size() - (idle + 1) / 2, closing);
  // The second try needs the descriptors, so these close under the lock.
  closing.clear();
  return vfs_.open(path, mode);
}

}  // namespace seriatim::os
