#include "segment/index/transaction_index.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"
#include "os/path.hpp"

namespace seriatim::segment {
namespace {

using format::aborted_transaction_bytes;
using format::AbortedTransaction;
using format::TransactionSeal;

// The first entry whose marker is at or above `marker`: markers ascend.
template <class Entries>
auto first_at(Entries& entries, Offset marker) {
  return std::lower_bound(entries.begin(), entries.end(), marker,
                          [](const AbortedTransaction& entry, Offset at) { return entry.last_offset < at; });
}

// The entries that make sense. One that does not is left out, and with it everything that the file could
// prove.
std::vector<AbortedTransaction> sound_entries(base::ByteSpan file, Offset base_offset, Offset end_offset) {
  std::vector<AbortedTransaction> entries;
  for (std::size_t at = 0; at + aborted_transaction_bytes <= file.size(); at += aborted_transaction_bytes) {
    AbortedTransaction entry;
    const Offset above = entries.empty() ? base_offset - 1 : entries.back().last_offset;
    const bool is_sound = format::load_aborted_transaction(file.data() + at, entry) &&
                          entry.last_offset > above && entry.last_offset < end_offset;
    if (is_sound) entries.push_back(entry);
  }
  return entries;
}

constexpr Offset nobody_notes = std::numeric_limits<Offset>::max();

Result<std::vector<std::byte>> read_all(os::File& file) {
  auto size = file.size();
  if (!size) return size.error();
  std::vector<std::byte> bytes(static_cast<std::size_t>(*size));
  auto read = file.read_at(bytes, 0);
  if (!read) return read.error();
  bytes.resize(*read);
  return bytes;
}

}  // namespace

TransactionIndex::TransactionIndex(const SegmentContext& context, std::string path, Offset base_offset)
    : context_(context), path_(std::move(path)), base_offset_(base_offset), known_below_(base_offset) {}

void TransactionIndex::note_from(Offset offset) {
  const base::MutexLock lock(mutex_);
  known_from_ = offset;
}

bool TransactionIndex::is_complete(std::uint64_t log_bytes) const {
  return known_from_ <= known_below_ || (seal_ && seal_->log_bytes == log_bytes);
}

// Loads a file that another process, or an earlier life of this one, has written. The file of a segment that
// another process appends to grows, and gets its seal in the end. Without one the entries are good for
// nothing but to be written on: what they say is the log's to say.
Result<> TransactionIndex::load(std::uint64_t log_bytes) {
  return is_loaded_ || is_complete(log_bytes) ? Result<>{} : look_at_file(log_bytes);
}

Result<> TransactionIndex::look_at_file(std::uint64_t log_bytes) {
  is_loaded_ = known_from_ != nobody_notes;
  // A descriptor that is kept would go on showing a file that compaction has replaced.
  context_.files.forget(path_);
  auto file = context_.files.open(path_, os::OpenMode::read);
  if (!file && file.error().code() == Errc::not_found) return {};
  auto bytes = file ? read_all(**file) : file.error();
  if (!bytes) {
    is_loaded_ = false;
    return bytes.error();
  }
  const auto seal = format::load_transaction_seal(*bytes, base_offset_);
  const bool is_proof = seal && seal->log_bytes <= log_bytes && seal->end_offset >= known_below_;
  const bool has_changed = is_proof || (!seal_ && known_below_ == base_offset_);
  if (has_changed) entries_ = sound_entries(*bytes, base_offset_, known_from_);
  differs_ = entries_.size() != bytes->size() / aborted_transaction_bytes;
  if (!is_proof) return {};
  seal_ = seal;
  is_stored_ = true;
  known_below_ = seal->end_offset;
  unknown_.clear();
  return {};
}

Result<> TransactionIndex::write_file(std::uint64_t at, const std::vector<std::byte>& bytes) {
  auto file = context_.files.open(path_, os::OpenMode::open_or_create);
  if (!file) return file.error();
  if (at == 0) is_new_ = true;
  if (auto written = (*file)->write_at(bytes, at); !written) return written;
  auto size = (*file)->size();
  if (!size) return size.error();
  if (*size != at + bytes.size()) {
    if (auto cut = (*file)->truncate(at + bytes.size()); !cut) return cut;
  }
  is_loaded_ = true;
  needs_sync_ = true;
  return {};
}

// Entries from `first` on, and the length that goes with them. They take the place of a seal.
Result<> TransactionIndex::write(std::size_t first) {
  if (differs_) first = 0;
  std::vector<std::byte> bytes((entries_.size() - first) * aborted_transaction_bytes);
  for (std::size_t i = first; i < entries_.size(); ++i)
    format::store_aborted_transaction(&bytes[(i - first) * aborted_transaction_bytes], entries_[i]);
  is_stored_ = false;
  differs_ = true;  // Until it is written: a part of it may be.
  if (auto written = write_file(first * aborted_transaction_bytes, bytes); !written) return written;
  differs_ = false;
  return {};
}

Result<> TransactionIndex::append(const AbortedTransaction& entry) {
  const base::MutexLock lock(mutex_);
  // With the entries that an earlier life has left: they are written on.
  if (auto loaded = load(std::numeric_limits<std::uint64_t>::max()); !loaded) return loaded;
  SERIATIM_ASSERT(entries_.empty() || entries_.back().last_offset < entry.last_offset);
  entries_.push_back(entry);
  auto written = write(entries_.size() - 1);
  if (!written) entries_.pop_back();
  return written;
}

Result<> TransactionIndex::cut_from(Offset marker) {
  const base::MutexLock lock(mutex_);
  const auto from = first_at(entries_, marker);
  if (from == entries_.end()) return {};
  entries_.erase(from, entries_.end());
  return write(entries_.size());
}

Result<> TransactionIndex::replace_from(Offset marker, const std::vector<AbortedTransaction>& entries,
                                        std::uint64_t log_bytes) {
  {
    const base::MutexLock lock(mutex_);
    // Also where all is known already: the file may say something else.
    if (auto looked = is_loaded_ ? Result<>{} : look_at_file(log_bytes); !looked) return looked;
    const auto from = first_at(entries_, marker);
    known_from_ = std::max(marker, base_offset_);
    if (!std::equal(from, entries_.end(), entries.begin(), entries.end()) || differs_) {
      const auto kept = static_cast<std::size_t>(from - entries_.begin());
      entries_.resize(kept);
      entries_.insert(entries_.end(), entries.begin(), entries.end());
      seal_.reset();
      if (auto written = write(kept); !written) return written;
    }
    is_loaded_ = true;
    // The bytes that a killed process has written may be in the page cache only, and a recovery point is
    // about to pass it.
    if (!entries_.empty()) needs_sync_ = is_new_ = true;
  }
  return sync();
}

Result<> TransactionIndex::seal(const TransactionSeal& seal) {
  const base::MutexLock lock(mutex_);
  if (auto loaded = load(seal.log_bytes); !loaded) return loaded;
  if (!is_complete(seal.log_bytes) || !unknown_.empty() || !format::can_be_stored(seal, base_offset_))
    return {};
  if (is_stored_ && !differs_ && seal_ == seal) return {};
  const bool is_written = is_loaded_ && !differs_;
  const std::size_t first = is_written ? entries_.size() : 0;
  auto bytes = format::encode_sealed_transactions(entries_, seal, base_offset_);
  bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(first * aborted_transaction_bytes));
  is_stored_ = false;
  if (auto written = write_file(first * aborted_transaction_bytes, bytes); !written) {
    differs_ = true;
    return written;
  }
  seal_ = seal;
  is_stored_ = true;
  differs_ = false;
  return {};
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

Result<> TransactionIndex::check_known(const AbortsQuery& query) const {
  for (const auto& range : unknown_) {
    if (range.first >= query.upper || range.last < query.from) continue;
    return Error(
        Errc::corrupt_record,
        "whether transactional records of offsets " + std::to_string(range.first) + " to " +
            std::to_string(range.last) +
            " were committed cannot be told: their marker lies in a damaged part of the log, and " + path_ +
            " is missing or damaged too. `seriatim verify` shows the extent; restore the files from a "
            "copy, or read them with isolation read_uncommitted");
  }
  return {};
}

Result<std::optional<TransactionSeal>> TransactionIndex::collect(const AbortsQuery& query,
                                                                 std::vector<AbortedTransaction>& out) {
  const base::MutexLock lock(mutex_);
  const auto is_known = [&]() SERIATIM_REQUIRES(mutex_) {
    return is_complete(query.log_bytes) || known_below_ >= query.markers_below || query.from >= known_from_;
  };
  if (!is_known()) {
    if (auto loaded = load(query.log_bytes); !loaded) return loaded.error();
    if (!is_known()) return std::optional<TransactionSeal>();
  }
  if (auto checked = check_known(query); !checked) return checked.error();
  for (auto it = first_at(entries_, query.from); it != entries_.end(); ++it) {
    if (it->first_offset < query.upper && it->last_offset < query.markers_below) out.push_back(*it);
  }
  const bool has_end = seal_ && seal_->log_bytes == query.log_bytes;
  return has_end ? seal_ : std::optional(TransactionSeal{.end_offset = -1});
}

void TransactionIndex::learn(AbortsInLog found) {
  const base::MutexLock lock(mutex_);
  const Offset end = found.end.end_offset;
  // Aborts that were noted since the walk went by.
  if (known_from_ != nobody_notes)
    std::copy(first_at(entries_, end), entries_.end(), std::back_inserter(found.entries));
  differs_ = differs_ || !is_loaded_ || entries_ != found.entries;
  entries_ = std::move(found.entries);
  unknown_ = std::move(found.unknown);
  known_below_ = end;
  seal_ = found.end;
  is_stored_ = false;
}

Result<std::optional<TransactionIndex::Proven>> TransactionIndex::proven(std::uint64_t log_bytes) {
  const base::MutexLock lock(mutex_);
  if (auto loaded = load(log_bytes); !loaded) return loaded.error();
  if (!is_stored_ || !seal_ || seal_->log_bytes != log_bytes) return std::optional<Proven>();
  return std::optional(Proven{.entries = entries_, .seal = *seal_});
}

}  // namespace seriatim::segment
