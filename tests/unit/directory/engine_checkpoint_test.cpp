// The order of a checkpoint's steps: seen at the moment when the first file of the journal is given up.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <set>

#include "base/mutex.hpp"
#include "support/passing_vfs.hpp"
#include "unit/api/engine_fixture.hpp"

namespace seriatim::test {
namespace {

namespace fs = std::filesystem;
using detail::EngineImpl;

// Remembers which files were synced, and tells of the first journal file that gets another name or none.
class WatchingVfs final : public PassingVfs {
 public:
  std::function<void()> on_given_up{};

  Result<std::unique_ptr<os::File>> open(const std::string& path, os::OpenMode mode) override {
    return open_as<WatchedFile>(path, mode, *this);
  }
  Result<void> rename(const std::string& from, const std::string& to) override {
    if (from.ends_with(".journal")) give_up();
    return PassingVfs::rename(from, to);
  }
  Result<void> remove(const std::string& path) override {
    if (path.ends_with(".journal")) give_up();
    return PassingVfs::remove(path);
  }
  std::set<std::string> synced() const {
    const base::MutexLock lock(mutex_);
    return synced_;
  }
  void forget() {
    const base::MutexLock lock(mutex_);
    synced_.clear();
  }

 private:
  class WatchedFile final : public PassingFile {
   public:
    WatchedFile(std::unique_ptr<os::File> file, WatchingVfs& vfs) : PassingFile(std::move(file)), vfs_(vfs) {}
    Result<void> sync_data() override {
      const auto synced = PassingFile::sync_data();
      const base::MutexLock lock(vfs_.mutex_);
      if (synced) vfs_.synced_.insert(path());
      return synced;
    }

   private:
    WatchingVfs& vfs_;
  };

  void give_up() {
    if (const auto told = std::exchange(on_given_up, nullptr)) told();
  }

  mutable base::Mutex mutex_;
  std::set<std::string> synced_ SERIATIM_GUARDED_BY(mutex_);
};

}  // namespace

TEST_CASE(
    "a checkpoint takes journal files for later use when segments are synced and the catalog has the rest") {
  const TempDir dir;
  const TempDir copies;
  WatchingVfs vfs;
  const Engine engine = open_engine_with(
      dir / "data", vfs, base::system_clock(),
      {.checkpoint_interval = std::chrono::hours(24 * 365), .journal_file_bytes = 64U << 10});
  create_topic(engine, "t", 2);
  Producer producer = must(engine.producer({.acks = Acks::all}));
  const std::string value(1000, 'v');
  for (int i = 0; i < 200; ++i) must(producer.send_sync({.topic = "t", .value = value, .partition = i % 2}));
  Consumer consumer = must(engine.consumer({.group_id = "g"}));
  must(consumer.commit_sync({{{"t", 0}, {.offset = 50}}}));
  const auto& impl = EngineImpl::of(engine);
  const std::uint64_t last_lsn = impl->journal->stats().staged_lsn;
  vfs.forget();
  bool was_seen = false;
  vfs.on_given_up = [&] {
    was_seen = true;
    for (const char* partition : {"t-0", "t-1"}) {
      const std::string log = dir / "data/log/" + partition + "/00000000000000000000.log";
      CHECK(vfs.synced().contains(log));
    }
    CHECK(must(impl->catalog->engine()).covered_lsn >= last_lsn);
    CHECK(must(impl->catalog->partition_states("t"))[1].recovery_point_offset == 100);
    const auto stored = must(impl->catalog->committed("g", {"t", 0}));
    CHECK((stored && stored->offset == 50));
  };
  must(impl->checkpointer->checkpoint());
  CHECK(was_seen);
}

}  // namespace seriatim::test
