// INV-4 for parallel consumers under power cuts: of what is left of the log nothing was left out, also where
// records were lost whose offsets others got, which the finished ranges of a commit must not hide.
#include <doctest/doctest.h>

#include <atomic>
#include <set>
#include <string>
#include <vector>

#include "flow/parallel/finished_ranges.hpp"
#include "os/file/posix_vfs.hpp"
#include "support/power_vfs.hpp"
#include "support/random.hpp"
#include "unit/flow/parallel/parallel_fixture.hpp"

namespace seriatim::test {
namespace {

using namespace std::chrono_literals;

/// The directory that a cut left, and the values that were handled before it.
struct PowerImage {
  std::string directory{};
  std::set<std::string> handled{};
};

Engine open_over(os::Vfs& vfs, const std::string& directory) {
  return open_engine_with(directory, vfs, base::system_clock(),
                          {.maintenance_interval = 0ms,
                           .checkpoint_interval = 24h,
                           .journal_max_bytes = std::uint64_t{1} << 30U,
                           .journal_file_bytes = 64U << 10U});
}

std::set<std::string> values_seen(const Seen& seen) {
  std::set<std::string> values;
  for (const auto& [key, value] : seen.values()) values.insert(value);
  return values;
}

/// A producer at `leader` and a consumer side by side; at some changes of the disk an image is taken.
std::vector<PowerImage> live_and_cut(const TempDir& scratch, Random& random, Acks acks) {
  std::vector<PowerImage> images;
  const std::string directory = scratch / "live";
  needed(os::posix_vfs().create_directory(directory));
  PowerVfs vfs(directory);
  Seen seen;
  const auto cut = [&](PowerDisk& disk) {
    PowerImage image{.directory = scratch / ("cut" + std::to_string(images.size())),
                     .handled = values_seen(seen)};
    disk.power_cut(image.directory, random);
    images.push_back(std::move(image));
  };
  vfs.before_change = [&](std::string_view, const std::string&, PowerDisk& disk) {
    if (random.one_in(3)) cut(disk);
  };
  std::atomic<bool> is_held{true};
  {
    const Engine engine = open_over(vfs, directory);
    create_topic(engine, "in");
    ParallelConsumerOptions options = in_parallel(3);
    options.acks = acks;
    options.on_failure = [](const ParallelFailure&) { return OnFailure::retry; };
    ParallelConsumer consumer =
        must(ParallelConsumer::open(engine, options, [&](const RecordView& record) -> Result<> {
          // One that is on the disk waits until all have come: there are ranges all the time.
          if (record.offset() == 5 && is_held) return Error(Errc::timed_out, "not yet");
          seen.note(record);
          return {};
        }));
    must(consumer.start());
    Producer durable = must(engine.producer());
    Producer producer = must(engine.producer({.acks = Acks::leader}));
    for (int i = 0; i < 100; ++i) {
      const std::string key = "k" + std::to_string(i);
      const std::string value = "before " + std::to_string(i);
      must((i < 10 ? durable : producer).send_sync({.topic = "in", .key = key, .value = value}));
    }
    // All are finished but the one, and said to be so; most of them may be gone.
    const Consumer asks = must(engine.consumer({.group_id = "g"}));
    wait_until([&] {
      const auto committed = must(asks.committed({"in", 0}));
      return committed && detail::decode_finished(*committed).mark.offset == 99;
    });
    for (int i = 0; i < 10; ++i) vfs.with_disk(cut);
    is_held = false;
    wait_until([&] { return seen.count() >= 100; });
    consumer.stop();
    must(consumer.wait());
  }
  return images;
}

/// Whether the rest of the image's log, and what comes to it, is handled.
void check_image(const PowerImage& image) {
  const Engine engine = open_engine(image.directory);
  must(engine.admin().create_topic({.name = "in", .partition_count = 1, .if_not_exists = true}));
  Producer producer = must(engine.producer({.acks = Acks::leader}));
  for (int i = 0; i < 100; ++i)
    must(producer.send_sync({.topic = "in", .key = "k", .value = "after " + std::to_string(i)}));
  Seen seen;
  ParallelConsumer consumer =
      must(ParallelConsumer::open(engine, in_parallel(2), [&](const RecordView& record) {
        seen.note(record);
        return Result<>();
      }));
  must(consumer.start());
  const Offset end = must(must(engine.consumer()).end_offset({"in", 0}));
  wait_until([&] { return committed_offset(engine, "g", {"in", 0}) == end; });
  consumer.stop();
  must(consumer.wait());
  std::set<std::string> handled = values_seen(seen);
  handled.insert(image.handled.begin(), image.handled.end());
  for (const std::string& value : committed_values(engine, "in")) {
    CAPTURE(value);
    CHECK(handled.contains(value));
  }
}

}  // namespace

TEST_CASE("INV-4: a power cut at any change leaves no record out, also where offsets were used again") {
  Random random("parallel consumer, power cuts");
  for (const Acks acks : {Acks::leader, Acks::all}) {
    const TempDir scratch;
    const auto images = live_and_cut(scratch, random, acks);
    CHECK(images.size() > 10);
    for (const PowerImage& image : images) check_image(image);
  }
}

}  // namespace seriatim::test
