// Appending with acks = all, against the bare pwrite + fdatasync of the same bytes on a file written before.
#include <benchmark/benchmark.h>

#include <fcntl.h>
#include <unistd.h>

#include "bench_support.hpp"

namespace seriatim::bench {
namespace {

void bare_pwrite_fdatasync(benchmark::State& state) {
  const ScratchDirectory scratch;
  const int fd = open((scratch.path() / "bare").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  const std::string zeros(std::size_t{8} << 20, '\0');
  if (fd < 0 || pwrite(fd, zeros.data(), zeros.size(), 0) != static_cast<ssize_t>(zeros.size()) ||
      fsync(fd) != 0) {
    state.SkipWithError("cannot prepare the file");
    return;
  }
  const std::string value = payload(1024);
  off_t at = 0;
  for (auto _ : state) {
    if (pwrite(fd, value.data(), value.size(), at) < 0 || fdatasync(fd) != 0)
      state.SkipWithError("write failed");
    at = (at + 1024) % static_cast<off_t>(zeros.size());
  }
  close(fd);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(bare_pwrite_fdatasync)->Iterations(2000)->UseRealTime();

void append_durable(benchmark::State& state) {
  static ScratchDirectory* scratch = nullptr;
  static Engine* engine = nullptr;
  if (state.thread_index() == 0) {
    scratch = new ScratchDirectory();
    engine = new Engine(open_engine(scratch->path() / "data"));
  }
  const std::string value = payload(1024);
  std::optional<Producer> producer;
  for (auto _ : state) {
    if (!producer) producer.emplace(must(engine->producer({.acks = Acks::all})));
    must(producer->send_sync({.topic = "bench", .value = value}));
  }
  producer.reset();
  state.SetItemsProcessed(state.iterations());
  if (state.thread_index() == 0) {
    delete engine;
    delete scratch;
  }
}
BENCHMARK(append_durable)->Iterations(1000)->Threads(1)->Threads(8)->UseRealTime();

}  // namespace
}  // namespace seriatim::bench
