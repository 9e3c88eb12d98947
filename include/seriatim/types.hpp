/// @file
/// The small vocabulary types. Widths and names are Kafka's.
#pragma once

#include <seriatim/language.hpp>

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace seriatim {
inline namespace v0 {

/// Record number in a partition, from 0. Never a byte position (those are called position).
using Offset = std::int64_t;
/// 0 .. partition count - 1.
using PartitionId = std::int32_t;
using ProducerId = std::int64_t;
using ProducerEpoch = std::int16_t;
using Sequence = std::int32_t;
/// Milliseconds since 1970-01-01T00:00Z, as in every Kafka record.
using Timestamp = std::chrono::sys_time<std::chrono::milliseconds>;

/// Kafka's "this record has no timestamp", -1 ms.
inline constexpr Timestamp no_timestamp{std::chrono::milliseconds{-1}};

/// Read-only bytes that may be null: null (no key; a tombstone's value) differs from empty.
///
/// Does not own. Bytes that a BytesView given to a call points at are only read before the call returns.
class BytesView {
 public:
  // Converting on purpose: keys and values are given as whatever bytes there are.
  // NOLINTBEGIN(google-explicit-constructor)
  /// Null.
  constexpr BytesView() noexcept = default;
  constexpr BytesView(std::nullptr_t) noexcept {}
  /// `size` bytes at `data`. Not null, also if `size` is 0 or `data` is nullptr.
  BytesView(const void* data, std::size_t size) noexcept
      : data_(data != nullptr ? static_cast<const std::byte*>(data) : &empty_byte), size_(size) {}
  BytesView(std::string_view text) noexcept : BytesView(text.data(), text.size()) {}
  BytesView(const char* text) noexcept : BytesView(std::string_view(text)) {}
  BytesView(const std::string& text) noexcept : BytesView(text.data(), text.size()) {}
  template <class T, std::size_t N>
  requires std::is_trivially_copyable_v<T> BytesView(std::span<T, N> items)
  noexcept : BytesView(items.data(), items.size_bytes()) {}
  // NOLINTEND(google-explicit-constructor)

  constexpr bool is_null() const noexcept { return data_ == nullptr; }
  constexpr bool empty() const noexcept { return size_ == 0; }
  constexpr const std::byte* data() const noexcept { return data_; }
  constexpr std::size_t size() const noexcept { return size_; }
  std::string_view text() const noexcept { return {reinterpret_cast<const char*>(data_), size_}; }
  constexpr std::span<const std::byte> bytes() const noexcept { return {data_, size_}; }

 private:
  static constexpr std::byte empty_byte{};
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

/// A partition of a topic, by name.
struct TopicPartition {
  std::string topic{};
  PartitionId partition = 0;
  auto operator<=>(const TopicPartition&) const = default;
};

/// A committed position: the next offset to read, and up to 4'096 bytes of the application's own.
struct OffsetAndMetadata {
  Offset offset = 0;
  std::string metadata{};
  auto operator<=>(const OffsetAndMetadata&) const = default;
};

/// Answer of a lookup by time.
struct OffsetAndTimestamp {
  Offset offset = 0;
  Timestamp timestamp{};
  auto operator<=>(const OffsetAndTimestamp&) const = default;
};

using TopicPartitionOffsets = std::map<TopicPartition, OffsetAndMetadata>;

/// The committer of positions: a group, and the member of it that acts, if the group has members.
struct ConsumerGroupMetadata {
  std::string group_id{};
  std::int32_t generation_id = -1;  ///< -1: of a consumer that assigns its partitions itself.
  std::string member_id{};          ///< Empty: the same.
};

/// The promise of an acknowledgement (docs/durability.md).
enum class Acks : std::int8_t {
  none = 0,    ///< Accepted by the producer. Nothing is promised; no offset is returned.
  leader = 1,  ///< In memory of the operating system: survives the death of the process at any instruction.
  all = -1,    ///< On stable storage, with everything earlier of its kind: survives power loss.
};

/// Which records of transactions a reader is shown. Records outside of transactions are always shown, in
/// their order: under read_committed they too wait for the transactions that began before them.
enum class IsolationLevel : std::uint8_t {
  read_uncommitted,  ///< All of them, also of transactions that are open or were aborted.
  read_committed,    ///< Records of committed ones. The default everywhere (Kafka's is read_uncommitted):
                     ///< nothing that may still be undone, or was, is shown unasked, and where there are no
                     ///< transactions it costs nothing.
};

}  // namespace v0
}  // namespace seriatim
