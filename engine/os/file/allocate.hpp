// Allocating blocks where the file system has no fallocate.
#pragma once

#include <cstdint>
#include <string_view>

#include <seriatim/result.hpp>

namespace seriatim::os {

/// Writes zeros into the holes of a range and beyond the end of the file. Stored bytes are not touched.
///
/// Nobody else may write into the range meanwhile: a store into a hole could be overwritten.
/// @param path  for messages.
/// Errors: storage_full, io_error; part of the range may be filled then.
Result<void> fill_holes(int descriptor, std::uint64_t position, std::uint64_t length, std::string_view path);

}  // namespace seriatim::os
