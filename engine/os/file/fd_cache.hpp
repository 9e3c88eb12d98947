// A bounded set of open files, so that ten thousand partitions live under `ulimit -n 1024`.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <seriatim/result.hpp>

#include "base/mutex.hpp"
#include "os/vfs.hpp"

namespace seriatim::os {

/// Keeps files open that were used lately and closes the least recently used ones.
///
/// A file somebody holds is never closed and always shared, so at most max(capacity, files held) are open.
/// Hold a file between writing and syncing it: the kernel may not report a failed write-back to a
/// descriptor that was opened after it.
/// Threads: any.
class FdCache {
 public:
  /// @param capacity  1 or more.
  FdCache(Vfs& vfs, std::size_t capacity);
  ~FdCache();
  FdCache(const FdCache&) = delete;
  FdCache& operator=(const FdCache&) = delete;

  /// A quarter of RLIMIT_NOFILE, at most 512 (both arbitrary: the application needs the rest), at least 16.
  static std::size_t default_capacity() noexcept;

  /// The open file of `path`, opening it if need be. A writable one also serves `read`; one that was
  /// opened to read is replaced when it is to be written; create_new always creates.
  ///
  /// Errors: as `Vfs::open`; too_many_open_files only after half of the idle files were closed and a second
  /// try.
  /// Cost: a lock and a hash lookup if it is open; the lock is held while a file is opened, so that `forget`
  /// cannot miss one that is just being opened.
  Result<std::shared_ptr<File>> open(const std::string& path, OpenMode mode);

  /// Closes `path` when its last holder lets go. To be called after a rename or delete of the name.
  void forget(const std::string& path);
  /// The same for every file whose path begins with `directory` and '/'. To be called after a rename or
  /// removal of the directory.
  void forget_below(const std::string& directory);

  /// Files the cache knows, held or idle.
  std::size_t size() const;
  std::size_t capacity() const noexcept { return capacity_; }

 private:
  struct Entry {
    std::string path;
    bool is_writable;
    std::shared_ptr<File> file;
  };
  using Entries = std::list<Entry>;  // most recently used first
  using Closing = std::vector<std::shared_ptr<File>>;

  /// Takes idle files out, least recently used first, until at most `keep` entries are left or none is
  /// idle.
  void evict_to(std::size_t keep, Closing& closing) SERIATIM_REQUIRES(mutex_);
  void drop(Entries::iterator entry, Closing& closing) SERIATIM_REQUIRES(mutex_);
  Result<std::unique_ptr<File>> open_evicting(const std::string& path, OpenMode mode, Closing& closing)
      SERIATIM_REQUIRES(mutex_);

  Vfs& vfs_;
  const std::size_t capacity_;
  mutable base::Mutex mutex_;
  Entries entries_ SERIATIM_GUARDED_BY(mutex_);
  std::unordered_map<std::string_view, Entries::iterator> by_path_ SERIATIM_GUARDED_BY(mutex_);
};

}  // namespace seriatim::os
