#include "inspect/repair_transactions.hpp"

#include <algorithm>
#include <limits>

#include "format/file_name.hpp"
#include "os/path.hpp"
#include "segment/index/transaction_index.hpp"
#include "segment/scan/batch_stream.hpp"
#include "segment/segment_store.hpp"

namespace seriatim::inspect {
namespace {

using format::FileKind;
using partition::OpenTransactions;

std::string path_in(const std::string& directory, Offset base_offset, FileKind kind) {
  return os::join_path(directory, format::file_name(base_offset, kind));
}

}  // namespace

Result<> RepairedTransactions::begin(const segment::SegmentContext& context, const std::string& directory,
                                     Offset base_offset) {
  auto log = context.vfs.open(path_in(directory, base_offset, FileKind::log), os::OpenMode::read);
  if (!log) return log.error();
  auto log_bytes = (*log)->size();
  if (!log_bytes) return log_bytes.error();
  segment::TransactionIndex index(context, path_in(directory, base_offset, FileKind::transaction_index),
                                  base_offset);
  auto proven = index.proven(*log_bytes);
  if (!proven) return proven.error();
  if (!*proven) return find_open(context, directory, base_offset);
  entries_ = (*proven)->entries;
  proven_first_open_ = (*proven)->seal.first_open_offset;
  return {};
}

Result<> RepairedTransactions::find_open(const segment::SegmentContext& context, const std::string& directory,
                                         Offset base_offset) {
  auto listing = segment::list_segments(context.vfs, directory);
  if (!listing) return listing.error();
  const auto& segments = listing->segments;
  auto from = std::find_if(segments.begin(), segments.end(),
                           [&](const auto& file) { return file.base_offset >= base_offset; });
  // Where the log begins, nothing is known to be open.
  for (Offset base = base_offset;; base = (--from)->base_offset) {
    partition::ProducerState producers;
    const auto loaded = producers.load_snapshot(context.vfs, directory, base);
    if (loaded) open_ = OpenTransactions(producers);
    if (loaded || from == segments.begin()) break;
  }
  for (; from != segments.end() && from->base_offset < base_offset; ++from) {
    auto walked = walk(context, path_in(directory, from->base_offset, FileKind::log), from->base_offset);
    if (!walked) return walked;
  }
  has_transactions_ = !open_.all().empty();
  return {};
}

// As far as it can be read: the markers behind damage are not known.
Result<> RepairedTransactions::walk(const segment::SegmentContext& context, const std::string& log_path,
                                    Offset base_offset) {
  auto file = context.vfs.open(log_path, os::OpenMode::read);
  if (!file) return file.error();
  segment::BatchStream stream(**file, 0, std::numeric_limits<std::uint64_t>::max(), base_offset);
  for (;;) {
    auto item = stream.next();
    if (!item) return item.error();
    if (item->at_end) return {};
    if (item->fault != format::BatchFault::none) {
      pass_damage();
      return {};
    }
    if (open_.note(item->header, item->bytes).step == OpenTransactions::Step::damaged) pass_damage();
  }
}

void RepairedTransactions::note(const format::BatchHeader& header, base::ByteSpan batch) {
  if (proven_first_open_ || !header.has_producer()) return;
  has_transactions_ = has_transactions_ || header.is_transactional();
  const auto noted = open_.note(header, batch);
  if (noted.step == OpenTransactions::Step::damaged) pass_damage();
  if (noted.step == OpenTransactions::Step::ended && noted.ended.is_aborted)
    entries_.push_back(noted.ended.index_entry());
}

void RepairedTransactions::pass_damage() {
  open_.clear();
  met_damage_ = true;
}

std::optional<Offset> RepairedTransactions::first_open_offset(Offset end_offset) const {
  if (proven_first_open_) return proven_first_open_;
  if (met_damage_ || !has_transactions_) return std::nullopt;
  return open_.first_offset(end_offset);
}

}  // namespace seriatim::inspect
