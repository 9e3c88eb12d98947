#include "os/map_budget.hpp"

#include <doctest/doctest.h>

#include <fstream>

#include "os/file/posix_vfs.hpp"
#include "support/temp_dir.hpp"

namespace seriatim::os {
namespace {

TEST_CASE("as many are taken as there are, and each that is given back can be taken again") {
  MapBudget budget(2);
  CHECK(budget.take());
  CHECK(budget.take());
  CHECK_FALSE(budget.take());
  CHECK(budget.taken() == 2);
  budget.give_back();
  CHECK(budget.take());
  CHECK_FALSE(budget.take());
}

TEST_CASE("the process keeps a part of the kernel's limit for itself") {
  std::uint64_t kernel = 0;
  std::ifstream("/proc/sys/vm/max_map_count") >> kernel;
  if (kernel != 0) CHECK(maps_max() == kernel);
  CHECK(MapBudget::of_process().limit() < maps_max());
  CHECK(MapBudget::of_process().limit() >= maps_max() / 16 * 15);
}

TEST_CASE("every mapping counts as long as it lives, moved or not") {
  const test::TempDir directory;
  const std::uint64_t before = MapBudget::of_process().taken();
  {
    auto file = posix_vfs().open(directory / "file", OpenMode::create_new);
    REQUIRE(file);
    REQUIRE((*file)->truncate(4096));
    auto map = (*file)->map(4096, Access::read);
    REQUIRE(map);
    CHECK(MapBudget::of_process().taken() == before + 1);
    Mapping moved(*std::move(map));
    CHECK(MapBudget::of_process().taken() == before + 1);
    moved = Mapping();
    CHECK(MapBudget::of_process().taken() == before);
  }
  CHECK(MapBudget::of_process().taken() == before);
}

TEST_CASE("the error names the limit, how many there are, and what to do") {
  const Error error = too_many_maps_error(4096, "/data/x.log");
  CHECK(error.code() == Errc::out_of_memory);
  CHECK(error.retriable());
  CHECK(error.message().find("vm.max_map_count is " + std::to_string(maps_max())) != std::string::npos);
  CHECK(error.message().find("/data/x.log") != std::string::npos);
  CHECK(error.message().find("sysctl -w") != std::string::npos);
}

}  // namespace
}  // namespace seriatim::os
