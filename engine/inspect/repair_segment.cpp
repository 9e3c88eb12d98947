#include "inspect/repair_segment.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "format/batch_header.hpp"
#include "format/file_name.hpp"
#include "format/index_entry.hpp"
#include "format/transaction_seal.hpp"
#include "inspect/repair_transactions.hpp"
#include "os/file/small_file.hpp"
#include "os/path.hpp"
#include "partition/compaction/compaction_writer.hpp"
#include "segment/index/index_builder.hpp"
#include "segment/scan/batch_search.hpp"
#include "segment/scan/batch_stream.hpp"

namespace seriatim::inspect {
namespace {

using format::BatchFault;
using format::FileKind;
using Item = segment::BatchStream::Item;

constexpr std::size_t copy_bytes = std::size_t{1} << 20;  // Arbitrary.

std::string segment_path(const SegmentToRepair& segment, FileKind kind) {
  return os::join_path(segment.directory, format::file_name(segment.base_offset, kind));
}

/// Gets what a segment holds, in order.
class SegmentSink {
 public:
  virtual ~SegmentSink() = default;
  SegmentSink() = default;
  SegmentSink(const SegmentSink&) = delete;
  SegmentSink& operator=(const SegmentSink&) = delete;
  virtual Result<> batch(const Item& item) = 0;
  virtual Result<> lost(const LostOffsets& offsets) = 0;
};

/// Reads every batch that can be read; goes on behind damage at the next sound batch.
class SegmentWalk {
 public:
  SegmentWalk(const segment::SegmentContext& context, const SegmentToRepair& segment, SegmentSink& sink)
      : context_(context), segment_(segment), sink_(sink), next_(segment.base_offset) {}

  Result<> run() {
    auto file = context_.vfs.open(segment_path(segment_, FileKind::log), os::OpenMode::read);
    if (!file) return file.error();
    file_ = *std::move(file);
    auto size = file_->size();
    if (!size) return size.error();
    size_ = *size;
    segment::BatchStream stream(*file_, 0, size_, segment_.base_offset);
    for (;;) {
      auto item = stream.next();
      if (!item) return item.error();
      if (item->at_end) break;
      auto fits = is_right(*item);
      if (!fits) return fits.error();
      if (*fits) {
        if (auto taken = take(*item); !taken) return taken;
        continue;
      }
      auto resumed = place_behind(*item);
      if (!resumed) return resumed.error();
      is_behind_damage_ = true;
      if (!*resumed) break;
      stream.resume_at(**resumed, next_);
    }
    const bool has_hole = segment_.next_base > next_ && (is_behind_damage_ || !segment_.may_have_gaps);
    return has_hole ? sink_.lost({next_, segment_.next_base - 1}) : Result<>{};
  }

 private:
  // Base offsets have no checksum: one that leaves a hole is believed where the batch behind it goes on from
  // there, and taken for damage where that batch goes on from where this one should be.
  Result<bool> is_right(const Item& item) {
    if (item.fault != BatchFault::none) return false;
    const auto& header = item.header;
    if (header.last_offset() - segment_.base_offset > std::numeric_limits<std::int32_t>::max()) return false;
    if (segment_.next_base >= 0 && header.last_offset() >= segment_.next_base) return false;
    if (segment_.may_have_gaps || is_behind_damage_ || header.base_offset == next_) return true;
    segment::BatchStream probe(*file_, item.position + header.size_bytes(), size_, next_);
    auto behind = probe.next();
    if (!behind) return behind.error();
    return behind->at_end || behind->fault != BatchFault::none ||
           behind->header.base_offset >= header.next_offset();
  }

  Result<> take(const Item& item) {
    const bool is_lost = item.header.base_offset > next_ && (is_behind_damage_ || !segment_.may_have_gaps);
    if (is_lost) {
      if (auto told = sink_.lost({next_, item.header.base_offset - 1}); !told) return told;
    }
    is_behind_damage_ = false;
    next_ = item.header.next_offset();
    return sink_.batch(item);
  }

