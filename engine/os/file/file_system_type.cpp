#include "os/file/file_system_type.hpp"

#include <array>
#include <charconv>
#include <string_view>

namespace seriatim::os {
namespace {

struct MagicRow {
  std::uint64_t magic;
  std::string_view name;
  bool keeps_allocated_blocks;
};

// Numbers: linux/magic.h, and statfs(2) for those that are not there. ext2 and ext3 share ext4's. On xfs a
// file that was cloned (reflink) is copy-on-write after all; nothing of ours clones files.
constexpr std::array magic_rows{
    MagicRow{0xEF53, "ext4", true},           MagicRow{0x58465342, "xfs", true},
    MagicRow{0x01021994, "tmpfs", true},      MagicRow{0x858458F6, "ramfs", true},
    MagicRow{0x9123683E, "btrfs", false},     MagicRow{0xCA451A4E, "bcachefs", false},
    MagicRow{0x2FC12FC1, "zfs", false},       MagicRow{0xF2F52010, "f2fs", false},
    MagicRow{0x794C7630, "overlayfs", false}, MagicRow{0x6969, "nfs", false},
    MagicRow{0xFF534D42, "cifs", false},      MagicRow{0xFE534D42, "smb2", false},
    MagicRow{0x01021997, "9p", false},        MagicRow{0x65735546, "fuse", false},
    MagicRow{0x00C36400, "ceph", false},      MagicRow{0x4D44, "vfat", false},
    MagicRow{0x2011BAB0, "exfat", false},     MagicRow{0x73717368, "squashfs", false},
};

}  // namespace

FileSystemType file_system_type(std::uint64_t magic) {
  for (const MagicRow& row : magic_rows) {
    if (row.magic == magic) return {std::string(row.name), row.keeps_allocated_blocks};
  }
  std::array<char, 16> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), magic, 16).ptr;
  return {"0x" + std::string(digits.data(), end), false};
}

}  // namespace seriatim::os
