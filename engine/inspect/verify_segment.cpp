#include "inspect/verify_segment.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

#include "format/batch/batch_check.hpp"
#include "format/batch/record_cursor.hpp"
#include "format/batch/record_section.hpp"
#include "format/batch_header.hpp"
#include "format/file_name.hpp"
#include "format/index_entry.hpp"
#include "os/path.hpp"
#include "segment/scan/batch_search.hpp"
#include "segment/scan/batch_stream.hpp"

namespace seriatim::inspect {
namespace {

using format::BatchFault;
using format::FileKind;

// A batch may expand to this much: Kafka's own limit is memory; a hostile batch must not take all of ours.
constexpr std::size_t section_bytes_max = std::size_t{1} << 30;
// The widest index read at once; beyond the 10 MiB Kafka's default allows nothing is expected.
constexpr std::uint64_t index_bytes_max = std::uint64_t{1} << 31;

class SegmentVerifier {
 public:
  SegmentVerifier(os::Vfs& vfs, const SegmentToVerify& segment, VerifyReport& report)
      : vfs_(vfs), segment_(segment), report_(report), transactions_(segment.transactions) {}

  Result<std::optional<Offset>> verify_log(const std::function<bool(std::uint64_t)>& progress) {
    auto file = vfs_.open(path(FileKind::log), os::OpenMode::read);
    if (!file) return file.error();
    auto size = (*file)->size();
    if (!size) return size.error();
    ++report_.segments;
    std::uint64_t from = 0;
    next_ = segment_.base_offset;
    for (;;) {
      segment::BatchStream stream(**file, from, *size, next_);
      auto stopped_at = walk(stream, progress);
      if (!stopped_at) return stopped_at.error();
      if (!*stopped_at) return std::optional<Offset>();
      end_position_ = (*stopped_at)->position;
      if ((*stopped_at)->at_end) break;
      auto resumed = report_fault(**stopped_at, **file, *size);
      if (!resumed) return resumed.error();
      if (*resumed == 0) break;
      from = *resumed;
    }
    report_.bytes += end_position_;
    return std::optional<Offset>(next_);
  }

  Result<> verify_offset_index() {
    auto bytes = read_index(FileKind::offset_index, format::offset_index_entry_bytes);
    if (!bytes || bytes->empty()) return bytes ? Result<>{} : Result<>(bytes.error());
    std::int64_t last_relative = -1;
    for (std::size_t at = 0; at + format::offset_index_entry_bytes <= bytes->size();
         at += format::offset_index_entry_bytes) {
      const auto entry = format::load_offset_index_entry(bytes->data() + at);
      // Space that the writer has allocated ahead.
      if (segment_.is_last && entry == format::OffsetIndexEntry{}) break;
      const auto batch = last_offsets_.find(static_cast<std::uint64_t>(entry.position));
      if (segment_.is_last && entry.position >= 0 &&
          static_cast<std::uint64_t>(entry.position) >= end_position_)
        break;
      if (is_damaged(static_cast<std::uint64_t>(entry.position)))
        continue;  // Told already, and nothing to compare with.
      const bool right = entry.relative_offset > last_relative && batch != last_offsets_.end() &&
                         batch->second == segment_.base_offset + entry.relative_offset;
      if (!right) {
        add(Severity::repairable, FileKind::offset_index, at,
            "the entry does not point at a batch that ends with its offset; the index can be rebuilt");
        return {};
      }
      last_relative = entry.relative_offset;
    }
    return {};
  }

  Result<> verify_transaction_index() {
    auto wrong = transactions_.check(vfs_, {.path = path(FileKind::transaction_index),
                                            .base_offset = segment_.base_offset,
                                            .end_offset = next_,
                                            .log_bytes = end_position_,
                                            .is_last = segment_.is_last,
                                            .may_have_gaps = segment_.may_have_gaps});
    if (!wrong || !*wrong) return wrong ? Result<>{} : Result<>(wrong.error());
    add(Severity::repairable, FileKind::transaction_index, (*wrong)->position, (*wrong)->what);
    report_.findings.back().first_offset = (*wrong)->first_offset;
    report_.findings.back().last_offset = (*wrong)->last_offset;
    return {};
  }