  Result<std::optional<std::uint64_t>> place_behind(const Item& fault) {
    segment::FileLogBytes bytes(*file_);
    segment::SearchRange range{.fault_position = fault.position, .end = size_, .lowest_base = next_};
    if (segment_.next_base >= 0) range.offsets_end = segment_.next_base;
    auto sound = segment::find_sound_batch(bytes, range);
    if (!sound) return sound.error();
    return *sound ? std::optional((*sound)->position) : std::optional<std::uint64_t>();
  }

  const segment::SegmentContext& context_;
  const SegmentToRepair& segment_;
  SegmentSink& sink_;
  std::unique_ptr<os::File> file_;
  std::uint64_t size_ = 0;
  Offset next_;
  bool is_behind_damage_ = false;
};

class LossList final : public SegmentSink {
 public:
  Result<> batch(const Item&) override { return {}; }
  Result<> lost(const LostOffsets& offsets) override {
    all.push_back(offsets);
    return {};
  }
  std::vector<LostOffsets> all{};
};

Result<> remove_transaction_index(const segment::SegmentContext& context, const SegmentToRepair& segment) {
  const std::string path = segment_path(segment, FileKind::transaction_index);
  context.files.forget(path);
  auto removed = context.vfs.remove(path);
  if (!removed) return removed.error().code() == Errc::not_found ? Result<>{} : removed;
  return context.vfs.sync_directory(segment.directory);
}

class IndexSink final : public SegmentSink {
 public:
  explicit IndexSink(const SegmentToRepair& segment)
      : builder(segment.base_offset, segment.index_interval_bytes), end_offset(segment.base_offset) {}
  Result<> batch(const Item& item) override {
    builder.note(item.position, item.header);
    transactions.note(item.header, item.bytes);
    end_position = item.position + item.bytes.size();
    end_offset = item.header.next_offset();
    return {};
  }
  Result<> lost(const LostOffsets&) override {
    transactions.pass_damage();
    return {};
  }
  segment::IndexBuilder builder;
  RepairedTransactions transactions;
  std::uint64_t end_position = 0;
  Offset end_offset = 0;
};

// A segment that no transaction touches needs none.
Result<> replace_transaction_index(const segment::SegmentContext& context, const SegmentToRepair& segment,
                                   const IndexSink& made) {
  const std::string path = segment_path(segment, FileKind::transaction_index);
  const auto& entries = made.transactions.entries();
  const Offset end = segment.next_base >= 0 ? segment.next_base : made.end_offset;
  const auto first_open = made.transactions.first_open_offset(end);
  const format::TransactionSeal seal{
      .log_bytes = made.end_position, .end_offset = end, .first_open_offset = first_open.value_or(end)};
  context.files.forget(path);
  if (first_open && format::can_be_stored(seal, segment.base_offset)) {
    return os::replace_small_file(context.vfs, path,
                                  format::encode_sealed_transactions(entries, seal, segment.base_offset));
  }
  if (!entries.empty())
    return os::replace_small_file(context.vfs, path, format::encode_aborted_transactions(entries));
  return remove_transaction_index(context, segment);
}

class RewriteSink final : public SegmentSink {
 public:
  RewriteSink(const SegmentToRepair& segment, partition::CompactionWriter& writer)
      : segment_(segment), writer_(writer) {}
  Result<> batch(const Item& item) override {
    transactions.note(item.header, item.bytes);
    return writer_.write(item.header, item.bytes);
  }
  Result<> lost(const LostOffsets& offsets) override {
    transactions.pass_damage();
    if (offsets.last - segment_.base_offset > std::numeric_limits<std::int32_t>::max()) {
      return Error(Errc::invalid_state,
                   segment_path(segment_, FileKind::log) + ": the lost offsets " +
                       std::to_string(offsets.first) + " to " + std::to_string(offsets.last) +
                       " are more than one segment can express; the file was left as it is");
    }
    std::array<std::byte, format::header_bytes> bytes{};
    const format::BatchHeader empty{
        .base_offset = offsets.first,
        .last_offset_delta = static_cast<std::int32_t>(offsets.last - offsets.first)};
    const std::uint32_t crc = format::write_sealed_header(bytes, empty);
    auto header = empty;
    header.crc = crc;
    return writer_.write(header, bytes);
  }
  RepairedTransactions transactions;

