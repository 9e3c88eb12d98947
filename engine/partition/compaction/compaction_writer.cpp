#include "partition/compaction/compaction_writer.hpp"

#include <utility>

#include "format/file_name.hpp"
#include "format/transaction_seal.hpp"
#include "os/path.hpp"

namespace seriatim::partition {
namespace {

using format::FileKind;
using format::FileState;

// Written in pieces of this size. Kafka's cleaner buffers are 512 KiB.
constexpr std::size_t write_bytes = 512U << 10;
}  // namespace

// Indexes first: a `.swap` log means that its indexes are there too.
std::vector<FileKind> CompactionWriter::kinds() const {
  std::vector<FileKind> all{FileKind::offset_index, FileKind::time_index};
  if (transactions_) all.push_back(FileKind::transaction_index);
  all.push_back(FileKind::log);
  return all;
}

CompactionWriter::CompactionWriter(const segment::SegmentContext& context, std::string directory,
                                   Offset base_offset, std::uint64_t index_interval_bytes)
    : context_(context),
      directory_(std::move(directory)),
      base_offset_(base_offset),
      indexes_(base_offset, index_interval_bytes),
      end_offset_(base_offset) {}

void CompactionWriter::set_aborted(const std::vector<format::AbortedTransaction>& aborted,
                                   std::optional<Offset> first_open_offset, Offset end_offset) {
  const format::TransactionSeal seal{.log_bytes = position_,
                                     .end_offset = end_offset,
                                     .first_open_offset = first_open_offset.value_or(end_offset)};
  if (first_open_offset && format::can_be_stored(seal, base_offset_)) {
    transactions_ = format::encode_sealed_transactions(aborted, seal, base_offset_);
  } else if (!aborted.empty()) {
    transactions_ = format::encode_aborted_transactions(aborted);
  }
}

Result<> CompactionWriter::open() {
  const std::string path =
      os::join_path(directory_, format::file_name(base_offset_, FileKind::log, FileState::cleaned));
  auto file = context_.vfs.open(path, os::OpenMode::open_or_create);
  if (!file) return file.error();
  log_ = *std::move(file);
  return log_->truncate(0);
}

Result<> CompactionWriter::write(const format::BatchHeader& header, base::ByteSpan batch) {
  if (position_ == 0) first_timestamp_ms_ = header.max_timestamp_ms;
  indexes_.note(position_, header);
  buffer_.insert(buffer_.end(), batch.begin(), batch.end());
  position_ += batch.size();
  end_offset_ = header.next_offset();
  return buffer_.size() >= write_bytes ? flush() : Result<>{};
}

Result<> CompactionWriter::flush() {
  if (buffer_.empty()) return {};
  if (auto written = log_->write_at(buffer_, buffer_position_); !written) return written;
  buffer_position_ += buffer_.size();
  buffer_.clear();
  return {};
}

Result<> CompactionWriter::write_index(const std::string& name, base::ByteSpan bytes) {
  auto file = context_.vfs.open(os::join_path(directory_, name), os::OpenMode::open_or_create);
  if (!file) return file.error();
  if (auto cut = (*file)->truncate(0); !cut) return cut;
  if (!bytes.empty()) {
    if (auto written = (*file)->write_at(bytes, 0); !written) return written;
  }
  return (*file)->sync_all();
}

Result<> CompactionWriter::finish(std::int64_t modified_ms) {
  if (auto written = flush(); !written) return written;
  indexes_.close();
  auto offset_index = write_index(format::file_name(base_offset_, FileKind::offset_index, FileState::cleaned),
                                  indexes_.offset_entries());
  if (!offset_index) return offset_index;
  auto time_index = write_index(format::file_name(base_offset_, FileKind::time_index, FileState::cleaned),
                                indexes_.time_entries());
  if (!time_index) return time_index;
  if (transactions_) {
    auto transactions = write_index(
        format::file_name(base_offset_, FileKind::transaction_index, FileState::cleaned), *transactions_);
    if (!transactions) return transactions;
  }
  if (modified_ms >= 0) {
    if (auto dated = log_->set_modified_ms(modified_ms); !dated) return dated;
  }
  if (auto synced = log_->sync_all(); !synced) return synced;
  log_.reset();
  // Names must not become durable before what they promise.
  if (auto synced = context_.vfs.sync_directory(directory_); !synced) return synced;
  has_swaps_ = true;
  for (const FileKind kind : kinds()) {
    const std::string cleaned = path_of(kind, FileState::cleaned);
    const std::string swap = path_of(kind, FileState::swap);
    if (auto renamed = context_.vfs.rename(cleaned, swap); !renamed) return renamed;
  }
  return context_.vfs.sync_directory(directory_);
}

Result<> CompactionWriter::swap_in() {
  for (const FileKind kind : kinds()) {
    const std::string swap = path_of(kind, FileState::swap);
    const std::string live = path_of(kind, FileState::live);
    if (auto renamed = context_.vfs.rename(swap, live); !renamed) return renamed;
    context_.files.forget(live);
  }
  return context_.vfs.sync_directory(directory_);
}

// From the last name back, so that on the way it is as on the way of `swap_in`.
Result<> CompactionWriter::swap_out() {
  const auto all = kinds();
  for (auto kind = all.rbegin(); kind != all.rend(); ++kind) {
    const std::string swap = path_of(*kind, FileState::swap);
    const std::string live = path_of(*kind, FileState::live);
    auto is_swap = context_.vfs.exists(swap);
    if (!is_swap) return is_swap.error();
    if (*is_swap) continue;
    context_.files.forget(live);
    if (auto renamed = context_.vfs.rename(live, swap); !renamed) return renamed;
  }
  return {};
}

// The log last: without it an index would be swapped in beside a log that is not its own.
Result<> CompactionWriter::abandon() {
  log_.reset();
  Result<> outcome;
  for (const FileKind kind : kinds()) {
    // A file that cannot be removed here is removed by the next open: a `.cleaned` is never taken for
    // anything else.
    (void)context_.vfs.remove(path_of(kind, FileState::cleaned)).ok();
    if (!has_swaps_) continue;
    auto removed = context_.vfs.remove(path_of(kind, FileState::swap));
    if (!removed && removed.error().code() != Errc::not_found && outcome) outcome = removed;
  }
  return outcome;
}

std::string CompactionWriter::path_of(FileKind kind, FileState state) const {
  return os::join_path(directory_, format::file_name(base_offset_, kind, state));
}

segment::SegmentState CompactionWriter::state() const noexcept {
  return {.base_offset = base_offset_,
          .end_position = position_,
          .end_offset = end_offset_,
          .max_timestamp = indexes_.max_timestamp(),
          .first_timestamp_ms = first_timestamp_ms_,
          .offset_index_entries = indexes_.offset_entries().size() / segment::OffsetIndex::entry_bytes,
          .time_index_entries = indexes_.time_entries().size() / segment::TimeIndex::entry_bytes};
}

}  // namespace seriatim::partition
