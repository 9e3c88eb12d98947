// A small file system of a test's own, visible to one thread only: to be full, or to lack what others have.
#pragma once

#include <sched.h>
#include <sys/mount.h>

#include <cstdlib>
#include <functional>
#include <string>
#include <thread>

#include "support/temp_dir.hpp"

namespace seriatim::test {

namespace mounting {

/// Runs `body` in a thread whose mounts nobody else sees, if `mount` could mount something at `root`.
inline bool with_own_mount(const std::string& root, const std::function<bool()>& mount,
                           const std::function<void(const std::string&)>& body) {
  bool is_mounted = false;
  std::thread([&] {
    if (::unshare(CLONE_NEWNS) != 0) return;
    // Nothing mounted here may show up outside.
    if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return;
    if (!mount()) return;
    is_mounted = true;
    body(root);
    ::umount2(root.c_str(), MNT_DETACH);
  }).join();
  return is_mounted;
}

}  // namespace mounting

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
  return mounting::with_own_mount(
      root.path(), [&] { return ::mount("seriatim-test", root.path().c_str(), type, 0, options) == 0; },
      body);
}

/// The same of an ext4 of `mebibytes` in a file, none of it kept for root. Needs mkfs.ext4 and a loop device.
inline bool with_ext4(int mebibytes, const std::function<void(const std::string&)>& body) {
  const TempDir root;
  const TempDir outside;
  const std::string image = outside / "image";
  const std::string make = "mkfs.ext4 -q -m 0 " + image + " " + std::to_string(mebibytes) + "M";
  const std::string mount = "mount -o loop " + image + " " + root.path();
  const auto run = [](const std::string& command) {
    return std::system(("PATH=$PATH:/sbin:/usr/sbin; " + command + " >/dev/null 2>&1").c_str()) == 0;
  };
  return mounting::with_own_mount(
      root.path(), [&] { return run(make) && run(mount); }, body);
}

}  // namespace seriatim::test
