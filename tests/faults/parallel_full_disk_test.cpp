// A parallel consumer on a disk that is full to its last byte.
#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>

#include <seriatim/seriatim.hpp>

#include "support/full_disk.hpp"
#include "support/mounted.hpp"

namespace seriatim::test {
namespace {

using namespace std::chrono_literals;

// Handles all with one key that fails until the others are done, commits with finished ranges all the while.
void work_off_a_full_disk(const std::string& root) {
  const Engine engine = Engine::open(root + "/data", {.maintenance_interval = 0ms,
                                                      .journal_max_bytes = 1U << 20U,
                                                      .journal_file_bytes = 64U << 10U})
                            .value();
  CHECK(engine.admin().create_topic({.name = "in", .config = {{"segment.bytes", "65536"}}}).ok());
  std::uint64_t sent = 0;
  {
    Producer producer = engine.producer().value();
    const std::string value(1000, 'v');
    while (producer.send_sync({.topic = "in", .key = std::to_string(sent), .value = value})) ++sent;
  }
  fill(root + "/filler");
  std::atomic<std::uint64_t> handled{0};
  std::atomic<bool> is_let{false};
  std::atomic<int> failed_commits{0};
  ParallelConsumerOptions options{.group_id = "g", .topics = {"in"}, .workers = 2};
  options.commit_interval = 0ms;
  options.backoff = {.initial = 1ms, .max = 10ms};
  options.on_failure = [&](const ParallelFailure& failure) {
    if (failure.record == nullptr) {
      ++failed_commits;
      if (!failure.error.retriable()) return OnFailure::stop;
    }
    return OnFailure::retry;
  };
  auto consumer = ParallelConsumer::open(engine, options, [&](const RecordView& record) -> Result<> {
                    if (record.offset() == 3 && !is_let) return Error(Errc::timed_out, "not yet");
                    ++handled;
                    return {};
                  }).value();
  CHECK(consumer.start().ok());
  const Consumer asks = engine.consumer({.group_id = "g"}).value();
  const auto committed = [&] {
    const auto found = asks.committed({"in", 0}).value();
    return found ? *found : OffsetAndMetadata{.offset = -1};
  };
  while (handled + 1 < sent || committed().offset != 3 || committed().metadata.empty())
    std::this_thread::sleep_for(1ms);
  is_let = true;
  while (committed().offset < static_cast<Offset>(sent)) std::this_thread::sleep_for(1ms);
  consumer.stop();
  const auto ended = consumer.wait();
  const std::string message = ended ? "" : ended.error().message();
  CHECK_MESSAGE(ended.ok(), message);
  CHECK(handled == sent);
  CHECK(failed_commits == 0);
}

}  // namespace

TEST_CASE("on a disk that is full to the last byte a parallel consumer works all off, and commits it") {
  const bool was_mounted = with_mounted("tmpfs", "size=8m", work_off_a_full_disk);
  if (!was_mounted) MESSAGE("skipped: no file system can be mounted here");
}

}  // namespace seriatim::test
