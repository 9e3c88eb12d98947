#include "directory/files/catalog_access.hpp"

#include <doctest/doctest.h>

#include "os/file/posix_vfs.hpp"
#include "os/process.hpp"
#include "support/passing_vfs.hpp"

namespace seriatim::directory {
namespace {

TEST_CASE("a catalog is told of forks, and of descriptors before it opens any") {
  for (const auto access : {catalog::Access::read_only, catalog::Access::read_write}) {
    const auto options = catalog_options(os::posix_vfs(), ".", access);
    CHECK(options.access == access);
    CHECK(options.process_identity() == os::fork_generation());
    CHECK(static_cast<bool>(options.before_open));
  }
}

class CopyOnWrite final : public test::PassingVfs {
  Result<os::FileSystem> file_system(const std::string& path) override {
    auto known = PassingVfs::file_system(path);
    if (known) known->keeps_allocated_blocks = keeps;
    return known;
  }

 public:
  bool keeps = false;
};

TEST_CASE("the catalog has a lock file where a store into an allocated block needs no other") {
  CopyOnWrite vfs;
  CHECK_FALSE(catalog_options(vfs, ".", catalog::Access::read_only).has_lock_file);
  CHECK_FALSE(catalog_options(vfs, ".", catalog::Access::read_write).has_lock_file);
  vfs.keeps = true;
  CHECK(catalog_options(vfs, ".", catalog::Access::read_write).has_lock_file);
}

}  // namespace
}  // namespace seriatim::directory
