// An engine that nobody uses leaves the disk alone.
#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <mutex>

#include "directory/background.hpp"
#include "support/passing_vfs.hpp"
#include "unit/api/engine_fixture.hpp"

namespace seriatim::test {
namespace {

// Remembers every call that changes something, or makes a change durable.
class Changes {
 public:
  void add(const std::string& what) {
    const std::lock_guard<std::mutex> lock(mutex_);
    made_.push_back(what);
  }
  std::vector<std::string> take() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return std::exchange(made_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> made_;
};

class WatchedFile final : public PassingFile {
 public:
  WatchedFile(std::unique_ptr<os::File> file, Changes& changes)
      : PassingFile(std::move(file)), changes_(changes) {}
  Result<void> write_at(base::ByteSpan from, std::uint64_t at) override {
    changes_.add("write " + path());
    return PassingFile::write_at(from, at);
  }
  Result<void> write_gather_at(std::span<const base::ByteSpan> pieces, std::uint64_t at) override {
    changes_.add("write " + path());
    return PassingFile::write_gather_at(pieces, at);
  }
  Result<void> allocate(std::uint64_t at, std::uint64_t length) override {
    changes_.add("allocate " + path());
    return PassingFile::allocate(at, length);
  }
  Result<void> truncate(std::uint64_t size) override {
    changes_.add("truncate " + path());
    return PassingFile::truncate(size);
  }
  Result<void> sync_data() override {
    changes_.add("sync " + path());
    return PassingFile::sync_data();
  }
  Result<void> sync_all() override {
    changes_.add("sync " + path());
    return PassingFile::sync_all();
  }

 private:
  Changes& changes_;
};

class WatchedVfs final : public PassingVfs {
 public:
  explicit WatchedVfs(Changes& changes) : changes_(changes) {}
  Result<std::unique_ptr<os::File>> open(const std::string& path, os::OpenMode mode) override {
    const bool makes = mode == os::OpenMode::create_new || mode == os::OpenMode::open_or_create;
    if (makes) changes_.add("create " + path);
    return open_as<WatchedFile>(path, mode, changes_);
  }
  Result<void> rename(const std::string& from, const std::string& to) override {
    changes_.add("rename " + from);
    return PassingVfs::rename(from, to);
  }
  Result<void> remove(const std::string& path) override {
    changes_.add("remove " + path);
    return PassingVfs::remove(path);
  }
  Result<void> create_directory(const std::string& path) override {
    changes_.add("create directory " + path);
    return PassingVfs::create_directory(path);
  }
  Result<void> sync_directory(const std::string& path) override {
    changes_.add("sync directory " + path);
    return PassingVfs::sync_directory(path);
  }

 private:
  Changes& changes_;
};

std::string bytes_of_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// A bit of everything, so that everything has had its turn.
void use(const Engine& engine) {
  create_topic(engine, "t", 2);
  create_topic(engine, "table", 1, {{"cleanup.policy", "compact"}});
  for (const Acks acks : {Acks::leader, Acks::all}) {
    Producer producer = must(engine.producer({.acks = acks}));
    must(producer.send_sync({.topic = "t", .value = "x"}));
    must(producer.send_sync({.topic = "table", .key = "k", .value = "x"}));
  }
  auto sender = must(engine.transactional_producer({.transactional_id = "x"}));
  auto transaction = must(sender.begin());
  must(transaction.send({.topic = "t", .value = "y"}));
  must(transaction.commit());
  Consumer consumer = must(engine.consumer({.group_id = "g"}));
  must(consumer.commit_sync({{{"t", 0}, {.offset = 0}}}));
  must(engine.admin().alter_group_offsets("gone", {{{"t", 0}, {.offset = 0}}}));
  must(engine.admin().delete_group("gone"));
}

// Lets an hour pass, until every job of background work has run in it, and what came of that was published.
void pass_an_hour(base::ManualClock& clock, const directory::Background& background) {
  const auto before = background.reports();
  clock.advance_ms(3'600'000);
  const auto have_run = [&] {
    const auto now = background.reports();
    for (std::size_t i = 0; i < now.size(); ++i) {
      const bool is_asked_for = now[i].name == "time-outs" || now[i].name == "flush.ms";
      if (!is_asked_for && now[i].runs == before[i].runs) return false;
      if (now[i].is_running && now[i].name != "counters") return false;
    }
    return true;
  };
  REQUIRE(comes_true(have_run));
  const auto counted = [&] {
    for (const auto& report : background.reports()) {
      if (report.name == "counters") return report.runs;
    }
    return std::uint64_t{0};
  };
  const std::uint64_t published = counted();
  REQUIRE(comes_true([&] { return counted() >= published + 2; }));
}

}  // namespace

TEST_CASE("an idle engine writes nothing: no file, no transaction of the catalog, no sync") {
  const TempDir directory;
  const std::string path = directory / "data";
  Changes changes;
  WatchedVfs vfs(changes);
  base::ManualClock clock{1'000'000};
  const Engine engine = open_engine_with(
      path, vfs, clock,
      {.maintenance_interval = std::chrono::minutes(1), .checkpoint_interval = std::chrono::seconds(1)});
  use(engine);
  auto& impl = *detail::EngineImpl::of(engine);
  for (int i = 0; i < 3; ++i) pass_an_hour(clock, *impl.background);  // The work done is brought home.
  static_cast<void>(changes.take());
  const std::uint64_t transaction = must(impl.catalog->usage()).last_transaction;
  const std::string counters = bytes_of_file(path + "/counters");
  for (int i = 0; i < 5; ++i) pass_an_hour(clock, *impl.background);
  const auto made = changes.take();
  for (const std::string& change : made) MESSAGE(change);
  CHECK(made.empty());
  CHECK(must(impl.catalog->usage()).last_transaction == transaction);
  CHECK(bytes_of_file(path + "/counters") == counters);
}

TEST_CASE("a partition that is opened and not written to is nothing new for a checkpoint") {
  OpenedEngine opened;
  must(must(opened.engine.producer()).send_sync({.topic = "t", .value = "x"}));
  must(opened.engine.close());
  const Engine again = open_engine(opened.path());
  auto& impl = *detail::EngineImpl::of(again);
  CHECK(read_values(again, "t").size() == 1);
  const std::uint64_t transaction = must(impl.catalog->usage()).last_transaction;
  must(impl.checkpointer->checkpoint());
  must(impl.checkpointer->checkpoint());
  CHECK(must(impl.catalog->usage()).last_transaction == transaction);
  must(must(again.producer()).send_sync({.topic = "t", .value = "y"}));
  must(impl.checkpointer->checkpoint());
  CHECK(must(impl.catalog->usage()).last_transaction == transaction + 1);
}

}  // namespace seriatim::test
