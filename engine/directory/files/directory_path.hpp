// The data directory that a function of the library was given by its path.
#pragma once

#include <filesystem>
#include <string>

#include <seriatim/result.hpp>

#include "os/vfs.hpp"

namespace seriatim::directory {

/// The absolute path of a directory that exists.
/// Errors: as os::absolute_path · not_found · those of the file system.
Result<std::string> existing_directory(os::Vfs& vfs, const std::filesystem::path& path);
/// The same of one that has a FORMAT file or a catalog.
/// Errors: not_a_data_directory, too.
Result<std::string> existing_data_directory(os::Vfs& vfs, const std::filesystem::path& path);

}  // namespace seriatim::directory
