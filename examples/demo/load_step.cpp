#include <atomic>
#include <chrono>
#include <cstdio>
#include <mutex>
#include <optional>

#include "perf/latency_histogram.hpp"
#include "steps.hpp"
#include "text/quantity.hpp"

namespace demo {
namespace {

using namespace seriatim;
using Clock = std::chrono::steady_clock;

// Segments small enough that the input fills several of each partition.
constexpr const char* segment_bytes = "8MiB";
constexpr std::chrono::microseconds linger{2'000};
constexpr std::size_t batch_bytes = 256 * 1024;

// Counts outcomes; completed by whichever thread brings them.
class Outcomes {
 public:
  explicit Outcomes(std::size_t count) : sent_at_(count) {}
  void sending(std::size_t event) { sent_at_[event] = Clock::now(); }
  void done(std::size_t event, const Result<RecordMetadata>& outcome) {
    const auto now = Clock::now();
    const std::lock_guard lock(mutex_);
    if (!outcome.ok()) {
      if (!failure_) failure_ = outcome.error();
      return;
    }
    latency_.record(now - sent_at_[event]);
  }
  Result<cli::LatencyHistogram> latency() const {
    const std::lock_guard lock(mutex_);
    if (failure_) return *failure_;
    return latency_;
  }

 private:
  std::vector<Clock::time_point> sent_at_;
  mutable std::mutex mutex_;
  cli::LatencyHistogram latency_;
  std::optional<Error> failure_;
};

void print_rates(const Input& input, Clock::duration elapsed, const cli::LatencyHistogram& latency) {
  const double seconds = std::chrono::duration<double>(elapsed).count();
  const auto shown = [&](double percent) { return cli::readable_duration(latency.percentile(percent)); };
  std::printf("   %zu events, %s in %.2f s: %.0f events/s, %s/s, every one on stable storage\n",
              input.events.size(), cli::readable_size(static_cast<double>(input.bytes)).c_str(), seconds,
              static_cast<double>(input.events.size()) / seconds,
              cli::readable_size(static_cast<double>(input.bytes) / seconds).c_str());
  std::printf("   from send to acknowledgement, producer never waiting: p50 %s  p90 %s  p99 %s  max %s\n",
              shown(50).c_str(), shown(90).c_str(), shown(99).c_str(),
              cli::readable_duration(latency.max()).c_str());
}

Result<> compare_counts(const Engine& engine, const Input& input) {
  const Result<TopicDescription> topic = engine.admin().describe_topic(event_topic);
  if (!topic.ok()) return topic.error();
  Offset stored = 0;
  std::string shares;
  for (const PartitionDescription& partition : topic->partitions) {
    stored += partition.high_watermark - partition.log_start_offset;
    shares += (shares.empty() ? "" : ", ") + std::to_string(partition.high_watermark);
    if (partition.durable_offset != partition.log_end_offset) {
      return differs("partition " + std::to_string(partition.partition) + " is durable up to " +
                     std::to_string(partition.durable_offset) + " of " +
                     std::to_string(partition.log_end_offset) +
                     " although every record was acknowledged with acks all");
    }
  }
  if (static_cast<std::size_t>(stored) != input.events.size()) {
    return differs(std::to_string(input.events.size()) + " events were acknowledged and " +
                   std::to_string(stored) + " are stored");
  }
  std::printf("   by partition: %s\n", shares.c_str());
  return {};
}

// One append after another, each waiting for its acknowledgement: what a single careful writer pays.
Result<> measure_single_appends(Producer& producer, const Input& input) {
  constexpr std::size_t appends = 200;
  cli::LatencyHistogram latency;
  for (std::size_t i = 0; i < appends; ++i) {
    const Event& event = input.events[i % input.events.size()];
    const auto before = Clock::now();
    const Result<RecordMetadata> stored =
        producer.send_sync({.topic = "single", .key = event.key, .value = event.text});
    if (!stored.ok()) return stored.error();
    latency.record(Clock::now() - before);
  }
  std::printf("   one at a time, each waiting for the disk: p50 %s  p99 %s\n",
              cli::readable_duration(latency.percentile(50)).c_str(),
              cli::readable_duration(latency.percentile(99)).c_str());
  return {};
}

Result<> create_topics(const Admin& admin) {
  for (const NewTopic& topic : {NewTopic{.name = event_topic,
                               .partition_count = event_partitions,
                               .config = {{"segment.bytes", segment_bytes}}},
                                NewTopic{.name = "single"}}) {
    const auto created = admin.create_topic(topic);
    if (!created.ok()) return created.error();
  }
  return {};
}

}  // namespace

Result<> load(const Engine& engine, const Input& input) {
  const Result<> created = create_topics(engine.admin());
  if (!created.ok()) return created;
  Outcomes outcomes(input.events.size());
  Result<Producer> producer =
      engine.producer({.acks = Acks::all, .linger = linger, .batch_size = batch_bytes});
  if (!producer.ok()) return producer.error();
  const auto start = Clock::now();
  for (std::size_t i = 0; i < input.events.size(); ++i) {
    outcomes.sending(i);
    const Event& event = input.events[i];
    const Result<> sent =
        producer->send({.topic = event_topic, .key = event.key, .value = event.text},
                       [&outcomes, i](const Result<RecordMetadata>& outcome) { outcomes.done(i, outcome); });
    if (!sent.ok()) return sent;
  }
  const Result<> flushed = producer->flush();
  if (!flushed.ok()) return flushed;
  const auto elapsed = Clock::now() - start;
  const Result<cli::LatencyHistogram> latency = outcomes.latency();
  if (!latency.ok()) return latency.error();
  if (latency->count() != input.events.size()) {
    return differs(std::to_string(input.events.size()) + " events were sent and " +
                   std::to_string(latency->count()) + " acknowledged");
  }
  print_rates(input, elapsed, *latency);
  const Result<> counted = compare_counts(engine, input);
  if (!counted.ok()) return counted;
  Result<Producer> careful = engine.producer({.acks = Acks::all});
  if (!careful.ok()) return careful.error();
  return measure_single_appends(*careful, input);
}

}  // namespace demo
