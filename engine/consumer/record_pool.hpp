// The implementation behind `ConsumerRecords`, and the pool to which it goes when it is no longer needed:
// steady polling allocates nothing.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <seriatim/record.hpp>
#include <seriatim/types.hpp>

#include "base/free_list.hpp"
#include "format/batch/record_cursor.hpp"
#include "segment/segment_maps.hpp"

namespace seriatim::consumer {

class RecordPool;

/// The buffer that a compressed batch was decompressed into. Shared by the feed that still hands out its
/// records and everybody who was given some.
struct Section {
  std::vector<std::byte> bytes{};
  std::atomic<std::uint32_t> owners{0};
  std::shared_ptr<RecordPool> home{};  ///< Set while it is out of the pool.
};

/// A counted reference. Any thread; one object by one thread at a time.
class SectionRef {
 public:
  SectionRef() noexcept = default;
  explicit SectionRef(std::unique_ptr<Section> section) noexcept : section_(section.release()) {
    section_->owners.store(1, std::memory_order_relaxed);
  }
  SectionRef(const SectionRef& other) noexcept : section_(other.section_) {
    if (section_ != nullptr) section_->owners.fetch_add(1, std::memory_order_relaxed);
  }
  SectionRef(SectionRef&& other) noexcept : section_(std::exchange(other.section_, nullptr)) {}
  SectionRef& operator=(SectionRef other) noexcept {
    std::swap(section_, other.section_);
    return *this;
  }
  ~SectionRef() { reset(); }

  /// The last one gives the section back to its pool.
  void reset() noexcept;
  std::vector<std::byte>& bytes() const noexcept { return section_->bytes; }
  explicit operator bool() const noexcept { return section_ != nullptr; }
  bool operator==(const SectionRef& other) const noexcept = default;

 private:
  Section* section_ = nullptr;
};

/// The records of one partition in a ConsumerRecords.
struct RecordRange {
  std::shared_ptr<const TopicPartition> name{};
  std::size_t first = 0;
  std::size_t count = 0;
  Offset next_offset = 0;
};

}  // namespace seriatim::consumer

namespace seriatim {
inline namespace v0 {
namespace detail {

/// Writes RecordViews.
struct RecordViewAccess {
  static void set(RecordView& view, const TopicPartition* name, Offset offset, std::int64_t timestamp_ms,
                  const format::DecodedRecord& record) noexcept {
    view.topic_partition_ = name;
    view.offset_ = offset;
    view.timestamp_ms_ = timestamp_ms;
    view.key_ = record.key.data();
    view.value_ = record.value.data();
    view.headers_ = record.headers.data();
    // A section is at most 2^30 bytes, an uncompressed batch 2^31.
    view.key_size_ = static_cast<std::uint32_t>(record.key.size());
    view.value_size_ = static_cast<std::uint32_t>(record.value.size());
    view.headers_size_ = static_cast<std::uint32_t>(record.headers.size());
    view.header_count_ = static_cast<std::uint32_t>(record.header_count);
  }
};

/// A vector of views that is filled in place: one that grew would first write every view empty, a third of
/// what filling it costs.
class RecordViewBuffer {
 public:
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  std::size_t capacity() const noexcept { return views_.size(); }
  RecordView* begin() noexcept { return views_.data(); }
  RecordView* end() noexcept { return views_.data() + size_; }
  std::span<const RecordView> views() const noexcept { return std::span(views_).first(size_); }
  const RecordView& front() const noexcept { return views_.front(); }

  /// Where `count` more views may be written behind those that are there. Their contents are those of an
  /// earlier use.
  RecordView* room_for(std::size_t count) {
    if (views_.size() - size_ < count) views_.resize(std::max(size_ + count, views_.size() * 2));
    return end();
  }
  /// Takes the first `count` of them in.
  void added(std::size_t count) noexcept { size_ += count; }
  /// Forgets all but the first `count`.
  void truncate(std::size_t count) noexcept { size_ = std::min(size_, count); }

 private:
  std::vector<RecordView> views_{};
  std::size_t size_ = 0;
};

/// Views, and everything they point at. Needs neither the consumer nor the engine.
struct ConsumerRecordsImpl {
  RecordViewBuffer views{};
  std::vector<consumer::RecordRange> ranges{};
  std::vector<segment::SegmentPin> pins{};
  std::vector<consumer::SectionRef> sections{};
  std::shared_ptr<consumer::RecordPool> home{};  ///< Set while it is out of the pool.

  /// Lets go of everything, and keeps the memory of the vectors.
  void clear() noexcept;
  /// Clears it and gives it back to its pool. Null is allowed.
  static void recycle(std::unique_ptr<ConsumerRecordsImpl> impl) noexcept;
  /// The public object; null, or one without records, gives an empty one.
  static ConsumerRecords wrap(std::unique_ptr<ConsumerRecordsImpl> impl) noexcept;
};

}  // namespace detail
}  // namespace v0
}  // namespace seriatim

namespace seriatim::consumer {

/// One per consumer or reader; lives as long as anything that came from it. Any thread.
class RecordPool : public std::enable_shared_from_this<RecordPool> {
 public:
  std::unique_ptr<detail::ConsumerRecordsImpl> take_records();
  SectionRef take_section();

  void give_back(std::unique_ptr<detail::ConsumerRecordsImpl> records) noexcept {
    records_.put(std::move(records));
  }
  void give_back(std::unique_ptr<Section> section) noexcept;

 private:
  // Arbitrary: a consumer that works on one poll while the next is under way needs two. A section that grew
  // beyond 4 MiB is not kept, so that a pool holds 32 MiB of them at most.
  static constexpr std::size_t sections_max = 8;
  static constexpr std::size_t section_bytes_kept = std::size_t{4} << 20;

  base::FreeList<detail::ConsumerRecordsImpl, 4> records_;
  base::FreeList<Section, sections_max> sections_;
};

}  // namespace seriatim::consumer
