// Birth of a data directory, and whether one has all that a birth makes. FORMAT is written last: a directory
// without one is not born yet, and its birth begins anew.
#pragma once

#include <string>
#include <string_view>

#include <seriatim/result.hpp>

#include "os/vfs.hpp"

namespace seriatim::directory {

inline constexpr std::string_view catalog_directory_name = "catalog";
inline constexpr std::string_view log_directory_name = "log";

/// Whether an interrupted birth may have left this name in a directory that has no FORMAT yet.
bool is_birth_leftover(std::string_view name);

struct Birth {
  std::string directory{};
  bool has_lock_file = true;  ///< See CatalogOptions::has_lock_file.
};
/// Makes an empty log, an empty catalog and FORMAT, durably. Remains of an interrupted birth are removed.
/// Errors: corrupt_metadata: there are data already, and FORMAT is lost · as the file system and the catalog.
Result<> give_birth(os::Vfs& vfs, const Birth& birth);

/// Errors: corrupt_metadata, io_error: the directory of the catalog or of the logs is not there.
Result<> check_layout(os::Vfs& vfs, const std::string& directory);

}  // namespace seriatim::directory
