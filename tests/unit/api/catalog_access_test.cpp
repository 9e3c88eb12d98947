#include "api/catalog_access.hpp"

#include <doctest/doctest.h>

#include "os/process.hpp"

namespace seriatim::api {
namespace {

TEST_CASE("a catalog is told of forks, and of descriptors before it opens any") {
  for (const auto access : {catalog::Access::read_only, catalog::Access::read_write}) {
    const auto options = catalog_options(access);
    CHECK(options.access == access);
    CHECK(options.process_identity() == os::fork_generation());
    CHECK(static_cast<bool>(options.before_open));
  }
}

}  // namespace
}  // namespace seriatim::api
