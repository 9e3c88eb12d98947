// Removal of a directory with all that is in it.
#pragma once

#include <string>

#include <seriatim/result.hpp>

#include "os/vfs.hpp"

namespace seriatim::directory {

/// Links in it are removed, not followed.
/// Errors: as the file system; a part is gone then.
Result<> remove_tree(os::Vfs& vfs, const std::string& path);

}  // namespace seriatim::directory
