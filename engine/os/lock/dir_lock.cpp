#include "os/lock/dir_lock.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <compare>
#include <map>
#include <string_view>
#include <utility>

#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "base/time_text.hpp"
#include "os/errno_error.hpp"
#include "os/lock/lock_text.hpp"
#include "os/path.hpp"
#include "os/process.hpp"
#include "os/retry.hpp"

namespace seriatim::os {
namespace {

// A file's identity: two paths to one directory are one lock.
struct FileKey {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  auto operator<=>(const FileKey&) const = default;
};

// Which lock files this process holds, to tell a second open here from one elsewhere: the kernel refuses both
// alike, and the text in the file cannot tell, because process ids repeat across containers.
struct Registry {
  base::Mutex mutex;
  std::map<FileKey, std::uint64_t> generation_of SERIATIM_GUARDED_BY(mutex);
};

// Never destroyed: an engine may be closed by the destructor of a static object.
Registry& registry() {
  static Registry* const instance = new Registry;
  return *instance;
}

FileKey key_of(const File& file) {
  struct stat status {};
  // fstat of an open descriptor of ours has no way to fail that a lock could survive.
  SERIATIM_ASSERT(::fstat(file.descriptor(), &status) == 0);
  return {static_cast<std::uint64_t>(status.st_dev), static_cast<std::uint64_t>(status.st_ino)};
}

// OFD locks want l_pid 0; start 0 and length 0 are the whole file.
struct flock whole_file(short type) noexcept {
  struct flock request {};
  request.l_type = type;
  request.l_whence = SEEK_SET;
  return request;
}

int set_lock(const File& file, short type) noexcept {
  struct flock request = whole_file(type);
  return retry_interrupted([&] { return ::fcntl(file.descriptor(), F_OFD_SETLK, &request); });
}

Result<bool> is_locked(const File& file) {
  struct flock request = whole_file(F_WRLCK);
  if (::fcntl(file.descriptor(), F_OFD_GETLK, &request) != 0) {
    const int saved = errno;
    return errno_error(saved, "ask for the holder of the lock", file.path());
  }
  return request.l_type != F_UNLCK;
}

Result<std::string> read_text(File& file) {
  std::string text(lock_text_bytes, '\0');
  const auto read = file.read_at({reinterpret_cast<std::byte*>(text.data()), text.size()}, 0);
  if (!read) return read.error();
  text.resize(*read);
  return text;
}

std::string holder_text(const LockInfo& holder) {
  const std::string who = "process " + std::to_string(holder.pid) + " (" + holder.program + ")";
  const std::string since = " since " + holder.since;
  if (holder.boot_id != boot_id()) {
    return who + " on another machine has it" + since + ". Stop the engine there first";
  }
  if (!process_exists(holder.pid)) {
    return who + ", which had it" + since +
           ", is not to be seen here: it runs in another container, or it has ended and a process it forked "
           "keeps the "
           "lock. Find that process with fuser and end it";
  }
  return who + " has it" + since + ". Close the engine there, or end that process";
}

Error locked_error(File& file, const std::string& directory) {
  const auto text = read_text(file);
  const auto holder = text ? parse_lock_text(*text) : std::nullopt;
  const std::string who =
      holder ? holder_text(*holder)
             : "another process has it, and the lock file does not say which. Find it with fuser and end it";
  return {Errc::locked, "cannot write to " + directory + ", locked by " + file.path() + ": " + who +
                            "; or open the directory read-only, which is possible at any time."};
}

Error already_open_error(const std::string& directory) {
  return {Errc::invalid_state,
          "cannot open " + directory +
              " for writing: this process has it open already. Use the engine that is open, or "
              "close it first: there is one per directory."};
}

Result<void> write_own_text(File& file, const std::string& settled_boot_id) {
  LockInfo self;
  self.settled_boot_id = settled_boot_id;
  self.pid = process_id();
  self.program = program_name();
  self.boot_id = boot_id();
  self.since = base::format_rfc3339(base::system_clock().wall_ms());
  return file.write_at(base::as_bytes(format_lock_text(self)), 0);
}

}  // namespace

DirLock::DirLock(std::unique_ptr<File> file, std::uint64_t fork_generation, bool had_settled) noexcept
    : file_(std::move(file)), had_settled_(had_settled), fork_generation_(fork_generation) {}

DirLock::DirLock(DirLock&& other) noexcept
    : file_(std::move(other.file_)),
      had_settled_(other.had_settled_),
      fork_generation_(other.fork_generation_) {}

DirLock& DirLock::operator=(DirLock&& other) noexcept {
  if (this == &other) return *this;
  release();
  file_ = std::move(other.file_);
  had_settled_ = other.had_settled_;
  fork_generation_ = other.fork_generation_;
  return *this;
}

DirLock::~DirLock() { release(); }

Result<DirLock> acquire_dir_lock(Vfs& vfs, const std::string& directory) {
  auto file = vfs.open(join_path(directory, lock_file_name), OpenMode::open_or_create);
  if (!file) return std::move(file).error();
  const FileKey key = key_of(**file);
  const std::uint64_t generation = fork_generation();
  Registry& held = registry();
  base::MutexLock lock(held.mutex);
  const auto mine = held.generation_of.find(key);
  // An entry of another generation is the parent's, copied by fork(): the kernel's lock decides then.
  if (mine != held.generation_of.end() && mine->second == generation) return already_open_error(directory);
  if (set_lock(**file, F_WRLCK) != 0) {
    const int saved = errno;
    if (saved == EAGAIN || saved == EACCES) return locked_error(**file, directory);
    return errno_error(saved, "lock", (*file)->path());
  }
  // Kept until the files are settled: who is killed while recovering leaves them as the boot before did.
  const auto text = read_text(**file);
  if (!text) return text.error();
  const auto before = parse_lock_text(*text);
  const std::string settled = before ? before->settled_boot_id : std::string();
  if (auto written = write_own_text(**file, settled); !written) return written.error();
  held.generation_of[key] = generation;
  return DirLock(std::move(*file), generation, !settled.empty() && settled == boot_id());
}

// No sync: a power cut ends the boot that is named, whether or not its name reaches the disk.
Result<> DirLock::settle() {
  SERIATIM_ASSERT(file_ != nullptr);
  return write_own_text(*file_, boot_id());
}

// An engine that finds out late that a sync failed may have let go of the lock.
Result<> DirLock::unsettle() { return file_ == nullptr ? Result<>{} : write_own_text(*file_, {}); }

void DirLock::release() noexcept {
  if (file_ == nullptr) return;
  // In a forked child the lock is the parent's: closing the shared descriptor leaves it with the parent,
  // unlocking would take it away.
  if (fork_generation_ == fork_generation()) {
    Registry& held = registry();
    base::MutexLock lock(held.mutex);
    held.generation_of.erase(key_of(*file_));
    // Not left to close(): a child that was forked meanwhile has the descriptor too and would keep the lock.
    SERIATIM_ASSERT(set_lock(*file_, F_UNLCK) == 0);
  }
  file_.reset();
}

Result<bool> is_dir_locked(Vfs& vfs, const std::string& directory) {
  auto file = vfs.open(join_path(directory, lock_file_name), OpenMode::read);
  if (!file && file.error().code() == Errc::not_found) return false;
  if (!file) return std::move(file).error();
  return is_locked(**file);
}

Result<std::optional<LockInfo>> read_lock_info(Vfs& vfs, const std::string& directory) {
  auto file = vfs.open(join_path(directory, lock_file_name), OpenMode::read);
  if (!file && file.error().code() == Errc::not_found) return std::optional<LockInfo>{};
  if (!file) return std::move(file).error();
  const auto locked = is_locked(**file);
  if (!locked) return locked.error();
  const bool is_held = *locked;
  const auto text = read_text(**file);
  if (!text) return text.error();
  auto info = parse_lock_text(*text);
  if (!info && !text->empty()) {
    return Error(Errc::corrupt_metadata,
                 "cannot read " + (*file)->path() +
                     ": it is not a lock file of seriatim. If no engine has this directory "
                     "open, delete it; the next engine writes a new one.");
  }
  // Empty and held: its holder has yet to write who it is.
  if (!info && is_held) info.emplace();
  if (info) info->is_held = is_held;
  return info;
}

}  // namespace seriatim::os
