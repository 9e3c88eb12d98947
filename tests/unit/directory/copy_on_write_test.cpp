// A file system where a store into an allocated block may need another one, and meet a full disk as SIGBUS.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include <seriatim/inspect.hpp>

#include "support/passing_vfs.hpp"
#include "unit/api/engine_fixture.hpp"

namespace seriatim {
namespace {

using test::create_topic;
using test::must;
using test::open_engine_with;
using test::read_values;
using test::TempDir;

class CopyOnWriteVfs final : public test::PassingVfs {
  Result<os::FileSystem> file_system(const std::string& path) override {
    auto known = PassingVfs::file_system(path);
    if (known) known->keeps_allocated_blocks = false;
    return known;
  }
};

// The files of a directory that this process has mapped to store to.
std::string stored_to_by_maps(const std::string& directory) {
  std::ifstream maps("/proc/self/maps");
  std::string found;
  for (std::string line; std::getline(maps, line);) {
    const bool is_ours = line.find(directory) != std::string::npos;
    if (is_ours && line.find(" rw") != std::string::npos) found += line + "\n";
  }
  return found;
}

TEST_CASE("no file is stored to through a map where that could meet a full disk") {
  const TempDir temp;
  CopyOnWriteVfs vfs;
  const std::string path = temp / "data";
  for (int round = 0; round < 2; ++round) {
    const Engine engine = open_engine_with(path, vfs, base::system_clock());
    if (round == 0) create_topic(engine, "t", 1, {{"segment.bytes", "4096"}});
    Producer producer = must(engine.producer());
    for (int i = 0; i < 20; ++i) must(producer.send_sync({.topic = "t", .value = std::string(500, 'x')}));
    must(engine.admin().alter_group_offsets("g", {{test::t0, {.offset = 3}}}));
    must(detail::EngineImpl::of(engine)->checkpointer->checkpoint());
    CHECK(stored_to_by_maps(path) == "");
    must(engine.close());
    const Engine reader = open_engine_with(path, vfs, base::system_clock(), {.mode = OpenMode::read_only});
    CHECK(read_values(reader, "t").size() == static_cast<std::size_t>(20 * (round + 1)));
    CHECK(stored_to_by_maps(path) == "");
  }
  CHECK_FALSE(std::filesystem::exists(path + "/catalog/lock.mdb"));
  CHECK(std::filesystem::file_size(path + "/counters") > 0);
  CHECK(must(verify(path)).findings.empty());
}

}  // namespace
}  // namespace seriatim
