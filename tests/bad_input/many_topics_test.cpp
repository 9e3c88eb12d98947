// Ten thousand topics in one engine, within a default session's limits.
#include <doctest/doctest.h>
#include <sys/resource.h>

#include <atomic>
#include <fstream>
#include <sstream>
#include <thread>

#include "bad_input/attempt.hpp"
#include "bad_input/obstacles.hpp"
#include "support/mounted.hpp"

namespace seriatim {
namespace {

using namespace test;

constexpr int topics = 10'000;
constexpr int threads = 8;
constexpr std::uint64_t default_maps_max = 65'530;  // vm.max_map_count

std::string topic_name(int number) { return "topic-" + std::to_string(number); }

/// Does `each` for every topic, from several threads: syncs of files that are made at one time share a commit
/// of the file system. Returns how many answered true.
int for_every_topic(const std::function<bool(int)>& each) {
  std::atomic<int> next{0};
  std::atomic<int> done{0};
  std::vector<std::thread> workers;
  for (int i = 0; i < threads; ++i) {
    workers.emplace_back([&] {
      for (int number = next++; number < topics; number = next++) done += each(number) ? 1 : 0;
    });
  }
  for (std::thread& worker : workers) worker.join();
  return done;
}

std::uint64_t maps_in_use() {
  std::ifstream maps("/proc/self/maps");
  std::uint64_t count = 0;
  for (std::string line; std::getline(maps, line);) ++count;
  return count;
}

std::uint64_t descriptors_in_use() {
  return static_cast<std::uint64_t>(
      std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator()));
}

bool can_be_read(const Engine& engine, int number, Offset records) {
  const auto reader = engine.reader({topic_name(number), 0});
  if (!reader) return false;
  const auto read = reader->read(0, 10);
  if (!read || read->count() != static_cast<std::size_t>(records)) return false;
  for (const RecordView& record : *read) {
    if (record.value().text() != topic_name(number)) return false;
  }
  return true;
}

// Segments are small, because every active one is allocated ahead: 10 GB with the default of 1 GiB.
void use_them(const std::string& path, const std::function<void(const std::string&)>& say) {
  for (const Offset round : {0, 1}) {
    auto engine = Engine::open(path).value();
    if (round == 0) {
      say("created " + std::to_string(for_every_topic([&](int number) {
            return engine.admin()
                .create_topic({.name = topic_name(number), .config = {{"segment.bytes", "16384"}}})
                .ok();
          })));
    }
    auto producer = engine.producer({.acks = Acks::leader}).value();
    say("written " + std::to_string(for_every_topic([&](int number) {
          const auto sent = producer.send_sync({.topic = topic_name(number), .value = topic_name(number)});
          return sent.ok() && sent->offset == round;
        })));
    say("read " +
        std::to_string(for_every_topic([&](int number) { return can_be_read(engine, number, round + 1); })));
    say("descriptors " + std::to_string(descriptors_in_use()));
    say("maps " + std::to_string(maps_in_use()));
    say("close " + answer(engine.close()));
  }
}

void use_them_in_a_process(const std::string& path) {
  ChildProcess child([&](const ChildProcess::Voice& voice) {
    constexpr rlim_t default_descriptors = 1024;
    const struct rlimit limit { default_descriptors, default_descriptors };
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) ::_exit(4);
    use_them(path, [&](const std::string& line) { voice.say(line + "\n"); });
  });
  std::istringstream lines(child.hear_all());
  const std::string all = std::to_string(topics);
  int rounds = 0;
  std::string what;
  for (std::string value; lines >> what >> value;) {
    CAPTURE(what);
    if (what == "created" || what == "written" || what == "read") CHECK(value == all);
    if (what == "descriptors") CHECK(std::stoull(value) < 512);  // Half of them are left to the application.
    if (what == "maps") CHECK(std::stoull(value) < default_maps_max * 3 / 4);
    if (what == "close") CHECK(value == "ok");
    rounds += what == "close" ? 1 : 0;
  }
  CHECK(rounds == 2);
  CHECK(child.wait() == 0);
  const auto engine = Engine::open(path, {.mode = OpenMode::read_only});
  CHECK(engine.ok());
  if (engine) CHECK(for_every_topic([&](int number) { return can_be_read(*engine, number, 2); }) == topics);
}

// Takes about 10 s in memory, where it runs if it may mount: none of what it proves depends on a disk. On a
// disk it is 150,000 syncs (catalog and directories of each topic, files of each partition at each close),
// and takes as long as those do: 70 s of 0.5 ms each were measured.
TEST_CASE(
    "10,000 topics are created, written and read with 1,024 descriptors and the default number of maps") {
  const bool was_mounted = with_mounted(
      "tmpfs", "size=2g", [](const std::string& root) { use_them_in_a_process(root + "/data"); });
  if (was_mounted) return;
  const TempDir directory;
  use_them_in_a_process(directory / "data");
}

}  // namespace
}  // namespace seriatim
