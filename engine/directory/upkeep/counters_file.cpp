#include "directory/upkeep/counters_file.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstring>

#include "base/boundary.hpp"
#include "base/bytes.hpp"
#include "directory/upkeep/counter_ids.hpp"
#include "os/file/small_file.hpp"
#include "os/path.hpp"
#include "os/process.hpp"

namespace seriatim::directory {
namespace {

constexpr std::string_view magic = "SERCNTRS";
constexpr std::uint32_t version = 1;
constexpr std::size_t header_bytes = 32;
constexpr std::size_t file_bytes = 12288;
// Of a writer that had no tasks.
constexpr std::size_t older_file_bytes = 4096;
constexpr std::size_t value_bytes = sizeof(std::uint64_t);
constexpr std::string_view jobs_magic = "SERIJOBS";
constexpr std::size_t jobs_at = 2048;
static_assert(header_bytes + counter_id_end * value_bytes <= jobs_at);
constexpr std::size_t job_bytes = 168;
constexpr std::size_t name_bytes = 24;
constexpr std::size_t failure_at = 72;
constexpr std::size_t failure_bytes = job_bytes - failure_at;
// As many as there is room for.
constexpr std::size_t jobs_max = (file_bytes - jobs_at - 16) / job_bytes;

void store(std::byte* at, std::uint64_t value) noexcept {
  if constexpr (std::endian::native == std::endian::big) value = base::byte_swap(value);
  std::atomic_ref<std::uint64_t>(*reinterpret_cast<std::uint64_t*>(at))
      .store(value, std::memory_order_relaxed);
}

// As much as fits in so many bytes, and no part of a character of UTF-8.
std::string_view cut_text(std::string_view text, std::size_t bytes_max) noexcept {
  if (text.size() <= bytes_max) return text;
  while (bytes_max > 0 && (static_cast<unsigned char>(text[bytes_max]) & 0xC0U) == 0x80U) --bytes_max;
  return text.substr(0, bytes_max);
}

// Text in a field of `size` bytes, a multiple of 8, ended by at least one zero.
void store_text(std::byte* at, std::string_view text, std::size_t size) noexcept {
  text = cut_text(text, size - 1);
  for (std::size_t i = 0; i < size; i += 8) {
    std::array<std::byte, 8> word{};
    if (i < text.size()) std::memcpy(word.data(), text.data() + i, std::min<std::size_t>(8, text.size() - i));
    store(at + i, base::load_le<std::uint64_t>(word.data()));
  }
}

std::string load_text(const std::byte* at, std::size_t size) {
  const std::string_view text = base::as_text({at, size});
  return std::string(text.substr(0, text.find('\0')));
}

void store_job(std::byte* at, const JobReport& job) noexcept {
  store_text(at, job.name, name_bytes);
  store(at + 24, static_cast<std::uint64_t>(job.period_ms));
  store(at + 32, job.runs + (job.is_running ? 1 : 0));
  store(at + 40, job.runs);
  store(at + 48, job.failures);
  store(at + 56, static_cast<std::uint64_t>(job.begin_ms));
  store(at + 64, static_cast<std::uint64_t>(job.end_ms));
  store_text(at + failure_at, job.failure, failure_bytes);
}

JobReport load_job(const std::byte* at) {
  JobReport job;
  job.name = load_text(at, name_bytes);
  job.period_ms = static_cast<std::int64_t>(base::load_le<std::uint64_t>(at + 24));
  job.runs = base::load_le<std::uint64_t>(at + 40);
  job.is_running = base::load_le<std::uint64_t>(at + 32) != job.runs;
  job.failures = base::load_le<std::uint64_t>(at + 48);
  job.begin_ms = static_cast<std::int64_t>(base::load_le<std::uint64_t>(at + 56));
  job.end_ms = static_cast<std::int64_t>(base::load_le<std::uint64_t>(at + 64));
  job.failure = load_text(at + failure_at, failure_bytes);
  return job;
}

std::vector<JobReport> load_jobs(base::ByteSpan bytes) {
  std::vector<JobReport> jobs;
  if (bytes.size() < older_file_bytes ||
      base::as_text(bytes.subspan(jobs_at, jobs_magic.size())) != jobs_magic)
    return jobs;
  const auto stored = base::load_le<std::uint64_t>(bytes.data() + jobs_at + 8);
  const std::size_t room = std::min((bytes.size() - jobs_at - 16) / job_bytes, jobs_max);
  for (std::size_t i = 0; i < std::min<std::uint64_t>(stored, room); ++i)
    jobs.push_back(load_job(bytes.data() + jobs_at + 16 + i * job_bytes));
  return jobs;
}

// A run that takes less is no news: what comes again and finds nothing to do is done in no time.
constexpr std::int64_t long_run_ms = 1'000;

// Whether a job has begun or ended to fail, runs for long or not any more, or has ended for the first time.
bool has_job_changed(const std::byte* at, const JobReport& job, std::int64_t wall_ms) noexcept {
  const auto stored = [at](std::size_t field) { return base::load_le<std::uint64_t>(at + field); };
  const bool was_running = stored(32) != stored(40);
  const bool is_running = job.is_running && (was_running || wall_ms - job.begin_ms >= long_run_ms);
  return stored(48) != job.failures || was_running != is_running ||
         (at[failure_at] == std::byte{0}) != job.failure.empty() || (stored(64) == 0) != (job.end_ms == 0);
}

// Without memory: the update of a file must not fail for want of it.
bool have_jobs_changed(const std::byte* table, const std::vector<JobReport>& jobs,
                       std::int64_t wall_ms) noexcept {
  const std::size_t count = std::min(jobs.size(), jobs_max);
  if (base::load_le<std::uint64_t>(table + 8) != count) return true;
  for (std::size_t i = 0; i < count; ++i) {
    if (has_job_changed(table + 16 + i * job_bytes, jobs[i], wall_ms)) return true;
  }
  return false;
}

void put_header(std::byte* at) noexcept {
  std::memcpy(at, magic.data(), magic.size());
  base::store_le(at + 8, version);
  base::store_le(at + 12, static_cast<std::uint32_t>(counter_id_end));
  base::store_le(at + 16, static_cast<std::uint64_t>(os::process_id()));
}

}  // namespace

Result<std::unique_ptr<CountersFile>> CountersFile::create(os::Vfs& vfs, const std::string& directory,
                                                           bool is_mapped) {
  const std::string path = os::join_path(directory, counters_file_name);
  auto file = vfs.open(path, os::OpenMode::open_or_create);
  if (!file) return file.error();
  if (auto allocated = (*file)->allocate(0, file_bytes); !allocated) return allocated.error();
  if (!is_mapped) {
    std::vector<std::byte> image(file_bytes);
    put_header(image.data());
    if (auto written = (*file)->write_at(image, 0); !written) return written.error();
    return std::unique_ptr<CountersFile>(new CountersFile(*std::move(file), std::move(image)));
  }
  auto map = (*file)->map(file_bytes, os::Access::read_write);
  if (!map) return map.error();
  put_header(map->data());
  return std::unique_ptr<CountersFile>(new CountersFile(*std::move(map)));
}

void CountersFile::update(const Metrics& metrics, const std::vector<JobReport>& jobs,
                          std::int64_t wall_ms) noexcept {
  // Looked at first: a store of what is there already would make the kernel write the page. Jobs that come
  // again and find nothing to do are no news.
  std::byte* const at = bytes();
  bool has_changed = base::load_le<std::uint64_t>(at + 24) == 0;
  for (const CounterId& counter : counter_ids) {
    std::byte* const stored = at + header_bytes + counter.id * value_bytes;
    const std::uint64_t value = metrics.*counter.field;
    if (base::load_le<std::uint64_t>(stored) == value) continue;
    store(stored, value);
    has_changed = true;
  }
  if (!has_changed && !have_jobs_changed(at + jobs_at, jobs, wall_ms)) return;
  const std::size_t job_count = std::min(jobs.size(), jobs_max);
  for (std::size_t i = 0; i < job_count; ++i) store_job(at + jobs_at + 16 + i * job_bytes, jobs[i]);
  store(at + jobs_at + 8, job_count);
  store(at + jobs_at, base::load_le<std::uint64_t>(base::as_bytes(jobs_magic).data()));
  store(at + 24, static_cast<std::uint64_t>(wall_ms));
  // The time of the last update shows that there was no room for this one.
  if (file_ != nullptr) static_cast<void>(base::answered([&] { return file_->write_at(image_, 0); }).ok());
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
  // A writer with fewer ids is an older release, which had no such counters; one with more is a later one.
  PublishedCounters counters;
  const std::size_t stored = base::load_le<std::uint32_t>(at + 12);
  for (const CounterId& counter : counter_ids) {
    const std::size_t position = header_bytes + counter.id * value_bytes;
    if (counter.id >= stored || position + value_bytes > bytes->size()) break;
    counters.metrics.*counter.field = base::load_le<std::uint64_t>(at + position);
  }
  counters.pid = static_cast<std::int64_t>(base::load_le<std::uint64_t>(at + 16));
  counters.updated_ms = static_cast<std::int64_t>(base::load_le<std::uint64_t>(at + 24));
  counters.jobs = load_jobs(*bytes);
  return std::optional<PublishedCounters>(counters);
}

}  // namespace seriatim::directory
