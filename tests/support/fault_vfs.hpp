// A file system one of whose calls fails, as the kernel would answer it: the N-th of the kinds that are
// chosen, once or from then on.
#pragma once

#include <atomic>
#include <cerrno>
#include <limits>
#include <string>
#include <string_view>

#include "base/mutex.hpp"
#include "os/errno_error.hpp"
#include "support/passing_vfs.hpp"

namespace seriatim::test {

enum class Calls : std::uint8_t {
  takes,    ///< Calls that may need blocks of the disk: to create, write, allocate.
  changes,  ///< The same, and what cuts, removes or renames: everything that changes something but syncs.
  syncs,    ///< fdatasync, fsync, fsync of a directory.
  reads,    ///< Of bytes and of names.
  opens     ///< Calls that need a descriptor.
};

struct Fault {
  Calls calls = Calls::changes;
  int error = ENOSPC;
  std::int64_t after = 0;  ///< How many of them succeed before.
  bool for_ever = false;   ///< Later calls fail too, until `heal`.
};

/// Any thread.
class FaultVfs final : public PassingVfs {
 public:
  void arm(const Fault& fault) {
    heal();
    fault_ = fault;
    met_ = 0;
    left_ = fault.after;
    is_armed_ = true;
  }
  void heal() { is_armed_ = false; }
  /// How often it was met since `arm`.
  std::int64_t met() const { return met_; }
  /// The call that met it first.
  std::string where() const {
    const base::MutexLock lock(mutex_);
    return where_;
  }

  Result<std::unique_ptr<os::File>> open(const std::string& path, os::OpenMode mode) override {
    if (auto allowed = pass(Calls::opens, "open", path); !allowed) return allowed.error();
    if (mode == os::OpenMode::create_new || mode == os::OpenMode::open_or_create) {
      if (auto allowed = pass(Calls::takes, "create", path); !allowed) return allowed.error();
    }
    return open_as<FaultFile>(path, mode, *this);
  }
  Result<void> rename(const std::string& from, const std::string& to) override {
    if (auto allowed = pass(Calls::changes, "rename", from); !allowed) return allowed;
    return PassingVfs::rename(from, to);
  }
  Result<void> remove(const std::string& path) override {
    if (auto allowed = pass(Calls::changes, "remove", path); !allowed) return allowed;
    return PassingVfs::remove(path);
  }
  Result<void> create_directory(const std::string& path) override {
    if (auto allowed = pass(Calls::takes, "create the directory", path); !allowed) return allowed;
    return PassingVfs::create_directory(path);
  }
  Result<void> remove_directory(const std::string& path) override {
    if (auto allowed = pass(Calls::changes, "remove the directory", path); !allowed) return allowed;
    return PassingVfs::remove_directory(path);
  }
  Result<std::vector<os::DirEntry>> list(const std::string& path) override {
    if (auto allowed = pass(Calls::opens, "open the directory", path); !allowed) return allowed.error();
    if (auto allowed = pass(Calls::reads, "list", path); !allowed) return allowed.error();
    return PassingVfs::list(path);
  }
  Result<void> sync_directory(const std::string& path) override {
    if (auto allowed = pass(Calls::opens, "open the directory", path); !allowed) return allowed;
    if (auto allowed = pass(Calls::syncs, "sync", path); !allowed) return allowed;
    return PassingVfs::sync_directory(path);
  }

 private:
  class FaultFile final : public PassingFile {
   public:
    FaultFile(std::unique_ptr<os::File> file, FaultVfs& vfs) : PassingFile(std::move(file)), vfs_(vfs) {}
    Result<std::size_t> read_at(base::MutableByteSpan into, std::uint64_t at) override {
      if (auto allowed = vfs_.pass(Calls::reads, "read", path()); !allowed) return allowed.error();
      return PassingFile::read_at(into, at);
    }
    Result<void> write_at(base::ByteSpan from, std::uint64_t at) override {
      if (auto allowed = vfs_.pass(Calls::takes, "write", path()); !allowed) return allowed;
      return PassingFile::write_at(from, at);
    }
    Result<void> write_gather_at(std::span<const base::ByteSpan> pieces, std::uint64_t at) override {
      if (auto allowed = vfs_.pass(Calls::takes, "write", path()); !allowed) return allowed;
      return PassingFile::write_gather_at(pieces, at);
    }
    Result<void> allocate(std::uint64_t at, std::uint64_t length) override {
      if (auto allowed = vfs_.pass(Calls::takes, "allocate", path()); !allowed) return allowed;
      return PassingFile::allocate(at, length);
    }
    Result<void> truncate(std::uint64_t size) override {
      if (auto allowed = vfs_.pass(Calls::changes, "set the length of", path()); !allowed) return allowed;
      return PassingFile::truncate(size);
    }
    Result<void> sync_data() override {
      if (auto allowed = vfs_.pass(Calls::syncs, "sync", path()); !allowed) return allowed;
      return PassingFile::sync_data();
    }
    Result<void> sync_all() override {
      if (auto allowed = vfs_.pass(Calls::syncs, "sync", path()); !allowed) return allowed;
      return PassingFile::sync_all();
    }

   private:
    FaultVfs& vfs_;
  };

  Result<void> pass(Calls calls, std::string_view what, const std::string& path) {
    if (!is_armed_) return {};
    const bool is_meant = calls == fault_.calls || (calls == Calls::takes && fault_.calls == Calls::changes);
    if (!is_meant) return {};
    const std::int64_t left = left_.fetch_sub(1);
    if (left > 0 || (left < 0 && !fault_.for_ever)) return {};
    if (met_.fetch_add(1) == 0) {
      const base::MutexLock lock(mutex_);
      where_ = std::string(what) + " " + path;
    }
    // As the real ones: a sync that fails is final.
    if (calls == Calls::syncs) return os::sync_error(fault_.error, path);
    return os::errno_error(fault_.error, what, path);
  }

  Fault fault_{};  // changed only while nobody else is inside
  std::atomic<bool> is_armed_{false};
  std::atomic<std::int64_t> left_{0};
  std::atomic<std::int64_t> met_{0};
  mutable base::Mutex mutex_;
  std::string where_ SERIATIM_GUARDED_BY(mutex_);
};

}  // namespace seriatim::test
