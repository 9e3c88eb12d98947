// Facts about this process.
#pragma once

#include <cstdint>
#include <string>

namespace seriatim::os {

std::int64_t process_id() noexcept;
/// Whether a process of this id exists (also if it belongs to another user).
bool process_exists(std::int64_t pid) noexcept;
/// Name of the program, at most 15 bytes (the kernel's `comm` of the main thread); "unknown" if /proc is
/// not there.
std::string program_name();
/// Changes with every boot of the machine; empty if /proc is not there.
std::string boot_id();
/// Soft limit of open descriptors.
std::uint64_t open_files_max() noexcept;

/// A number that is constant within a process, and differs in every child that is forked after it was asked
/// for.
///
/// A file that was opened before fork() is not usable after: remember this at open and compare.
/// Threads: any. Not async-signal-safe on its first call.
/// Cost: one load of a page that the kernel empties in a child (MADV_WIPEONFORK); a getpid where the kernel
/// cannot do that.
std::uint64_t fork_generation() noexcept;

}  // namespace seriatim::os
