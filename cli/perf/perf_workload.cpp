#include "perf/perf_workload.hpp"

#include <algorithm>
#include <array>
#include <random>
#include <thread>

#include "base/saturate.hpp"
#include "base/text.hpp"

namespace seriatim::cli {
namespace {

// A run without --duration ends by count; this only bounds arithmetic.
constexpr std::chrono::hours longest_run{24 * 365};
// Far more than fits in a second-level cache, so that reading it costs what reading an application's data
// would.
constexpr std::size_t text_bytes = 8 * 1024 * 1024;
// Below this a sleep overshoots by more than it waits.
constexpr std::chrono::microseconds shortest_sleep{200};

}  // namespace

Result<PerfLimits> limits_of(const PerfArguments& arguments, std::uint64_t default_records) {
  PerfLimits limits{.duration = longest_run};
  const Result<std::int64_t> size = base::parse_size(arguments.record_size);
  if (!size.ok()) return size.error();
  if (*size < 8 || *size > 64 * 1024 * 1024)
    return Error(Errc::invalid_argument, "--size " + arguments.record_size + " is outside 8 .. 64MiB");
  limits.record_bytes = static_cast<std::size_t>(*size);
  limits.records =
      static_cast<std::uint64_t>(arguments.records.value_or(static_cast<std::int64_t>(default_records)));
  if (arguments.duration.empty()) return limits;
  const Result<std::int64_t> duration_ms = base::parse_duration_ms(arguments.duration);
  if (!duration_ms.ok()) return duration_ms.error();
  limits.duration =
      std::min<std::chrono::nanoseconds>(longest_run, std::chrono::nanoseconds(base::ns_of_ms(*duration_ms)));
  if (!arguments.records) limits.records = UINT64_MAX;
  return limits;
}

Result<TopicDescription> ensure_topic(const Engine& engine, const PerfArguments& arguments) {
  const auto created = engine.admin().create_topic(
      {.name = arguments.topic,
       .partition_count = static_cast<PartitionId>(arguments.partitions.value_or(1))});
  if (!created.ok() && created.error().code() != Errc::topic_already_exists) return created.error();
  return engine.admin().describe_topic(arguments.topic);
}

PerfData::PerfData(std::size_t record_bytes) : record_bytes_(record_bytes) {
  constexpr std::array<std::string_view, 16> words{
      "order ",   "created ", "user-", "invoice ", "paid ",  "sum=",  "EUR ",   "status=ok ",
      "shipped ", "cart ",    "id=",   "refund ",  "retry ", "warn ", "batch ", "done\n"};
  std::minstd_rand random(42);  // Fixed: two runs measure the same bytes.
  text_.reserve(text_bytes + record_bytes + 32);
  while (text_.size() < text_bytes + record_bytes) {
    text_ += words[random() % words.size()];
    if (random() % 3 == 0) text_ += std::to_string(random());
  }
}

std::string_view PerfData::next() noexcept {
  at_ = (at_ + record_bytes_) % text_bytes;
  return std::string_view(text_).substr(at_, record_bytes_);
}

Pace::Pace(std::chrono::steady_clock::time_point start, std::optional<double> operations_per_second)
    : next_(start) {
  if (operations_per_second)
    interval_ = std::chrono::nanoseconds(static_cast<std::int64_t>(1e9 / *operations_per_second));
}

std::chrono::steady_clock::time_point Pace::await_next() {
  if (interval_.count() == 0) return std::chrono::steady_clock::now();
  const auto due = next_;
  next_ += interval_;
  auto now = std::chrono::steady_clock::now();
  if (due - now > shortest_sleep) std::this_thread::sleep_until(due - shortest_sleep);
  while (now < due) now = std::chrono::steady_clock::now();
  return due;
}

}  // namespace seriatim::cli
