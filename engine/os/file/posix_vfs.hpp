// The real file system.
#pragma once

#include "os/vfs.hpp"

namespace seriatim::os {

/// The operating system's files. Lives for ever; any thread.
Vfs& posix_vfs() noexcept;

}  // namespace seriatim::os