 private:
  const SegmentToRepair& segment_;
  partition::CompactionWriter& writer_;
};

Result<std::string> copy_aside(os::Vfs& vfs, const std::string& path) {
  std::string to = path + ".damaged";
  for (int number = 1;; ++number) {
    auto exists = vfs.exists(to);
    if (!exists) return exists.error();
    if (!*exists) break;
    to = path + ".damaged." + std::to_string(number);
  }
  auto from = vfs.open(path, os::OpenMode::read);
  if (!from) return from.error();
  auto copy = vfs.open(to, os::OpenMode::create_new);
  if (!copy) return copy.error();
  std::vector<std::byte> piece(copy_bytes);
  for (std::uint64_t position = 0;; position += piece.size()) {
    auto read = (*from)->read_at(piece, position);
    if (!read) return read.error();
    if (auto written = (*copy)->write_at(base::ByteSpan(piece).first(*read), position); !written)
      return written.error();
    if (*read < piece.size()) break;
  }
  if (auto synced = (*copy)->sync_all(); !synced) return synced.error();
  if (auto synced = vfs.sync_directory(os::parent_path(path)); !synced) return synced.error();
  return to;
}

}  // namespace

Result<std::vector<LostOffsets>> find_lost_offsets(const segment::SegmentContext& context,
                                                   const SegmentToRepair& segment) {
  LossList losses;
  if (auto walked = SegmentWalk(context, segment, losses).run(); !walked) return walked.error();
  return std::move(losses.all);
}

Result<> rebuild_segment_indexes(const segment::SegmentContext& context, const SegmentToRepair& segment) {
  IndexSink sink(segment);
  auto begun = sink.transactions.begin(context, segment.directory, segment.base_offset);
  if (!begun) return begun;
  if (auto walked = SegmentWalk(context, segment, sink).run(); !walked) return walked;
  sink.builder.close();
  const std::pair<FileKind, base::ByteSpan> files[] = {
      {FileKind::offset_index, sink.builder.offset_entries()},
      {FileKind::time_index, sink.builder.time_entries()}};
  for (const auto& [kind, entries] : files) {
    const std::string path = segment_path(segment, kind);
    if (auto replaced = os::replace_small_file(context.vfs, path, entries); !replaced) return replaced;
    context.files.forget(path);
  }
  return replace_transaction_index(context, segment, sink);
}

Result<std::string> rewrite_segment(const segment::SegmentContext& context, const SegmentToRepair& segment) {
  const std::string path = segment_path(segment, FileKind::log);
  if (segment.next_base < 0) {
    return Error(Errc::invalid_state, path + " is the last segment of its partition and was left as it is");
  }
  auto original = context.vfs.open(path, os::OpenMode::read);
  if (!original) return original.error();
  auto modified_ms = (*original)->modified_ms();
  if (!modified_ms) return modified_ms.error();
  auto copy = copy_aside(context.vfs, path);
  if (!copy) return copy;
  partition::CompactionWriter writer(context, segment.directory, segment.base_offset,
                                     segment.index_interval_bytes);
  RewriteSink sink(segment, writer);
  auto made = [&]() -> Result<> {
    if (auto opened = writer.open(); !opened) return opened;
    auto begun = sink.transactions.begin(context, segment.directory, segment.base_offset);
    if (!begun) return begun;
    if (auto walked = SegmentWalk(context, segment, sink).run(); !walked) return walked;
    writer.set_aborted(sink.transactions.entries(), sink.transactions.first_open_offset(segment.next_base),
                       segment.next_base);
    return writer.finish(*modified_ms);
  }();
  if (!made) {
    if (auto removed = writer.abandon(); !removed)
      return made.error().with_context(removed.error().message());
    return made.error();
  }
  if (auto swapped = writer.swap_in(); !swapped) return swapped.error();
  if (!writer.has_transaction_index()) {
    if (auto removed = remove_transaction_index(context, segment); !removed) return removed.error();
  }
  return copy;
}

}  // namespace seriatim::inspect
