// INV-4 and INV-8 for relays: whichever call of the file system fails, a full disk included, and wherever the
// power is cut or the process killed, in the end each record is relayed once.
#include <seriatim/flow/relay.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <thread>

#include "directory/background.hpp"
#include "support/fault_vfs.hpp"
#include "support/power_vfs.hpp"
#include "support/random.hpp"
#include "unit/flow/relay/relay_fixture.hpp"

namespace seriatim::test {
namespace {

constexpr int records_to_relay = 60;

EngineOptions small_files() {
  return {.maintenance_interval = std::chrono::milliseconds(0),
          .checkpoint_interval = std::chrono::hours(24),
          .journal_max_bytes = 1U << 20U,
          .journal_file_bytes = 64U << 10U};
}

/// A closed directory with a source; segments are small, so that batches roll.
void make_directory(const std::string& directory) {
  const Engine engine = open_engine(directory, small_files());
  create_topic(engine, "in", 2);
  create_topic(engine, "out", 3, {{"segment.bytes", "1024"}});
  Producer producer = must(engine.producer({.acks = Acks::leader}));
  for (int i = 0; i < records_to_relay; ++i) {
    must(producer.send_sync({.topic = "in", .key = std::to_string(i % 7), .value = std::to_string(i)}));
  }
  must(engine.close());
}

Engine open_without_background(const std::string& directory, os::Vfs& vfs) {
  Engine engine = open_engine_with(directory, vfs, base::system_clock(), small_files());
  // Of nothing but the relay the fault is met.
  detail::EngineImpl::of(engine)->background->stop();
  return engine;
}

RelayOptions relaying_at(Acks acks) {
  RelayOptions options = relaying(15);
  options.acks = acks;
  return options;
}

/// Lets the next process relay the rest, and compares.
void check_in_the_end(const std::string& directory, std::uint64_t relayed_at_least) {
  const Engine engine = open_engine(directory, small_files());
  const auto in = values_by_key(committed_records(engine, "in"));
  CHECK(committed_records(engine, "out").size() >= relayed_at_least);
  Relay relay = must(Relay::open(engine, relaying_at(Acks::all)));
  must(relay.run());
  CHECK(values_by_key(committed_records(engine, "out")) == in);
}

struct FaultyRelay {
  bool is_met = false;
  bool has_failed = false;
  std::uint64_t relayed = 0;
};

FaultyRelay run_faulty_relay(const std::string& directory, const Fault& fault, Acks acks) {
  FaultVfs vfs;
  FaultyRelay tried;
  const Engine engine = open_without_background(directory, vfs);
  {
    Relay relay = must(Relay::open(engine, relaying_at(acks)));
    vfs.arm(fault);
    auto ran = relay.run();
    tried.has_failed = !ran;
    // Once more while it lasts.
    if (!ran && fault.for_ever) ran = relay.run();
    tried.is_met = vfs.met() > 0;
    vfs.heal();
    // The same relay goes on, unless it is of no further use.
    for (int tries = 0; !ran && !ran.error().fatal() && tries < 3; ++tries) ran = relay.run();
    CAPTURE(message_of(ran));
    CAPTURE(vfs.where());
    CHECK((ran || ran.error().fatal()));
    tried.relayed = relay.progress().records;
    if (ran) CHECK(tried.relayed == records_to_relay);
  }
  const auto closed = engine.close();  // After a failed sync it says so again.
  return tried;
}

}  // namespace

TEST_CASE("INV-4: each record is relayed once, whatever call fails, also of a disk that stays full") {
  const TempDir made;
  make_directory(made / "data");
  for (const Calls calls : {Calls::takes, Calls::changes, Calls::syncs}) {
    for (const bool for_ever : {false, true}) {
      std::int64_t met = 0;
      for (std::int64_t after = 0;; ++after) {
        const TempDir dir;
        std::filesystem::copy(made / "data", dir / "data", std::filesystem::copy_options::recursive);
        const FaultyRelay tried = run_faulty_relay(dir / "data",
                                                   {.calls = calls,
                                                    .error = calls == Calls::syncs ? EIO : ENOSPC,
                                                    .after = after,
                                                    .for_ever = for_ever},
                                                   Acks::all);
        CAPTURE(static_cast<int>(calls));
        CAPTURE(after);
        check_in_the_end(dir / "data", tried.relayed);
        if (!tried.is_met) break;
        ++met;
      }
      CHECK(met >= 2);
    }
  }
}

TEST_CASE("INV-8: a power cut or a kill at any call leaves whole batches, and the next relay goes on") {
  const Random print("relay power cuts");
  const TempDir made;
  make_directory(made / "data");
  for (const Acks acks : {Acks::all, Acks::leader}) {
    CAPTURE(static_cast<int>(acks));
    const TempDir dir;
    std::filesystem::copy(made / "data", dir / "data", std::filesystem::copy_options::recursive);
    Random random(print.seed());
    std::atomic<std::uint64_t> acknowledged{0};
    int states = 0;
    PowerVfs vfs(dir / "data");
    const auto look = [&](std::string_view what, const std::string& path, PowerDisk& disk) {
      CAPTURE(what);
      CAPTURE(path);
      const std::string image = dir / ("image-" + std::to_string(++states));
      const bool is_kill = random.one_in(3);
      is_kill ? disk.kill(image) : disk.power_cut(image, random);
      check_in_the_end(image, is_kill || acks == Acks::all ? acknowledged.load() : 0);
      std::filesystem::remove_all(image);
    };
    {
      const Engine engine = open_without_background(dir / "data", vfs);
      // In a thread of its own: the engine keeps buffers by thread, and the caller is in the middle of using
      // them.
      vfs.before_change = [&](std::string_view what, const std::string& path, PowerDisk& disk) {
        std::thread([&] { look(what, path, disk); }).join();
      };
      Relay relay = must(Relay::open(engine, relaying_at(acks)));
      while (!relay.progress().is_caught_up) {
        must(relay.run_once(std::chrono::milliseconds(0)));
        acknowledged = relay.progress().records;
        vfs.with_disk([&](PowerDisk& disk) { std::thread([&] { look("a batch", "", disk); }).join(); });
      }
      CHECK(acknowledged == records_to_relay);
      must(engine.close());
      vfs.before_change = {};
    }
    CHECK(states >= 20);
  }
}

}  // namespace seriatim::test
