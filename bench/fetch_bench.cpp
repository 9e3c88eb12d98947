// Reading: hot replay against the bare mapped read, point reads, sendfile, the latency from an append to a
// spinning reader, reopening.
#include <benchmark/benchmark.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <random>
#include <thread>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/crc32c.hpp"
#include "bench_support.hpp"
#include "format/batch/batch_builder.hpp"
#include "format/batch/record_cursor.hpp"
#include "format/batch_layout.hpp"

namespace seriatim::bench {
namespace {

constexpr std::size_t log_bytes = std::size_t{512} << 20;

// A log of `value_size`-byte records in batches of `batch`, about log_bytes long. Returns the number of
// records.
std::int64_t fill(Engine& engine, std::size_t value_size, std::size_t batch) {
  Producer producer = must(engine.producer({.acks = Acks::leader}));
  const std::string value = payload(value_size);
  const std::vector<Record> records(batch, Record{.value = value});
  const std::size_t batches = log_bytes / (batch * (value_size + 8));
  for (std::size_t i = 0; i < batches; ++i) must(producer.append({"bench", 0}, records));
  return static_cast<std::int64_t>(batches * batch);
}

// The floor: every byte of a mapped file through the CRC, in pieces of a batch.
void bare_mapped_read(benchmark::State& state) {
  const ScratchDirectory scratch;
  const BareMappedFile file(scratch.path() / "bare", log_bytes);
  const auto piece = static_cast<std::size_t>(state.range(0)) * 100;
  for (auto _ : state) {
    std::uint32_t sum = 0;
    for (std::size_t at = 0; at + piece <= file.size(); at += piece)
      sum ^= base::crc32c({file.data() + at, piece});
    benchmark::DoNotOptimize(sum);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(log_bytes));
}
BENCHMARK(bare_mapped_read)->Arg(100)->Arg(1000)->Iterations(3)->Unit(benchmark::kMillisecond);

// The floor of records: the same CRC, and each record's numbers read once to find the next; nothing is kept.
void bare_decode(benchmark::State& state) {
  format::BatchBuilder builder;
  const auto value_size = static_cast<std::size_t>(state.range(0));
  const std::string value = payload(value_size);
  for (std::size_t i = 0; i < 100'000 / value_size; ++i)
    must(builder.append({.value = value, .timestamp_ms = 1}));
  const auto framed = must(builder.frame({}));
  const ScratchDirectory scratch;
  const BareMappedFile file(scratch.path() / "bare", log_bytes);
  const std::size_t batches = file.size() / framed.bytes.size();
  for (std::size_t i = 0; i < batches; ++i)
    std::memcpy(file.data() + i * framed.bytes.size(), framed.bytes.data(), framed.bytes.size());
  for (auto _ : state) {
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < batches; ++i) {
      const base::ByteSpan batch(file.data() + i * framed.bytes.size(), framed.bytes.size());
      bytes += base::crc32c(batch.subspan(format::crc_covers_from)) & 1U;
      format::RecordCursor cursor(batch.subspan(format::records_at), framed.header.record_count);
      format::DecodedRecord record;
      while (cursor.next(record) == format::RecordCursor::Step::record) bytes += record.value.size();
    }
    benchmark::DoNotOptimize(bytes);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(log_bytes));
}
BENCHMARK(bare_decode)->Arg(100)->Arg(1000)->Iterations(3)->Unit(benchmark::kMillisecond);

void hot_replay(benchmark::State& state) {
  const ScratchDirectory scratch;
  Engine engine = open_engine(scratch.path() / "data");
  const auto value_size = static_cast<std::size_t>(state.range(0));
  const std::int64_t count = fill(engine, value_size, 100'000 / value_size);
  Consumer consumer = must(engine.consumer({.max_poll_records = 5000}));
  must(consumer.assign_topic("bench"));
  for (auto _ : state) {
    must(consumer.seek({"bench", 0}, 0));
    std::int64_t seen = 0;
    std::size_t bytes = 0;
    while (seen < count) {
      const ConsumerRecords records = must(consumer.poll(std::chrono::milliseconds(0)));
      for (const RecordView& record : records) bytes += record.value().size();
      seen += static_cast<std::int64_t>(records.count());
    }
    benchmark::DoNotOptimize(bytes);
  }
  state.SetItemsProcessed(state.iterations() * count);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(log_bytes));
}
BENCHMARK(hot_replay)->Arg(100)->Arg(1000)->Iterations(3)->Unit(benchmark::kMillisecond);

void point_read(benchmark::State& state) {
  const ScratchDirectory scratch;
  Engine engine = open_engine(scratch.path() / "data");
  const std::int64_t count = fill(engine, 1000, 10);
  const LogReader reader = must(engine.reader({"bench", 0}));
  std::mt19937_64 random(42);
  for (auto _ : state) {
    const ConsumerRecords records =
        must(reader.record_at(static_cast<Offset>(random() % static_cast<std::uint64_t>(count))));
    benchmark::DoNotOptimize(records[0].value().data());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(point_read)->Iterations(200'000);

void sendfile_to_socket(benchmark::State& state) {
  const ScratchDirectory scratch;
  Engine engine = open_engine(scratch.path() / "data");
  fill(engine, 1000, 100);
  const LogReader reader = must(engine.reader({"bench", 0}));
  int sockets[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) != 0) {
    state.SkipWithError("socketpair");
    return;
  }
  std::thread drain([fd = sockets[1]] {
    std::vector<char> buffer(1 << 20);
    while (read(fd, buffer.data(), buffer.size()) > 0) {
    }
  });
  std::int64_t sent = 0;
  for (auto _ : state) {
    for (Offset from = 0; from < reader.high_watermark();) {
      const FileSlice slice = must(reader.fetch(from, 1 << 20));
      for (std::size_t done = 0; done < slice.size();) done += must(reader.send_to(sockets[0], slice, done));
      sent += static_cast<std::int64_t>(slice.size());
      from = slice.next_offset();
    }
  }
  close(sockets[0]);
  drain.join();
  close(sockets[1]);
  state.SetBytesProcessed(sent);
}
BENCHMARK(sendfile_to_socket)->Iterations(3)->Unit(benchmark::kMillisecond);

// One record at a time, a spinning reader; the time until it has been seen and answered through an atomic.
void tail_latency(benchmark::State& state) {
  const ScratchDirectory scratch;
  Engine engine = open_engine(scratch.path() / "data");
  Producer producer = must(engine.producer({.acks = Acks::leader}));
  Consumer consumer = must(engine.consumer({.wait_strategy = WaitStrategy::spin}));
  must(consumer.assign_topic("bench"));
  std::atomic<std::int64_t> seen{0};
  std::atomic<bool> stop{false};
  std::thread reader([&] {
    while (!stop.load(std::memory_order_relaxed)) {
      const ConsumerRecords records = must(consumer.poll(std::chrono::milliseconds(10)));
      seen.fetch_add(static_cast<std::int64_t>(records.count()), std::memory_order_release);
    }
  });
  const std::string value = payload(100);
  std::int64_t sent = 0;
  for (auto _ : state) {
    must(producer.send_sync({.topic = "bench", .value = value}));
    ++sent;
    while (seen.load(std::memory_order_acquire) < sent) {
    }
  }
  stop = true;
  reader.join();
}
BENCHMARK(tail_latency)->Iterations(200'000)->UseRealTime();

// `range(0)` partitions with `range(1)` MiB in all, every one of them looked at after the open.
void reopen_clean(benchmark::State& state) {
  const ScratchDirectory scratch;
  const auto partitions = static_cast<PartitionId>(state.range(0));
  {
    Engine engine = open_engine(scratch.path() / "data", partitions);
    Producer producer = must(engine.producer({.acks = Acks::leader}));
    const std::string value = payload(1000);
    const std::vector<Record> records(100, Record{.value = value});
    const auto batches = static_cast<PartitionId>((state.range(1) << 20) / 100'000);
    for (PartitionId i = 0; i < batches; ++i) must(producer.append({"bench", i % partitions}, records));
    must(engine.close());
  }
  for (auto _ : state) {
    Engine engine = must(Engine::open(scratch.path() / "data"));
    must(engine.admin().describe_topic("bench"));
    must(engine.close());
  }
}
BENCHMARK(reopen_clean)
    ->Args({1, 512})
    ->Args({100, 512})
    ->Args({100, 5120})
    ->Iterations(20)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace seriatim::bench
