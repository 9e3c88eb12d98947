// INV-4 for parallel consumers under power cuts: of what is left of the log nothing was left out, also where
// records were lost whose offsets others got, which the finished ranges of a commit must not hide.
#include <doctest/doctest.h>

#include <memory>
#include <set>

#include "directory/engine_impl.hpp"
#include "os/file/posix_vfs.hpp"
#include "support/power_vfs.hpp"
#include "support/random.hpp"
#include "unit/flow/parallel/parallel_fixture.hpp"

namespace seriatim::test {
namespace {

using namespace std::chrono_literals;

/// What a cut left, and the values that were handled before it.
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

/// A producer at `leader` and a consumer side by side; at one of so many changes of the disk an image is taken.
std::vector<PowerImage> live_and_cut(const TempDir& scratch, Random& random, Acks acks) {
  std::vector<PowerImage> images;
  const std::string directory = scratch / "live";
  needed(os::posix_vfs().create_directory(directory));
  PowerVfs vfs(directory);
  Seen seen;
  vfs.before_change = [&](std::string_view, const std::string&, PowerDisk& disk) {
    if (!random.one_in(4)) return;
    PowerImage image{.directory = scratch / ("cut" + std::to_string(images.size())),
                     .handled = values_seen(seen)};
    disk.power_cut(image.directory, random);
    images.push_back(std::move(image));
  };
  {
    const Engine engine = open_over(vfs, directory);
    create_topic(engine, "in");
    ParallelConsumerOptions options = in_parallel(3);
    options.acks = acks;
    options.on_failure = [](const ParallelFailure&) { return OnFailure::retry; };
    ParallelConsumer consumer =
        must(ParallelConsumer::open(engine, options, [&](const RecordView& record) -> Result<> {
          // The first of each ten waits until the last has come: there are ranges all the time.
          if (record.offset() % 10 == 0 && record.offset() / 10 >= static_cast<Offset>(seen.count() / 12))
            return Error(Errc::timed_out, "not yet");
          seen.note(record);
          return {};
        }));
    must(consumer.start());
    Producer producer = must(engine.producer({.acks = Acks::leader}));
    for (int i = 0; i < 100; ++i) {
      must(producer.send_sync(
          {.topic = "in", .key = "k" + std::to_string(i), .value = "before " + std::to_string(i)}));
      if (i % 30 == 29)
        must(engine.producer().value().send_sync({.topic = "in", .value = "all " + std::to_string(i)}));
    }
    wait_until([&] { return seen.count() >= 60; });
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
    MESSAGE("images: ", images.size());
  }
}

}  // namespace seriatim::test
