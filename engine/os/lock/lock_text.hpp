// The text in a lock file.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "os/lock/dir_lock.hpp"

namespace seriatim::os {

/// Bytes of a lock file's text, padding included. Constant and one sector, so that rewriting it is one
/// write that needs no new block (a full disk must not keep the engine from opening) and readers see it
/// whole.
inline constexpr std::size_t lock_text_bytes = 512;

/// Exactly `lock_text_bytes`; control characters in the fields become '?', over-long fields are cut.
std::string format_lock_text(const LockInfo& info);

/// Nothing if `text` was not made by `format_lock_text`. `is_held` is left false.
std::optional<LockInfo> parse_lock_text(std::string_view text);

}  // namespace seriatim::os