  Result<> verify_time_index() {
    auto bytes = read_index(FileKind::time_index, format::time_index_entry_bytes);
    if (!bytes || bytes->empty()) return bytes ? Result<>{} : Result<>(bytes.error());
    format::TimeIndexEntry previous{-1, -1};
    for (std::size_t at = 0; at + format::time_index_entry_bytes <= bytes->size();
         at += format::time_index_entry_bytes) {
      const auto entry = format::load_time_index_entry(bytes->data() + at);
      if (segment_.is_last && entry == format::TimeIndexEntry{}) break;
      const Offset offset = segment_.base_offset + entry.relative_offset;
      if (segment_.is_last && offset >= next_) break;
      if (entry.timestamp_ms <= previous.timestamp_ms || entry.relative_offset < previous.relative_offset ||
          offset >= std::max(next_, segment_.base_offset + 1)) {
        add(Severity::repairable, FileKind::time_index, at,
            "the entries do not ascend within the segment; the index can be rebuilt");
        return {};
      }
      previous = entry;
    }
    return {};
  }

 private:
  bool is_damaged(std::uint64_t position) const noexcept {
    return std::any_of(damaged_.begin(), damaged_.end(),
                       [position](const Range& r) { return position >= r.begin && position < r.end; });
  }

  std::string path(FileKind kind) const {
    return os::join_path(segment_.directory, format::file_name(segment_.base_offset, kind));
  }

  void add(Severity severity, FileKind kind, std::uint64_t position, std::string what) {
    report_.findings.push_back(
        {.severity = severity,
         .path = os::join_path(segment_.shown_directory, format::file_name(segment_.base_offset, kind)),
         .position = position,
         .what = std::move(what)});
  }

  // Walks to the first fault or the end; nullopt if progress said stop.
  Result<std::optional<segment::BatchStream::Item>> walk(segment::BatchStream& stream,
                                                         const std::function<bool(std::uint64_t)>& progress) {
    for (;;) {
      auto item = stream.next();
      if (!item) return item.error();
      if (item->at_end || item->fault != BatchFault::none) return std::optional(*item);
      const auto& header = item->header;
      if (!segment_.may_have_gaps && header.base_offset != next_ && !after_damage_) {
        add(Severity::damage, FileKind::log, item->position,
            "the batch begins at offset " + std::to_string(header.base_offset) + ", expected " +
                std::to_string(next_));
        report_.findings.back().first_offset = next_;
        report_.findings.back().last_offset = header.base_offset - 1;
      }
      after_damage_ = false;
      ++report_.batches;
      report_.records += static_cast<std::uint64_t>(header.record_count);
      if (segment_.deep) check_records(*item);
      transactions_.note(item->header, item->bytes);
      last_offsets_.emplace_hint(last_offsets_.end(), item->position, header.last_offset());
      next_ = header.next_offset();
      if (progress && !progress(item->bytes.size())) return std::optional<segment::BatchStream::Item>();
    }
  }

  void check_records(const segment::BatchStream::Item& item) {
    auto section = format::record_section(item.bytes, section_bytes_max, scratch_);
    bool right = section.ok();
    if (right) {
      format::RecordCursor cursor(*section, item.header.record_count, item.header.last_offset_delta);
      format::DecodedRecord record;
      auto step = cursor.next(record);
      while (step == format::RecordCursor::Step::record) step = cursor.next(record);
      right = step == format::RecordCursor::Step::end;
    }
    if (right) return;
    // The checksum fits, so these are the bytes that were written, whole: nothing is lost, nor to be mended.
    const bool is_whole = !section && section.error().code() == Errc::unsupported_codec;
    add(is_whole ? Severity::note : Severity::damage, FileKind::log, item.position,
        std::string(is_whole ? "the checksum fits but the records cannot be read here"
                             : "the checksum fits but the records do not decode") +
            (section ? std::string() : ": " + section.error().message()));
    report_.findings.back().first_offset = item.header.base_offset;
    report_.findings.back().last_offset = item.header.last_offset();
  }

