// A small file system of a test's own, visible to one thread only: to be full, or to lack what others have.
#pragma once

#include <sched.h>
#include <sys/mount.h>

#include <functional>
#include <string>
#include <thread>

#include "support/temp_dir.hpp"

namespace seriatim::test {

/// Mounts a file system in a mount namespace of a new thread and runs `body` there with the path of its root.
///
/// Needs root; nobody else sees the mount, and it goes with the thread, also if the process is killed. Body
/// uses CHECK, not REQUIRE: an exception must not leave its thread.
/// @param type     "tmpfs", "ramfs".
/// @param options  as of mount -o, "size=64k".
/// @return false if it could not be mounted; `body` was not run then.
inline bool with_mounted(const char* type, const char* options,
                         const std::function<void(const std::string&)>& body) {
  const TempDir root;
  bool is_mounted = false;
  std::thread([&] {
    if (::unshare(CLONE_NEWNS) != 0) return;
    // Nothing mounted here may show up outside.
    if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return;
    if (::mount("seriatim-test", root.path().c_str(), type, 0, options) != 0) return;
    is_mounted = true;
    body(root.path());
    ::umount2(root.path().c_str(), MNT_DETACH);
  }).join();
  return is_mounted;
}

}  // namespace seriatim::test
