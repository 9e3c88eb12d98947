// The kernel gives the process no more maps (vm.max_map_count).
#include <doctest/doctest.h>

#include <atomic>

#include "os/map_budget.hpp"
#include "support/passing_vfs.hpp"
#include "unit/api/engine_fixture.hpp"

namespace seriatim {
namespace {

using test::code_of;
using test::create_topic;
using test::must;
using test::open_engine;
using test::open_engine_with;
using test::read_values;
using test::TempDir;

// Refuses maps where the process has so many already.
class FewMapsVfs final : public test::PassingVfs {
 public:
  Result<std::unique_ptr<os::File>> open(const std::string& path, os::OpenMode mode) override {
    return open_as<FewMapsFile>(path, mode, *this);
  }
  std::atomic<std::uint64_t> limit{1U << 30};

 private:
  class FewMapsFile final : public test::PassingFile {
   public:
    FewMapsFile(std::unique_ptr<os::File> file, FewMapsVfs& vfs) : PassingFile(std::move(file)), vfs_(vfs) {}
    Result<os::Mapping> map(std::uint64_t length, os::Access access) override {
      if (os::MapBudget::of_process().taken() >= vfs_.limit) return os::too_many_maps_error(length, path());
      return PassingFile::map(length, access);
    }

   private:
    FewMapsVfs& vfs_;
  };
};

constexpr PartitionId partitions = 30;

TEST_CASE("at the limit of maps a call names it; reading, appending, deleting and closing go on") {
  for (std::uint64_t spare = 0; spare < 4; ++spare) {
    CAPTURE(spare);
    const TempDir temp;
    FewMapsVfs vfs;
    const Engine engine = open_engine_with(temp / "data", vfs, base::system_clock());
    create_topic(engine, "t", partitions);
    create_topic(engine, "other");
    Producer producer = must(engine.producer());
    for (PartitionId i = 0; i < 5; ++i)
      must(producer.send_sync({.topic = "t", .value = "a", .partition = i}));
    vfs.limit = os::MapBudget::of_process().taken() + spare;
    int refused = 0;
    for (PartitionId i = 5; i < partitions; ++i) {
      const auto sent = producer.send_sync({.topic = "t", .value = "b", .partition = i});
      if (sent) continue;
      ++refused;
      CHECK(sent.error().code() == Errc::out_of_memory);
      CHECK(sent.error().outcome() == Outcome::not_written);
      CHECK(sent.error().message().find("vm.max_map_count is ") != std::string::npos);
    }
    CHECK(refused > partitions - 8);
    for (PartitionId i = 0; i < 5; ++i) {
      must(producer.send_sync({.topic = "t", .value = "c", .partition = i}));
      CHECK(read_values(engine, "t", i) == std::vector<std::string>{"a", "c"});
    }
    must(engine.admin().delete_topic("other"));
    must(engine.flush());
    // As soon as there are maps again, all goes on.
    vfs.limit = 1U << 30;
    must(producer.send_sync({.topic = "t", .value = "d", .partition = partitions - 1}));
    vfs.limit = 0;
    must(engine.close());
    const Engine again = open_engine(temp / "data");
    CHECK(detail::EngineImpl::of(again)->was_clean);
    CHECK_FALSE(must(again.admin().verify()).worst().has_value());
  }
}

TEST_CASE("at the limit of maps a sealed segment is read with the maps of those that nobody reads") {
  const TempDir temp;
  {
    const Engine engine = open_engine(temp / "data");
    Producer producer = must(engine.producer());
    for (const char* topic : {"t", "u"}) {
      create_topic(engine, topic, 1, {{"segment.bytes", "2048"}});
      for (int i = 0; i < 40; ++i) must(producer.send_sync({.topic = topic, .value = std::string(700, 'x')}));
    }
    must(engine.close());
  }
  FewMapsVfs vfs;
  const Engine engine = open_engine_with(temp / "data", vfs, base::system_clock());
  CHECK(read_values(engine, "t").size() == 40);
  CHECK(detail::EngineImpl::of(engine)->maps.size() > 4);
  vfs.limit = os::MapBudget::of_process().taken();
  CHECK(read_values(engine, "u").size() == 40);
  CHECK(read_values(engine, "t").size() == 40);
}

}  // namespace
}  // namespace seriatim
