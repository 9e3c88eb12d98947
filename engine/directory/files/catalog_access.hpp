// How every part of the library, and the command, opens a catalog: what the catalog's layer must be told of
// the process and of the file system.
#pragma once

#include <string>

#include "catalog/records/catalog_options.hpp"
#include "os/vfs.hpp"

namespace seriatim::directory {

/// For the catalog of the data directory `directory`. All processes that open it get the same answer to
/// whether it has a lock file.
catalog::CatalogOptions catalog_options(os::Vfs& vfs, const std::string& directory, catalog::Access access);

}  // namespace seriatim::directory
