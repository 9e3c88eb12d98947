// Whole small files: read at once, replaced at once.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <seriatim/result.hpp>

#include "os/vfs.hpp"

namespace seriatim::os {

/// Reads a whole file.
/// Errors: as `Vfs::open` and `File::read_at` · corrupt_metadata: longer than `bytes_max`.
Result<std::vector<std::byte>> read_small_file(Vfs& vfs, const std::string& path, std::size_t bytes_max);

/// Creates or replaces a file: written beside it as PATH.tmp, synced, renamed, the directory synced.
///
/// Errors: as the steps; `path` then holds the old or the new bytes, whole. A PATH.tmp left by a crash is
/// overwritten by the next call.
/// Durability: on return, survives power loss.
/// Threads: one at a time per path.
Result<void> replace_small_file(Vfs& vfs, const std::string& path, base::ByteSpan bytes);

}  // namespace seriatim::os
