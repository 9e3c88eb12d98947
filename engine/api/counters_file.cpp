#include "api/counters_file.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstring>

#include "base/bytes.hpp"
#include "os/path.hpp"
#include "os/process.hpp"
#include "os/small_file.hpp"

namespace seriatim::api {
namespace {

constexpr std::string_view magic = "SERCNTRS";
constexpr std::uint32_t version = 1;
constexpr std::size_t header_bytes = 32;
constexpr std::size_t file_bytes = 4096;
constexpr std::size_t value_count = sizeof(Metrics) / sizeof(std::uint64_t);
// Metrics is nothing but uint64 fields, so that its fields in order are the file's values in order.
static_assert(std::is_trivially_copyable_v<Metrics> &&
              sizeof(Metrics) == value_count * sizeof(std::uint64_t));
static_assert(header_bytes + sizeof(Metrics) <= file_bytes);

void store(std::byte* at, std::uint64_t value) noexcept {
  if constexpr (std::endian::native == std::endian::big) value = base::byte_swap(value);
  std::atomic_ref<std::uint64_t>(*reinterpret_cast<std::uint64_t*>(at))
      .store(value, std::memory_order_relaxed);
}

}  // namespace

Result<std::unique_ptr<CountersFile>> CountersFile::create(os::Vfs& vfs, const std::string& directory) {
  const std::string path = os::join_path(directory, counters_file_name);
  auto file = vfs.open(path, os::OpenMode::open_or_create);
  if (!file) return file.error();
  if (auto allocated = (*file)->allocate(0, file_bytes); !allocated) return allocated.error();
  auto map = (*file)->map(file_bytes, os::Access::read_write);
  if (!map) return map.error();
  std::byte* at = map->data();
  std::memcpy(at, magic.data(), magic.size());
  base::store_le(at + 8, version);
  base::store_le(at + 12, static_cast<std::uint32_t>(value_count));
  base::store_le(at + 16, static_cast<std::uint64_t>(os::process_id()));
  return std::unique_ptr<CountersFile>(new CountersFile(*std::move(map)));
}

void CountersFile::update(const Metrics& metrics, std::int64_t wall_ms) noexcept {
  const auto values = std::bit_cast<std::array<std::uint64_t, value_count>>(metrics);
  // Looked at first: a store of what is there already would make the kernel write the page.
  bool is_news = base::load_le<std::uint64_t>(map_.data() + 24) == 0;
  for (std::size_t i = 0; i < value_count; ++i) {
    std::byte* const at = map_.data() + header_bytes + i * sizeof(std::uint64_t);
    if (base::load_le<std::uint64_t>(at) == values[i]) continue;
    store(at, values[i]);
    is_news = true;
  }
  if (!is_news) return;
  store(map_.data() + 24, static_cast<std::uint64_t>(wall_ms));
}

Result<std::optional<PublishedCounters>> read_counters(os::Vfs& vfs, const std::string& directory) {
  const std::string path = os::join_path(directory, counters_file_name);
  auto bytes = os::read_small_file(vfs, path, file_bytes);
  if (!bytes) {
    if (bytes.error().code() == Errc::not_found) return std::optional<PublishedCounters>();
    return bytes.error();
  }
  const std::byte* at = bytes->data();
  if (bytes->size() < header_bytes || base::as_text({at, magic.size()}) != magic) {
    return Error(Errc::corrupt_metadata,
                 path + " is not a counters file of seriatim; remove it, the next writer makes a new one");
  }
  if (base::load_le<std::uint32_t>(at + 8) != version) {
    return Error(Errc::unsupported_version,
                 path + " was written by another version of seriatim; look at it with that one");
  }
  // A writer of the same version with fewer fields would be a bug; one that stores more is a later release
  // that appended fields.
  std::array<std::uint64_t, value_count> values{};
  const std::size_t stored = base::load_le<std::uint32_t>(at + 12);
  for (std::size_t i = 0; i < std::min(stored, value_count) && header_bytes + (i + 1) * 8 <= bytes->size();
       ++i) {
    values[i] = base::load_le<std::uint64_t>(at + header_bytes + i * 8);
  }
  PublishedCounters counters;
  counters.pid = static_cast<std::int64_t>(base::load_le<std::uint64_t>(at + 16));
  counters.updated_ms = static_cast<std::int64_t>(base::load_le<std::uint64_t>(at + 24));
  counters.metrics = std::bit_cast<Metrics>(values);
  return std::optional<PublishedCounters>(counters);
}

}  // namespace seriatim::api
