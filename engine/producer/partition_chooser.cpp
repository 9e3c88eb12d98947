#include "producer/partition_chooser.hpp"

#include "format/murmur2.hpp"

namespace seriatim::producer {
namespace {

// splitmix64: a full-period generator whose whole state is one counter, so that threads can share it.
std::uint64_t mix(std::uint64_t value) noexcept {
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ULL;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebULL;
  return value ^ (value >> 31);
}
constexpr std::uint64_t golden_step = 0x9e3779b97f4a7c15ULL;

}  // namespace

PartitionChooser::PartitionChooser(Partitioning rule, std::size_t batch_size, std::uint64_t seed) noexcept
    : rule_(rule), batch_size_(batch_size), random_(seed), next_(static_cast<std::uint32_t>(mix(seed))) {}

PartitionId PartitionChooser::choose(BytesView key, std::size_t record_bytes,
                                     PartitionId partition_count) noexcept {
  if (partition_count == 1) return 0;
  if (rule_ == Partitioning::by_key && !key.is_null())
    return format::partition_for_key(key.bytes(), partition_count);
  if (rule_ == Partitioning::round_robin) {
    return static_cast<PartitionId>(next_.fetch_add(1, std::memory_order_relaxed) %
                                    static_cast<std::uint32_t>(partition_count));
  }
  return sticky(record_bytes, partition_count);
}

// Stays on one partition until batch_size bytes went there, then draws the next at random. Races between
// threads only blur the moment of the change.
PartitionId PartitionChooser::sticky(std::size_t record_bytes, PartitionId partition_count) noexcept {
  if (sticky_bytes_.fetch_add(record_bytes, std::memory_order_relaxed) >= batch_size_) {
    sticky_bytes_.store(record_bytes, std::memory_order_relaxed);
    const std::uint64_t drawn = mix(random_.fetch_add(golden_step, std::memory_order_relaxed));
    next_.store(static_cast<std::uint32_t>(drawn), std::memory_order_relaxed);
  }
  return static_cast<PartitionId>(next_.load(std::memory_order_relaxed) %
                                  static_cast<std::uint32_t>(partition_count));
}

}  // namespace seriatim::producer
