#include "segment/transaction_index.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"
#include "os/path.hpp"

namespace seriatim::segment {
namespace {

using format::aborted_transaction_bytes;
using format::AbortedTransaction;

Error index_makes_no_sense(const std::string& path, std::size_t entry) {
  return {
      Errc::corrupt_metadata,
      "the transaction index " + path + " makes no sense at entry " + std::to_string(entry) +
          ". Nothing is lost: remove it and open the directory for writing, or run `seriatim repair`, and "
          "it is made again from the log"};
}

// The first entry whose marker is at or above `marker`: markers ascend.
template <class Entries>
auto first_at(Entries& entries, Offset marker) {
  return std::lower_bound(entries.begin(), entries.end(), marker,
                          [](const AbortedTransaction& entry, Offset at) { return entry.last_offset < at; });
}

}  // namespace

TransactionIndex::TransactionIndex(const SegmentContext& context, std::string path, Offset base_offset)
    : context_(context), path_(std::move(path)), base_offset_(base_offset) {}

// What another process, or an earlier life of this one, has written. A part of an entry at the end is one
// that is being written, or never was.
Result<> TransactionIndex::load() {
  if (is_owned_) return {};
  auto file = context_.files.open(path_, os::OpenMode::read);
  if (!file && file.error().code() == Errc::not_found) {
    entries_.clear();
    return {};
  }
  if (!file) return file.error();
  auto size = (*file)->size();
  if (!size) return size.error();
  const std::size_t count = *size / aborted_transaction_bytes;
  if (count == entries_.size()) return {};
  std::vector<std::byte> bytes(count * aborted_transaction_bytes);
  auto read = (*file)->read_at(bytes, 0);
  if (!read) return read.error();
  std::vector<AbortedTransaction> loaded;
  loaded.reserve(count);
  for (std::size_t i = 0; i < *read / aborted_transaction_bytes; ++i) {
    AbortedTransaction entry;
    const bool is_whole = format::load_aborted_transaction(&bytes[i * aborted_transaction_bytes], entry);
    const bool ascends =
        loaded.empty() ? entry.last_offset >= base_offset_ : entry.last_offset > loaded.back().last_offset;
    if (!is_whole || !ascends) return index_makes_no_sense(path_, i);
    loaded.push_back(entry);
  }
  entries_ = std::move(loaded);
  return {};
}

// Entries from `first` on, and the length that goes with them.
Result<> TransactionIndex::write(std::size_t first) {
  auto file = context_.files.open(path_, os::OpenMode::open_or_create);
  if (!file) return file.error();
  if (first == 0) is_new_ = true;
  std::vector<std::byte> bytes((entries_.size() - first) * aborted_transaction_bytes);
  for (std::size_t i = first; i < entries_.size(); ++i)
    format::store_aborted_transaction(&bytes[(i - first) * aborted_transaction_bytes], entries_[i]);
  const std::uint64_t at = first * aborted_transaction_bytes;
  if (auto written = (*file)->write_at(bytes, at); !written) return written;
  auto size = (*file)->size();
  if (!size) return size.error();
  if (*size != at + bytes.size()) {
    if (auto cut = (*file)->truncate(at + bytes.size()); !cut) return cut;
  }
  is_owned_ = true;
  needs_sync_ = true;
  return {};
}

Result<> TransactionIndex::append(const AbortedTransaction& entry) {
  const base::MutexLock lock(mutex_);
  if (auto loaded = load(); !loaded) return loaded;
  SERIATIM_ASSERT(entries_.empty() || entries_.back().last_offset < entry.last_offset);
  entries_.push_back(entry);
  auto written = write(entries_.size() - 1);
  if (!written) entries_.pop_back();
  return written;
}

Result<> TransactionIndex::cut_from(Offset marker) {
  const base::MutexLock lock(mutex_);
  if (auto loaded = load(); !loaded) return loaded;
  const auto from = first_at(entries_, marker);
  if (from == entries_.end()) return {};
  entries_.erase(from, entries_.end());
  return write(entries_.size());
}

Result<> TransactionIndex::replace_from(Offset marker, const std::vector<AbortedTransaction>& entries) {
  {
    const base::MutexLock lock(mutex_);
    if (auto loaded = load(); !loaded) return loaded;
    const auto from = first_at(entries_, marker);
    if (!std::equal(from, entries_.end(), entries.begin(), entries.end())) {
      const auto kept = static_cast<std::size_t>(from - entries_.begin());
      entries_.resize(kept);
      entries_.insert(entries_.end(), entries.begin(), entries.end());
      if (auto written = write(kept); !written) return written;
    }
    // What a killed process has written may be in the page cache only, and a recovery point is about to pass
    // it.
    if (!entries_.empty()) needs_sync_ = is_new_ = true;
  }
  return sync();
}

Result<> TransactionIndex::make_again(const std::vector<AbortedTransaction>& entries) {
  {
    const base::MutexLock lock(mutex_);
    entries_ = entries;
    if (auto written = write(0); !written) return written;
  }
  return sync();
}

Result<> TransactionIndex::sync() {
  bool is_new = false;
  {
    const base::MutexLock lock(mutex_);
    if (!needs_sync_) return {};
    needs_sync_ = false;
    is_new = std::exchange(is_new_, false);
  }
  auto synced = [&]() -> Result<> {
    auto file = context_.files.open(path_, os::OpenMode::read_write);
    if (!file) return file.error();
    if (auto done = (*file)->sync_data(); !done || !is_new) return done;
    return context_.vfs.sync_directory(os::parent_path(path_));
  }();
  if (synced) return {};
  const base::MutexLock lock(mutex_);
  needs_sync_ = true;
  is_new_ = is_new_ || is_new;
  return synced;
}

Result<bool> TransactionIndex::collect(Offset from, Offset upper, std::vector<AbortedTransaction>& out) {
  const base::MutexLock lock(mutex_);
  if (auto loaded = load(); !loaded) return loaded.error();
  for (auto it = first_at(entries_, from); it != entries_.end(); ++it) {
    if (it->first_offset < upper) out.push_back(*it);
    // After this abort nothing was open from below `upper` on.
    if (it->last_stable_offset >= upper) return true;
  }
  return false;
}

}  // namespace seriatim::segment
