#include "journal/journal_files.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "os/path.hpp"

namespace seriatim::journal {
namespace {

// Writes of this size keep small folios in the page cache, in which a commit of a few hundred bytes is
// cheapest (limits: pwrite over 1-2 MiB folios costs 3 to 14 times as much).
constexpr std::size_t zeros_bytes = std::size_t{64} << 10;
constexpr std::array<std::byte, zeros_bytes> zeros{};

// Reads a file once, so that a commit does not wait for a page of it.
Result<void> read_into_cache(os::File& file, std::uint64_t bytes) {
  std::vector<std::byte> buffer(zeros_bytes);
  for (std::uint64_t at = 0; at < bytes; at += buffer.size()) {
    if (auto read = file.read_at(buffer, at); !read) return std::move(read).error();
  }
  return {};
}

}  // namespace

JournalFiles::JournalFiles(const JournalOptions& options, const JournalContents& contents)
    : options_(options),
      next_number_(contents.next_file_number),
      directory_exists_(contents.directory_exists),
      in_use_(contents.files) {}

std::string JournalFiles::path_of(std::uint64_t number) const {
  return os::join_path(options_.directory, journal_file_name(number));
}

Result<void> JournalFiles::remove(const std::string& name) {
  return options_.vfs.remove(os::join_path(options_.directory, name));
}

Result<void> JournalFiles::tidy_up(const JournalContents& contents) {
  if (!contents.directory_exists) return {};
  for (const std::string& name : contents.leftovers) {
    if (auto removed = remove(name); !removed) return removed;
  }
  const std::uint64_t begun_last = contents.files.empty() ? 0 : contents.files.back().number;
  std::deque<Spare> spares;
  for (const auto& [number, bytes] : contents.spares) {
    // Files are read in the order of their numbers, so one below the last cannot be begun any more.
    const bool fits = bytes == options_.file_bytes && number > begun_last;
    if (fits && spares.size() < options_.spare_files_max) {
      spares.push_back({number, false});
    } else if (auto removed = remove(journal_file_name(number)); !removed) {
      return removed;
    }
  }
  // The last run may have been killed between a rename and the sync of the directory.
  if (auto synced = options_.vfs.sync_directory(options_.directory); !synced) return synced;
  const base::MutexLock lock(mutex_);
  spares_ = std::move(spares);
  return {};
}

std::optional<ReadyFile> JournalFiles::pop_ready() {
  const base::MutexLock lock(mutex_);
  return std::exchange(ready_, std::nullopt);
}

std::optional<JournalFiles::Spare> JournalFiles::first_spare() const {
  const base::MutexLock lock(mutex_);
  if (spares_.empty()) return std::nullopt;
  return spares_.front();
}

Result<ReadyFile> JournalFiles::take_next() {
  if (auto ready = pop_ready()) return *std::move(ready);
  const base::MutexLock preparing(prepare_mutex_);
  if (auto ready = pop_ready()) return *std::move(ready);
  return prepare_one();
}

Result<void> JournalFiles::prepare_next() {
  const base::MutexLock preparing(prepare_mutex_);
  {
    const base::MutexLock lock(mutex_);
    if (ready_) return {};
  }
  auto prepared = prepare_one();
  if (!prepared) return std::move(prepared).error();
  const base::MutexLock lock(mutex_);
  ready_ = *std::move(prepared);
  return {};
}

Result<ReadyFile> JournalFiles::prepare_one() {
  const auto spare = first_spare();
  if (!spare) return create();
  auto adopted = adopt(*spare);
  if (!adopted) return adopted;
  const base::MutexLock lock(mutex_);
  spares_.pop_front();
  return adopted;
}

Result<ReadyFile> JournalFiles::adopt(const Spare& spare) {
  auto file = options_.vfs.open(path_of(spare.number), os::OpenMode::read_write);
  if (!file) return std::move(file).error();
  if (!spare.is_cached) {
    if (auto read = read_into_cache(**file, options_.file_bytes); !read) return std::move(read).error();
  }
  return ReadyFile{*std::move(file), spare.number};
}

Result<void> JournalFiles::create_directory() {
  if (directory_exists_) return {};
  auto exists = options_.vfs.exists(options_.directory);
  if (!exists) return std::move(exists).error();
  if (!*exists) {
    if (auto created = options_.vfs.create_directory(options_.directory); !created) return created;
  }
  if (auto synced = options_.vfs.sync_directory(os::parent_path(options_.directory)); !synced) return synced;
  directory_exists_ = true;
  return {};
}

Result<void> JournalFiles::take_blocks(const std::string& path) {
  if (options_.before_taking) {
    if (auto allowed = options_.before_taking(); !allowed) return allowed;
  }
  auto written = write_zeros(path);
  if (options_.after_taking) options_.after_taking();
  return written;
}

Result<void> JournalFiles::write_zeros(const std::string& path) {
  auto file = options_.vfs.open(path, os::OpenMode::open_or_create);
  if (!file) return std::move(file).error();
  if (auto cut = (*file)->truncate(0); !cut) return cut;
  // Asked for at once, the blocks lie together, and a disk without room for them says so at once.
  if (auto allocated = (*file)->allocate(0, options_.file_bytes); !allocated) return allocated;
  for (std::uint64_t at = 0; at < options_.file_bytes; at += zeros_bytes) {
    const std::uint64_t rest = options_.file_bytes - at;
    const auto piece = base::ByteSpan(zeros).first(std::min<std::uint64_t>(rest, zeros_bytes));
    if (auto written = (*file)->write_at(piece, at); !written) return written;
  }
  return (*file)->sync_all();
}

// The name appears when every byte of the file is on stable storage: a file found under it is of its full
// length, whatever crash came between.
Result<ReadyFile> JournalFiles::create() {
  if (auto created = create_directory(); !created) return std::move(created).error();
  const std::string path = path_of(next_number_);
  const std::string temporary = path + ".tmp";
  if (auto written = take_blocks(temporary); !written) {
    met_full_disk_ |= written.error().code() == Errc::storage_full;
    // Gives back the space at once; if even that fails, the next attempt or the next open does.
    static_cast<void>(options_.vfs.remove(temporary).ok());
    return std::move(written).error().with_context("cannot prepare a journal file");
  }
  if (auto renamed = options_.vfs.rename(temporary, path); !renamed) return std::move(renamed).error();
  ++next_number_;
  if (auto synced = options_.vfs.sync_directory(options_.directory); !synced)
    return std::move(synced).error();
  return adopt({next_number_ - 1, true});
}

void JournalFiles::begin(std::uint64_t number, std::uint64_t first_lsn) {
  const base::MutexLock lock(mutex_);
  close_last();
  in_use_.push_back({number, first_lsn, first_lsn - 1, options_.file_bytes, 0});
  last_is_open_ = true;
  ++begun_since_recycling_;
}

void JournalFiles::extend(std::uint64_t last_lsn, std::uint64_t used_bytes) noexcept {
  open_last_lsn_.store(last_lsn, std::memory_order_relaxed);
  open_used_bytes_.store(used_bytes, std::memory_order_relaxed);
}

void JournalFiles::end() {
  const base::MutexLock lock(mutex_);
  close_last();
}

void JournalFiles::close_last() {
  if (!std::exchange(last_is_open_, false)) return;
  in_use_.back().last_lsn = open_last_lsn_.load(std::memory_order_relaxed);
  in_use_.back().used_bytes = open_used_bytes_.load(std::memory_order_relaxed);
}

std::vector<JournalFileRange> JournalFiles::recyclable(std::uint64_t lsn) const {
  const base::MutexLock lock(mutex_);
  const std::size_t closed = in_use_.size() - (last_is_open_ ? 1 : 0);
  std::size_t count = 0;
  while (count < closed && in_use_[count].last_lsn < lsn) ++count;
  return {in_use_.begin(), in_use_.begin() + static_cast<std::ptrdiff_t>(count)};
}

Result<std::optional<JournalFiles::Spare>> JournalFiles::retire(const JournalFileRange& file,
                                                                std::size_t spares_allowed) {
  if (file.file_bytes != options_.file_bytes || spares_allowed == 0) {
    if (auto removed = remove(journal_file_name(file.number)); !removed) return std::move(removed).error();
    return std::optional<Spare>{};
  }
  auto renamed = options_.vfs.rename(path_of(file.number), path_of(next_number_));
  if (!renamed) return std::move(renamed).error();
  return std::optional(Spare{next_number_++, true});
}

Result<void> JournalFiles::retire_below(std::uint64_t lsn, std::size_t spares_kept,
                                        std::vector<Spare>& spares, bool& is_changed) {
  for (const JournalFileRange& file : recyclable(lsn)) {
    const std::size_t present = counts().spare_files + spares.size();
    auto retired = retire(file, spares_kept - std::min(spares_kept, present));
    if (!retired) return std::move(retired).error();
    if (*retired) spares.push_back(**retired);
    is_changed = true;
    const base::MutexLock lock(mutex_);
    in_use_.erase(in_use_.begin());
  }
  return {};
}

std::size_t JournalFiles::take_demand() {
  const bool is_scarce = std::exchange(met_full_disk_, false);
  const base::MutexLock lock(mutex_);
  const std::size_t begun = std::exchange(begun_since_recycling_, 0);
  return is_scarce ? options_.spare_files_max : std::max(options_.spare_files_max, begun);
}

// The newest go first: their numbers are the highest, and files are begun in the order of their numbers.
Result<void> JournalFiles::shrink_spares(std::size_t spares_kept) {
  while (counts().spare_files > spares_kept) {
    std::uint64_t number = 0;
    {
      const base::MutexLock lock(mutex_);
      if (spares_.empty()) return {};
      number = spares_.back().number;
    }
    if (auto removed = remove(journal_file_name(number)); !removed) return removed;
    const base::MutexLock lock(mutex_);
    spares_.pop_back();
  }
  return {};
}

std::uint64_t JournalFiles::stored_lsn(std::uint64_t synced_lsn) const {
  const base::MutexLock lock(mutex_);
  for (std::size_t i = in_use_.size(); i > 0; --i) {
    const JournalFileRange& file = in_use_[i - 1];
    const bool is_open = i == in_use_.size() && last_is_open_;
    const std::uint64_t last = is_open ? open_last_lsn_.load(std::memory_order_relaxed) : file.last_lsn;
    const std::uint64_t stored = std::min(last, synced_lsn);
    if (stored >= file.first_lsn) return stored;
  }
  return 0;
}

Result<void> JournalFiles::recycle_below(std::uint64_t lsn, std::uint64_t kept_lsn) {
  if (kept_lsn != 0) lsn = std::min(lsn, kept_lsn);
  const base::MutexLock preparing(prepare_mutex_);
  const std::size_t spares_kept = take_demand();
  if (auto shrunk = shrink_spares(spares_kept); !shrunk) return shrunk;
  std::vector<Spare> spares;
  bool is_changed = false;
  auto retired = retire_below(lsn, spares_kept, spares, is_changed);
  if (!is_changed) return retired;
  // Before a frame is written to a renamed file: the new name could be lost, and the frames with it.
  if (auto synced = options_.vfs.sync_directory(options_.directory); !synced) return synced;
  const base::MutexLock lock(mutex_);
  spares_.insert(spares_.end(), spares.begin(), spares.end());
  return retired;
}

Result<void> JournalFiles::remove_excess() {
  const base::MutexLock preparing(prepare_mutex_);
  return shrink_spares(options_.spare_files_max);
}

JournalFiles::Counts JournalFiles::counts() const {
  const base::MutexLock lock(mutex_);
  Counts counts{in_use_.size(), 0, spares_.size() + (ready_ ? 1 : 0)};
  for (const auto& file : in_use_) counts.used_bytes += file.used_bytes;
  if (last_is_open_) counts.used_bytes += open_used_bytes_.load(std::memory_order_relaxed);
  return counts;
}

}  // namespace seriatim::journal
