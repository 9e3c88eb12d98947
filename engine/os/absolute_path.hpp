// A path that goes on meaning the same directory when the working directory changes.
#pragma once

#include <filesystem>
#include <string>

#include <seriatim/result.hpp>

namespace seriatim::os {

/// `path` from the root on, as the working directory is now, without "/" and "/." at its end. Links and ".."
/// stay: only the kernel knows where they lead.
/// Errors: invalid_argument: the path is empty · not_found, permission_denied, io_error: the path is
/// relative, and the working directory cannot be told (it was deleted, or lies out of reach).
Result<std::string> absolute_path(const std::filesystem::path& path);

}  // namespace seriatim::os
