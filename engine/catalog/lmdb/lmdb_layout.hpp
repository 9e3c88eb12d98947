// Where things are in an LMDB 0.9 data file on a 64-bit machine, for checking a file before LMDB maps and
// trusts it. All integers are in the byte order of the machine that wrote it.
// Source: mdb.c of LMDB 0.9.24, MDB_page, MDB_node, MDB_db and MDB_meta.
//
//   page   0 u64 number · 8 u16 pad · 10 u16 flags · 12 u16 lower · 14 u16 upper (or 12 u32 overflow pages)
//          16 u16 node positions, `lower` is their end; nodes fill the page from `upper` to its end
//          without gaps
//   node   0 u16 · 2 u16 data size or child page, low and high
//          4 u16 flags (branch: bits 32..47 of the child)
//          6 u16 key size · 8 key, then data; nodes begin at even positions
//   tree   0 u32 page size (free tree only) · 4 u16 flags · 6 u16 depth · 8 u64 branch pages
//          16 u64 leaf pages · 24 u64 overflow pages · 32 u64 entries · 40 u64 root page
//   meta   at 16 in pages 0 and 1: 0 u32 magic · 4 u32 version · 8 u64 address · 16 u64 map size
//          24 free tree · 72 main tree · 120 u64 last page · 128 u64 transaction
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "base/bytes.hpp"

namespace seriatim::catalog::lmdb {

inline constexpr std::uint32_t magic = 0xBEEFC0DE;
inline constexpr std::uint32_t data_version = 1;
inline constexpr std::size_t page_header_bytes = 16;
inline constexpr std::size_t node_header_bytes = 8;
inline constexpr std::size_t tree_bytes = 48;
inline constexpr std::size_t meta_bytes = page_header_bytes + 136;
inline constexpr std::uint64_t no_page = ~std::uint64_t{0};
inline constexpr std::uint64_t meta_pages = 2;
/// LMDB takes the machine's page size, but at most 32 KiB.
inline constexpr std::uint32_t page_bytes_min = 4'096;
inline constexpr std::uint32_t page_bytes_max = 32'768;
inline constexpr unsigned depth_max = 32;  // CURSOR_STACK
inline constexpr std::size_t key_bytes_max = 511;
/// The most pages one transaction may have dirty: MDB_IDL_UM_MAX.
inline constexpr std::uint64_t dirty_pages_max = 131'071;
/// User address space of x86-64: nothing beyond can ever have been mapped.
inline constexpr std::uint64_t map_bytes_max = std::uint64_t{1} << 47U;

inline constexpr std::uint16_t page_branch = 0x01;
inline constexpr std::uint16_t page_leaf = 0x02;
inline constexpr std::uint16_t page_overflow = 0x04;
inline constexpr std::uint16_t page_meta = 0x08;
inline constexpr std::uint16_t node_big_data = 0x01;
inline constexpr std::uint16_t node_sub_tree = 0x02;
inline constexpr std::uint16_t tree_integer_key = 0x08;

/// An integer in the byte order of this machine; the caller has checked that it is there.
template <std::integral T>
T load(base::ByteSpan bytes, std::size_t position) noexcept {
  T value;
  std::memcpy(&value, bytes.data() + position, sizeof(T));
  return value;
}

struct Tree {
  std::uint16_t flags = 0;
  std::uint16_t depth = 0;
  std::uint64_t branch_pages = 0;
  std::uint64_t leaf_pages = 0;
  std::uint64_t overflow_pages = 0;
  std::uint64_t entries = 0;
  std::uint64_t root = no_page;
};

inline Tree load_tree(base::ByteSpan bytes) noexcept {
  return {load<std::uint16_t>(bytes, 4),  load<std::uint16_t>(bytes, 6),  load<std::uint64_t>(bytes, 8),
          load<std::uint64_t>(bytes, 16), load<std::uint64_t>(bytes, 24), load<std::uint64_t>(bytes, 32),
          load<std::uint64_t>(bytes, 40)};
}

struct Meta {
  std::uint32_t page_bytes = 0;
  std::uint64_t map_bytes = 0;
  Tree free_tree{};
  Tree main_tree{};
  std::uint64_t last_page = 0;
  std::uint64_t transaction = 0;
};

}  // namespace seriatim::catalog::lmdb
