#include "os/file/file_system_type.hpp"

#include <doctest/doctest.h>
#include <linux/magic.h>

using seriatim::os::file_system_type;

TEST_CASE("the numbers are the kernel's") {
  CHECK(file_system_type(EXT4_SUPER_MAGIC).name == "ext4");
  CHECK(file_system_type(XFS_SUPER_MAGIC).name == "xfs");
  CHECK(file_system_type(TMPFS_MAGIC).name == "tmpfs");
  CHECK(file_system_type(RAMFS_MAGIC).name == "ramfs");
  CHECK(file_system_type(BTRFS_SUPER_MAGIC).name == "btrfs");
  CHECK(file_system_type(F2FS_SUPER_MAGIC).name == "f2fs");
  CHECK(file_system_type(OVERLAYFS_SUPER_MAGIC).name == "overlayfs");
  CHECK(file_system_type(NFS_SUPER_MAGIC).name == "nfs");
  CHECK(file_system_type(CIFS_SUPER_MAGIC).name == "cifs");
  CHECK(file_system_type(SMB2_SUPER_MAGIC).name == "smb2");
  CHECK(file_system_type(V9FS_MAGIC).name == "9p");
  CHECK(file_system_type(FUSE_SUPER_MAGIC).name == "fuse");
  CHECK(file_system_type(CEPH_SUPER_MAGIC).name == "ceph");
  CHECK(file_system_type(MSDOS_SUPER_MAGIC).name == "vfat");
  CHECK(file_system_type(EXFAT_SUPER_MAGIC).name == "exfat");
  CHECK(file_system_type(SQUASHFS_MAGIC).name == "squashfs");
}

TEST_CASE("an unknown file system shows its number and promises nothing") {
  const auto type = file_system_type(0xABCDEF01);
  CHECK(type.name == "0xabcdef01");
  CHECK_FALSE(type.keeps_allocated_blocks);
}

TEST_CASE("only file systems that overwrite in place keep allocated blocks") {
  CHECK(file_system_type(EXT4_SUPER_MAGIC).keeps_allocated_blocks);
  CHECK(file_system_type(TMPFS_MAGIC).keeps_allocated_blocks);
  CHECK_FALSE(file_system_type(BTRFS_SUPER_MAGIC).keeps_allocated_blocks);
  CHECK_FALSE(file_system_type(NFS_SUPER_MAGIC).keeps_allocated_blocks);
  CHECK_FALSE(file_system_type(OVERLAYFS_SUPER_MAGIC).keeps_allocated_blocks);
}
