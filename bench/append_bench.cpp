// Appending without waiting for the disk, against the bare work that no log can avoid: length + CRC + memcpy
// into a mapped file.
#include <benchmark/benchmark.h>

#include <array>
#include <cstring>
#include <optional>

#include "base/clock.hpp"
#include "base/crc32c.hpp"
#include "base/mutex.hpp"
#include "bench_support.hpp"
#include "format/batch/single_batch.hpp"

namespace seriatim::bench {
namespace {

constexpr std::size_t record_bytes = 100;
constexpr int records_per_run = 4'000'000;
constexpr int records_per_batch = 1000;
constexpr int batches_per_run = 6'000;
constexpr std::size_t bare_single_bytes = static_cast<std::size_t>(records_per_run) * (record_bytes + 8);
constexpr std::size_t bare_batch_bytes =
    static_cast<std::size_t>(batches_per_run) * records_per_batch * (record_bytes + 8);

base::ByteSpan bytes_of(const std::string& text) { return base::as_bytes(text); }

// The floor: 4 bytes of length, 4 of CRC, the payload, into pages that are there.
void bare_append_single(benchmark::State& state) {
  const ScratchDirectory scratch;
  const BareMappedFile file(scratch.path() / "bare", bare_single_bytes);
  const std::string value = payload(record_bytes);
  std::byte* at = file.data();
  for (auto _ : state) {
    base::store_le(at, static_cast<std::uint32_t>(value.size()));
    base::store_le(at + 4, base::crc32c(bytes_of(value)));
    std::memcpy(at + 8, value.data(), value.size());
    at += value.size() + 8;
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(bare_append_single)->Iterations(records_per_run);

// The work that no log of this format can avoid, with nothing above it: one clock reading, the record framed
// as a batch of one (61 bytes more, and their CRC), one lock that nobody else wants, one copy into pages that
// are there.
void bare_append_batch_of_one(benchmark::State& state) {
  const ScratchDirectory scratch;
  const BareMappedFile file(scratch.path() / "bare", bare_single_bytes * 2);
  const std::string value = payload(record_bytes);
  base::WordMutex mutex;
  std::byte* at = file.data();
  for (auto _ : state) {
    std::array<std::byte, 256> stack;
    const format::RecordInput record{.value = value, .timestamp_ms = base::system_clock().wall_ms()};
    format::FramedBatch framed;
    format::frame_single(record, {}, stack, framed);
    const base::MutexLock lock(mutex);
    std::memcpy(at, framed.bytes.data(), framed.bytes.size());
    at += framed.bytes.size();
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(bare_append_batch_of_one)->Iterations(records_per_run);

void append_single(benchmark::State& state, Acks acks) {
  const ScratchDirectory scratch;
  prewarm_page_cache(scratch.path(), std::size_t{1} << 30);
  Engine engine = open_engine(scratch.path() / "data");
  Producer producer = must(engine.producer({.acks = acks}));
  const std::string value = payload(record_bytes);
  for (int i = 0; i < 10'000; ++i) must(producer.send_sync({.topic = "bench", .value = value}));
  for (auto _ : state) {
    auto sent = producer.send({.topic = "bench", .value = value});
    benchmark::DoNotOptimize(sent);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK_CAPTURE(append_single, leader, Acks::leader)->Iterations(records_per_run);

// The floor of a batch: one CRC and one memcpy of the whole, into the same kind of file: one that grows.
void bare_append_batch(benchmark::State& state) {
  const ScratchDirectory scratch;
  prewarm_page_cache(scratch.path(), std::size_t{1} << 30);
  GrowingMappedFile file(scratch.path() / "bare", bare_batch_bytes);
  const std::string value = payload(records_per_batch * (record_bytes + 8));
  for (auto _ : state) {
    std::byte* const at = file.extend(value.size());
    base::store_le(at, base::crc32c(bytes_of(value)));
    std::memcpy(at, value.data(), value.size());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * records_per_batch);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(value.size()));
}
BENCHMARK(bare_append_batch)->Iterations(batches_per_run);

// The same into pages that were there before the clock started.
void bare_append_batch_prefaulted(benchmark::State& state) {
  const ScratchDirectory scratch;
  const BareMappedFile file(scratch.path() / "bare", bare_batch_bytes);
  const std::string value = payload(records_per_batch * (record_bytes + 8));
  std::byte* at = file.data();
  for (auto _ : state) {
    base::store_le(at, base::crc32c(bytes_of(value)));
    std::memcpy(at, value.data(), value.size());
    at += value.size();
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * records_per_batch);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(value.size()));
}
BENCHMARK(bare_append_batch_prefaulted)->Iterations(batches_per_run);

void append_batch(benchmark::State& state) {
  const ScratchDirectory scratch;
  prewarm_page_cache(scratch.path(), std::size_t{1} << 30);
  Engine engine = open_engine(scratch.path() / "data");
  Producer producer = must(engine.producer({.acks = Acks::leader}));
  const std::string value = payload(record_bytes);
  const std::vector<Record> records(records_per_batch, Record{.value = value});
  const TopicPartition at{"bench", 0};
  for (auto _ : state) {
    auto appended = producer.append(at, records);
    if (!appended) state.SkipWithError(appended.error().message().c_str());
  }
  state.SetItemsProcessed(state.iterations() * records_per_batch);
  state.SetBytesProcessed(state.iterations() * records_per_batch *
                          static_cast<std::int64_t>(record_bytes + 8));
}
BENCHMARK(append_batch)->Iterations(batches_per_run);

void append_claim(benchmark::State& state) {
  const ScratchDirectory scratch;
  Engine engine = open_engine(scratch.path() / "data");
  Producer producer = must(engine.producer({.acks = Acks::leader}));
  const std::string value = payload(record_bytes);
  const TopicPartition at{"bench", 0};
  for (auto _ : state) {
    auto claim = must(producer.try_claim(at, value.size()));
    std::memcpy(claim.value().data(), value.data(), value.size());
    must(claim.commit());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(append_claim)->Iterations(1'000'000);

}  // namespace
}  // namespace seriatim::bench
