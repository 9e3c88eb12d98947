#include "directory/files/catalog_access.hpp"

#include "os/descriptor.hpp"
#include "os/process.hpp"

namespace seriatim::directory {

catalog::CatalogOptions catalog_options(os::Vfs& vfs, const std::string& directory, catalog::Access access) {
  const auto file_system = vfs.file_system(directory);
  return {.access = access,
          .process_identity = [] { return os::fork_generation(); },
          .before_open = [] { os::occupy_standard_descriptors(); },
          .after_open = [](int descriptor) { os::close_on_exec(descriptor); },
          .has_lock_file = !file_system || file_system->keeps_allocated_blocks};
}

}  // namespace seriatim::directory
