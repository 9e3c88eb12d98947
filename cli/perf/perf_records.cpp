// perf produce, consume, e2e.
#include <atomic>
#include <cstring>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "commands/produce_session.hpp"
#include "interrupt.hpp"
#include "perf/perf_commands.hpp"
#include "perf/perf_report.hpp"

namespace seriatim::cli {
namespace {

using SteadyClock = std::chrono::steady_clock;

ProducerOptions producer_options(const PerfArguments& arguments) {
  return {.acks = acks_of(arguments.acks), .compression_type = codec_of(arguments.codec)};
}

std::string settings_text(const PerfArguments& arguments, std::size_t record_bytes) {
  return arguments.topic + ", acks " + arguments.acks + ", values of " + std::to_string(record_bytes) +
         " bytes, codec " + arguments.codec;
}

// One producing thread's share and what it measured.
struct ProducerWork {
  TopicPartition partition{};
  std::uint64_t records = 0;
  std::size_t batch_records = 1;
  std::optional<double> batches_per_second{};
  PerfLimits limits{};

  std::uint64_t done = 0;
  LatencyHistogram latency{};
  std::optional<Error> failure{};
};

void append_all(Producer& producer, ProducerWork& work, const std::atomic<bool>& stop) {
  PerfData data(work.limits.record_bytes);
  std::vector<Record> batch;
  const auto start = SteadyClock::now();
  Pace pace(start, work.batches_per_second);
  while (work.done < work.records && !stop.load(std::memory_order_relaxed) && !is_interrupted()) {
    const std::uint64_t count = std::min<std::uint64_t>(work.batch_records, work.records - work.done);
    batch.clear();
    for (std::uint64_t i = 0; i < count; ++i) batch.push_back({.value = data.next()});
    const auto intended = pace.await_next();
    const Result<AppendResult> appended = producer.append(work.partition, batch);
    const auto now = SteadyClock::now();
    if (!appended.ok()) {
      work.failure = appended.error();
      return;
    }
    work.latency.record(now - intended);
    work.done += count;
    if (now - start >= work.limits.duration) return;
  }
}

std::vector<ProducerWork> share_out(const PerfArguments& arguments, const PerfLimits& limits,
                                    const TopicDescription& topic) {
  const auto threads = static_cast<std::size_t>(arguments.producers.value_or(1));
  const auto batch_records = static_cast<std::size_t>(arguments.batch_records.value_or(1));
  std::vector<ProducerWork> shares(threads);
  for (std::size_t i = 0; i < threads; ++i) {
    shares[i].partition = {topic.name, static_cast<PartitionId>(i % topic.partitions.size())};
    shares[i].records = limits.records / threads + (i < limits.records % threads ? 1 : 0);
    shares[i].batch_records = batch_records;
    shares[i].limits = limits;
    if (arguments.rate) {
      shares[i].batches_per_second =
          static_cast<double>(*arguments.rate) / static_cast<double>(threads * batch_records);
    }
  }
  return shares;
}

Result<> measure_consume(Consumer& consumer, Measurement& measurement, std::uint64_t records_max) {
  while (measurement.records < records_max && !is_interrupted()) {
    const auto before = SteadyClock::now();
    const Result<ConsumerRecords> records = consumer.poll(std::chrono::milliseconds(0));
    if (!records.ok()) return records.error();
    if (records->empty()) return {};
    measurement.latency.record(SteadyClock::now() - before);
    for (const RecordView& record : *records) {
      ++measurement.records;
      measurement.bytes += record.key().size() + record.value().size();
    }
  }
  return {};
}

// The intended start of a record, in the first bytes of its value.
void stamp(std::string& value, SteadyClock::time_point when) {
  const std::int64_t ns = when.time_since_epoch().count();
  std::memcpy(value.data(), &ns, sizeof(ns));
}

SteadyClock::time_point stamped(BytesView value) {
  std::int64_t ns = 0;
  if (value.size() >= sizeof(ns)) std::memcpy(&ns, value.data(), sizeof(ns));
  return SteadyClock::time_point(SteadyClock::duration(ns));
}

// The state that the sending and the receiving thread share.
struct EndToEnd {
  std::atomic<std::uint64_t> sent{0};
  std::atomic<bool> sending{true};    ///< False: no more will be sent.
  std::atomic<bool> receiving{true};  ///< False: the receiver failed, sending on is of no use.
};

Result<> send_paced(Producer& producer, const std::string& topic, const PerfLimits& limits, double rate,
                    EndToEnd& state) {
  std::string value(limits.record_bytes, '.');
  const auto start = SteadyClock::now();
  Pace pace(start, rate);
  for (std::uint64_t i = 0;
       i < limits.records && !is_interrupted() && state.receiving.load(std::memory_order_relaxed); ++i) {
    const auto intended = pace.await_next();
    if (intended - start >= limits.duration) break;
    stamp(value, intended);
    const Result<RecordMetadata> stored = producer.send_sync({.topic = topic, .value = value});
    if (!stored.ok()) return stored.error();
    state.sent.fetch_add(1, std::memory_order_release);
  }
  return {};
}

// Reads until everything that was sent has come.
Result<> receive(Consumer& consumer, Measurement& measurement, const EndToEnd& state) {
  while (true) {
    const bool more_to_come = state.sending.load(std::memory_order_acquire);
    if (!more_to_come && measurement.records >= state.sent.load(std::memory_order_acquire)) return {};
    const Result<ConsumerRecords> records = consumer.poll(std::chrono::milliseconds(100));
    if (!records.ok()) return records.error();
    for (const RecordView& record : *records) {
      measurement.latency.record(SteadyClock::now() - stamped(record.value()));
      ++measurement.records;
      measurement.bytes += record.value().size();
    }
  }
}

// Asking for the positions fixes them: an end that was only looked up by the first poll would leave out what
// was sent before it.
Result<> start_at_end(Consumer& consumer) {
  const Result<> sought = consumer.seek_to_end();
  if (!sought.ok()) return sought;
  for (const TopicPartition& partition : consumer.assignment()) {
    const Result<Offset> position = consumer.position(partition);
    if (!position.ok()) return position.error();
  }
  return {};
}

WaitStrategy wait_of(std::string_view word) {
  return word == "spin" ? WaitStrategy::spin : word == "yield" ? WaitStrategy::yield : WaitStrategy::block;
}

}  // namespace

Result<ExitCode> perf_produce(Context& context, const PerfArguments& arguments) {
  const Result<PerfLimits> limits = limits_of(arguments, 1'000'000);
  if (!limits.ok()) return limits.error();
  const Result<Engine> engine = context.open(OpenMode::create_if_missing);
  if (!engine.ok()) return engine.error();
  const Result<TopicDescription> topic = ensure_topic(*engine, arguments);
  if (!topic.ok()) return topic.error();
  Result<Producer> producer = engine->producer(producer_options(arguments));
  if (!producer.ok()) return producer.error();

  std::vector<ProducerWork> shares = share_out(arguments, *limits, *topic);
  std::atomic<bool> stop{false};
  const auto start = SteadyClock::now();
  {
    std::vector<std::jthread> threads;
    for (ProducerWork& share : shares) {
      threads.emplace_back([&] {
        append_all(*producer, share, stop);
        if (share.failure) stop.store(true, std::memory_order_relaxed);
      });
    }
  }
  Measurement measurement{.what = "produce to " + settings_text(arguments, limits->record_bytes) + ", " +
                                  std::to_string(shares.size()) + " thread(s), " +
                                  std::to_string(shares[0].batch_records) + " record(s) an append",
                          .latency_of = "append",
                          .elapsed = SteadyClock::now() - start};
  for (const ProducerWork& share : shares) {
    measurement.records += share.done;
    measurement.latency.merge(share.latency);
  }
  measurement.bytes = measurement.records * limits->record_bytes;
  print(context, measurement);
  for (const ProducerWork& share : shares) {
    if (share.failure) return *share.failure;
  }
  const Result<> closed = engine->close();
  if (!closed.ok()) return closed.error();
  return ExitCode::ok;
}

Result<ExitCode> perf_consume(Context& context, const PerfArguments& arguments) {
  const Result<Engine> engine = context.open(OpenMode::read_only);
  if (!engine.ok()) return engine.error();
  const Result<TopicDescription> topic = describe_topic(*engine, arguments.topic);
  if (!topic.ok()) return topic.error();
  Result<Consumer> consumer =
      engine->consumer({.max_poll_records = 10'000, .check_crcs = !arguments.skip_crc});
  if (!consumer.ok()) return consumer.error();
  const Result<> assigned = consumer->assign_topic(arguments.topic);
  if (!assigned.ok()) return assigned.error();
  Measurement measurement{.what = "consume " + arguments.topic +
                                  (arguments.skip_crc ? ", checksums not checked" : ", checksums checked"),
                          .latency_of = "poll"};
  const auto start = SteadyClock::now();
  const Result<> consumed = measure_consume(
      *consumer, measurement, static_cast<std::uint64_t>(arguments.records.value_or(INT64_MAX)));
  if (!consumed.ok()) return consumed.error();
  measurement.elapsed = SteadyClock::now() - start;
  print(context, measurement);
  return ExitCode::ok;
}

Result<ExitCode> perf_e2e(Context& context, const PerfArguments& arguments) {
  const Result<PerfLimits> limits = limits_of(arguments, 100'000);
  if (!limits.ok()) return limits.error();
  const Result<Engine> engine = context.open(OpenMode::create_if_missing);
  if (!engine.ok()) return engine.error();
  const Result<TopicDescription> topic = ensure_topic(*engine, arguments);
  if (!topic.ok()) return topic.error();
  Result<Producer> producer = engine->producer(producer_options(arguments));
  if (!producer.ok()) return producer.error();
  Result<Consumer> consumer = engine->consumer({.wait_strategy = wait_of(arguments.wait)});
  if (!consumer.ok()) return consumer.error();
  const Result<> assigned = consumer->assign_topic(arguments.topic);
  if (!assigned.ok()) return assigned.error();
  const Result<> at_end = start_at_end(*consumer);
  if (!at_end.ok()) return at_end.error();

  const double rate = static_cast<double>(arguments.rate.value_or(10'000));
  EndToEnd state;
  Result<> send_outcome;
  Measurement measurement{.what = "e2e through " + settings_text(arguments, limits->record_bytes) + ", " +
                                  arguments.wait + " wait, " +
                                  std::to_string(static_cast<std::int64_t>(rate)) + " records/s asked",
                          .latency_of = "intended send to reader"};
  const auto start = SteadyClock::now();
  std::jthread sender([&] {
    send_outcome = send_paced(*producer, arguments.topic, *limits, rate, state);
    state.sending.store(false, std::memory_order_release);
  });
  const Result<> received = receive(*consumer, measurement, state);
  state.receiving.store(false, std::memory_order_relaxed);
  sender.join();
  measurement.elapsed = SteadyClock::now() - start;
  if (!send_outcome.ok()) return send_outcome.error();
  if (!received.ok()) return received.error();
  print(context, measurement);
  const Result<> closed = engine->close();
  if (!closed.ok()) return closed.error();
  return ExitCode::ok;
}

}  // namespace seriatim::cli
