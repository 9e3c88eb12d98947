#include "api/catalog_access.hpp"

#include "os/descriptor.hpp"
#include "os/process.hpp"

namespace seriatim::api {

catalog::CatalogOptions catalog_options(catalog::Access access) {
  return {.access = access,
          .process_identity = [] { return os::fork_generation(); },
          .before_open = [] { os::occupy_standard_descriptors(); }};
}

}  // namespace seriatim::api
