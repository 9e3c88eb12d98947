#include "inspect/verify_transactions.hpp"

#include <algorithm>
#include <utility>

#include "format/batch/control_record.hpp"
#include "os/file/small_file.hpp"

namespace seriatim::inspect {
namespace {

using format::aborted_transaction_bytes;
using format::AbortedTransaction;

// Thirty million aborted transactions in one segment are beyond its offsets' use.
constexpr std::size_t transaction_index_bytes_max = std::size_t{1} << 30;

WrongTransactions wrong_at(std::uint64_t position, std::string what) {
  return {.position = position, .what = std::move(what)};
}

}  // namespace

void TransactionIndexCheck::note(const format::BatchHeader& header, base::ByteSpan batch) {
  using Step = partition::OpenTransactions::Step;
  if (state_ == nullptr || !header.has_producer()) return;
  count_unfinished(header);
  const auto noted = state_->open.note(header, batch);
  // A marker that does not decode is a finding of its own.
  if (noted.step == Step::damaged) pass_damage(header.next_offset());
  if (header.is_control() && format::read_control_batch(batch) == format::ControlBatch::abort) {
    auto& entry = aborted_[header.base_offset];
    if (noted.step == Step::ended) entry = noted.ended.index_entry();
  }
}

void TransactionIndexCheck::count_unfinished(const format::BatchHeader& header) {
  if (header.is_control()) {
    state_->unfinished.erase(header.producer_id);
  } else if (header.is_transactional()) {
    auto& records = state_->unfinished[header.producer_id];
    records.epoch = header.producer_epoch;
    if (records.first_offset < 0) records.first_offset = header.base_offset;
    records.last_offset = header.last_offset();
    records.count += static_cast<std::uint64_t>(header.record_count);
  }
}

void TransactionIndexCheck::pass_damage(Offset next) {
  if (state_ == nullptr) return;
  *state_ = {.known_from = next, .unfinished = std::move(state_->unfinished)};
  met_damage_ = true;
}

Result<std::optional<WrongTransactions>> TransactionIndexCheck::check(os::Vfs& vfs,
                                                                      const Segment& segment) const {
  if (state_ == nullptr) return std::optional<WrongTransactions>();
  auto file = os::read_small_file(vfs, segment.path, transaction_index_bytes_max);
  // Where nothing was aborted there need not be one.
  if (!file && file.error().code() == Errc::not_found) file = std::vector<std::byte>();
  if (!file && file.error().code() == Errc::corrupt_metadata) {
    return std::optional(
        wrong_at(transaction_index_bytes_max, "it is longer than any index; it can be rebuilt"));
  }
  if (!file) return file.error();
  if (auto wrong = check_entries(segment, *file)) return wrong;
  return check_seal(segment, *file);
}

std::optional<WrongTransactions> TransactionIndexCheck::check_entries(const Segment& segment,
                                                                      base::ByteSpan file) const {
  Entries entries;
  for (std::size_t at = 0; at + aborted_transaction_bytes <= file.size(); at += aborted_transaction_bytes) {
    AbortedTransaction entry;
    const bool is_sound = format::load_aborted_transaction(file.data() + at, entry) &&
                          entry.last_offset >= segment.base_offset &&
                          (entries.empty() || entry.last_offset > entries.rbegin()->first);
    // The writer makes the entry before it shows the marker.
    if (is_sound && segment.is_last && entry.last_offset >= segment.end_offset) break;
    if (!is_sound || !is_true(segment, entry)) {
      return wrong_at(
          at, "the entry is not that of a transaction that was aborted here; the index can be rebuilt");
    }
    entries.emplace_hint(entries.end(), entry.last_offset, entry);
  }
  for (const auto& [marker, entry] : aborted_) {
    if (!entry || entries.contains(marker)) continue;
    auto wrong = wrong_at(file.size(), "the transaction of producer " + std::to_string(entry->producer_id) +
                                           " that was aborted at offset " + std::to_string(marker) +
                                           " is missing; the index can be rebuilt");
    wrong.first_offset = entry->first_offset;
    wrong.last_offset = marker;
    return wrong;
  }
  return std::nullopt;
}

bool TransactionIndexCheck::is_true(const Segment& segment, const AbortedTransaction& entry) const {
  // Behind damage it is not known what was open.
  if (met_damage_) return true;
  const auto marker = aborted_.find(entry.last_offset);
  if (marker == aborted_.end()) return false;
  // Compaction, or retention, has taken records, the first of a transaction or all.
  const Offset known_from = state_->known_from;
  const bool may_have_begun_before = segment.may_have_gaps || entry.first_offset < known_from;
  if (!marker->second) return may_have_begun_before;
  const AbortedTransaction& expected = *marker->second;
  const Offset stable = entry.last_stable_offset;
  const bool is_first = entry.first_offset == expected.first_offset ||
                        (may_have_begun_before && entry.first_offset < expected.first_offset);
  const bool is_stable =
      stable == expected.last_stable_offset ||
      (stable < expected.last_stable_offset && (segment.may_have_gaps || stable < known_from));
  return expected.producer_id == entry.producer_id && is_first && is_stable;
}

// A segment that is written to has none, and a part of an entry may be on its way into the file.
std::optional<WrongTransactions> TransactionIndexCheck::check_seal(const Segment& segment,
                                                                   base::ByteSpan file) const {
  const std::size_t rest = file.size() % aborted_transaction_bytes;
  if (rest == 0 || segment.is_last) return std::nullopt;
  const std::uint64_t at = file.size() - rest;
  if (rest != format::transaction_seal_bytes)
    return wrong_at(at, "the length is not that of an index; it can be rebuilt");
  const auto seal = format::load_transaction_seal(file, segment.base_offset);
  if (!seal) return wrong_at(at, "the seal does not fit the entries; the index can be rebuilt");
  const bool is_of_this_log = seal->log_bytes == segment.log_bytes;
  if (is_of_this_log && seal->first_open_offset > state_->open.first_offset(seal->end_offset)) {
    return wrong_at(at,
                    "the seal does not know of a transaction that is open behind this segment; the index "
                    "can be rebuilt");
  }
  return std::nullopt;
}

}  // namespace seriatim::inspect