  // Records a fault and finds where to go on: at the next sound batch. 0: nowhere.
  Result<std::uint64_t> report_fault(const segment::BatchStream::Item& item, os::File& file,
                                     std::uint64_t size) {
    const bool open_end = segment_.is_last && item.position >= segment_.durable_bytes;
    if (open_end && item.fault == BatchFault::end_of_log) return std::uint64_t{0};
    if (item.fault == BatchFault::end_of_log && next_ == segment_.next_base) {
      add(Severity::note, FileKind::log, item.position,
          "allocated space behind the end: the writer was stopped while it began the next segment; the next "
          "open for writing trims it");
      return std::uint64_t{0};
    }
    auto resume = find_resumption(item.position, file, size);
    if (!resume) return resume.error();
    if (open_end && *resume == 0) {
      add(Severity::note, FileKind::log, item.position,
          "a batch that is not complete: being written, or the tail that a killed writer left; the next open "
          "for writing cuts it");
      report_.findings.back().first_offset = next_;
      return std::uint64_t{0};
    }
    add(Severity::damage, FileKind::log, item.position,
        std::string(format::describe(item.fault)) +
            (*resume == 0 ? "; nothing behind it in this segment is readable"
                          : "; readable again from position " + std::to_string(*resume)));
    // Where the next segment begins, the loss ends: it is not told again there.
    const Offset behind = *resume != 0 ? next_after_damage_ : segment_.next_base;
    if (behind < 0 || behind > next_) report_.findings.back().first_offset = next_;
    if (behind > next_) {
      report_.findings.back().last_offset = behind - 1;
      next_ = behind;
    }
    after_damage_ = true;
    transactions_.pass_damage(next_);
    damaged_.push_back({item.position, *resume != 0 ? *resume : size});
    return *resume;
  }

  // 0: nowhere.
  Result<std::uint64_t> find_resumption(std::uint64_t fault_position, os::File& file, std::uint64_t size) {
    segment::FileLogBytes bytes(file);
    segment::SearchRange range{.fault_position = fault_position, .end = size, .lowest_base = next_};
    if (segment_.next_base >= 0) range.offsets_end = segment_.next_base;
    auto sound = segment::find_sound_batch(bytes, range);
    if (!sound) return sound.error();
    if (!*sound) return std::uint64_t{0};
    next_after_damage_ = (*sound)->header.base_offset;
    return (*sound)->position;
  }

  // Empty, with a finding, if the index is missing or its length is wrong.
  Result<std::vector<std::byte>> read_index(FileKind kind, std::size_t entry_bytes) {
    auto file = vfs_.open(path(kind), os::OpenMode::read);
    if (!file) {
      if (file.error().code() != Errc::not_found) return file.error();
      add(Severity::repairable, kind, 0, "the index is missing; it can be rebuilt");
      return std::vector<std::byte>();
    }
    auto size = (*file)->size();
    if (!size) return size.error();
    if (*size > index_bytes_max || (!segment_.is_last && *size % entry_bytes != 0)) {
      add(Severity::repairable, kind, *size, "the length is not that of an index; it can be rebuilt");
      return std::vector<std::byte>();
    }
    std::vector<std::byte> bytes(static_cast<std::size_t>(*size));
    auto read = (*file)->read_at(bytes, 0);
    if (!read) return read.error();
    bytes.resize(*read);
    return bytes;
  }

  os::Vfs& vfs_;
  const SegmentToVerify& segment_;
  VerifyReport& report_;
  Offset next_ = 0;
  Offset next_after_damage_ = 0;
  bool after_damage_ = false;
  std::uint64_t end_position_ = 0;
  struct Range {
    std::uint64_t begin;
    std::uint64_t end;
  };
  std::vector<Range> damaged_;
  std::map<std::uint64_t, Offset> last_offsets_;  // of the batch at each position
  TransactionIndexCheck transactions_;
  std::vector<std::byte> scratch_;
};

}  // namespace

Result<std::optional<Offset>> verify_segment(os::Vfs& vfs, const SegmentToVerify& segment,
                                             const std::function<bool(std::uint64_t bytes)>& progress,
                                             VerifyReport& report) {
  SegmentVerifier verifier(vfs, segment, report);
  auto end = verifier.verify_log(progress);
  if (!end || !*end) return end;
  if (auto index = verifier.verify_offset_index(); !index) return index.error();
  if (auto index = verifier.verify_time_index(); !index) return index.error();
  if (auto index = verifier.verify_transaction_index(); !index) return index.error();
  return end;
}

}  // namespace seriatim::inspect
