// How every part of the library, and the command, opens a catalog: what the catalog's layer must be told of
// the process and of the file system.
#pragma once

#include "catalog/catalog_options.hpp"

namespace seriatim::api {

catalog::CatalogOptions catalog_options(catalog::Access access);

}  // namespace seriatim::api
