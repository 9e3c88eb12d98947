#include "catalog/lmdb/data_file_check.hpp"

#include <array>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <vector>

#include "catalog/lmdb/lmdb_call.hpp"

namespace seriatim::catalog {
namespace {

namespace fs = std::filesystem;

Error damaged(const std::string& file, std::uint64_t position, const std::string& what) {
  return {Errc::corrupt_metadata,
          file + ", position " + std::to_string(position) + ": " + what + damaged_catalog_advice};
}

Result<void> check_kind(const std::string& file, bool may_be_absent) {
  std::error_code failure;
  const fs::file_status status = fs::symlink_status(file, failure);
  if (status.type() == fs::file_type::not_found) {
    if (may_be_absent) return {};
    return Error(
        Errc::not_found,
        file + " does not exist; choose a seriatim data directory, or let the engine create the catalog");
  }
  if (failure) {
    const bool denied = failure == std::errc::permission_denied;
    return Error(denied ? Errc::permission_denied : Errc::io_error,
                 "cannot examine " + file + " (" + failure.message() + "); correct its owner or mode",
                 failure.value());
  }
  if (status.type() == fs::file_type::regular) return {};
  return Error(Errc::io_error,
               file +
                   " is not a regular file (a link, directory or device took its place); move "
                   "it away and restore the catalog from a backup");
}

// Unbuffered, so that bytes are read when asked for and a live writer's newer ones are seen on the next call.
Result<std::vector<std::byte>> read_bytes(const std::string& file, std::uint64_t position,
                                          std::size_t count) {
  std::ifstream in;
  in.rdbuf()->pubsetbuf(nullptr, 0);
  errno = 0;
  in.open(file, std::ios::binary);
  if (!in) return lmdb_error(errno, "opening it for reading", file);
  std::vector<std::byte> bytes(count);
  in.seekg(static_cast<std::streamoff>(position));
  in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(count));
  if (in.bad()) return Error(Errc::io_error, "reading " + file + " failed at " + std::to_string(position));
  bytes.resize(static_cast<std::size_t>(in.gcount()));
  return bytes;
}

bool is_sane_tree(const lmdb::Tree& tree, std::uint16_t flags, std::uint64_t last_page) {
  if (tree.flags != flags) return false;
  if (tree.root == lmdb::no_page) return tree.depth == 0 && tree.entries == 0;
  return tree.root >= lmdb::meta_pages && tree.root <= last_page && tree.depth >= 1 &&
         tree.depth <= lmdb::depth_max && tree.entries >= 1;
}

// The requirements of LMDB for both pages before it opens a file, whichever of them it follows.
bool has_sound_header(base::ByteSpan page) {
  return page.size() >= lmdb::meta_bytes && lmdb::load<std::uint16_t>(page, 10) == lmdb::page_meta &&
         lmdb::load<std::uint32_t>(page, 16) == lmdb::magic &&
         lmdb::load<std::uint32_t>(page, 20) == lmdb::data_version;
}

Result<MetaSlot> read_slot(const std::string& file, std::uint64_t number, std::uint64_t position) {
  Result<std::vector<std::byte>> bytes = read_bytes(file, position, lmdb::meta_bytes);
  if (!bytes) return std::move(bytes).error();
  MetaSlot slot{.position = position,
                .bytes = *std::move(bytes),
                .meta = Error(Errc::corrupt_metadata, "catalog: a meta page was not read")};
  slot.meta = parse_meta_page(file, slot.bytes, number, position);
  slot.is_header_sound = has_sound_header(slot.bytes);
  if (slot.bytes.size() >= lmdb::meta_bytes) slot.claimed = lmdb::load<std::uint64_t>(slot.bytes, 144);
  return slot;
}

Result<lmdb::Meta> newer_meta(const std::string& directory) {
  const Result<std::array<MetaSlot, 2>> slots = read_meta_slots(directory);
  if (!slots) return slots.error();
  const std::size_t newer = (*slots)[1].claimed > (*slots)[0].claimed ? 1 : 0;
  const MetaSlot& other = (*slots)[1 - newer];
  const Result<lmdb::Meta>& state = (*slots)[newer].meta;
  if (!state) return state;
  if (!other.is_header_sound) return other.meta;
  // Asked of a damaged one too: LMDB goes by the length of pages in the first it reads, and divides by it.
  if (lmdb::load<std::uint32_t>(other.bytes, 40) != state->page_bytes)
    return damaged(data_file(directory), other.position, "the two meta pages differ in page size");
  // Transaction N writes meta page N mod 2, so the other page holds N - 1. A catalog is born with a
  // transaction, hence N >= 1; a flipped bit in a number would otherwise bring an older state back without a
  // word.
  if (state->transaction % 2 != newer || state->transaction != other.claimed + 1) {
    return damaged(data_file(directory), 144,
                   "the meta pages hold transactions " + std::to_string((*slots)[0].claimed) + " and " +
                       std::to_string((*slots)[1].claimed) + ", which do not follow each other");
  }
  std::error_code failure;
  const std::uintmax_t file_bytes = fs::file_size(data_file(directory), failure);
  const std::uint64_t file_pages = failure ? 0 : file_bytes / state->page_bytes;
  // Free pages at the end need not be in the file, but there is no room for more than a few transactions'
  // worth: LMDB would map it all. The walk over all pages is exact about it.
  if (state->last_page > file_pages + 16 * lmdb::dirty_pages_max) {
    return damaged(
        data_file(directory), newer * state->page_bytes + 136,
        "the last page, " + std::to_string(state->last_page) + ", is far beyond the end of the file");
  }
  for (const lmdb::Tree& tree : {state->free_tree, state->main_tree}) {
    if (tree.root != lmdb::no_page && tree.root >= file_pages) {
      return damaged(data_file(directory), file_bytes,
                     "the file was cut off: page " + std::to_string(tree.root) + " is missing");
    }
  }
  return *state;
}

}  // namespace

std::string data_file(const std::string& directory) { return directory + "/data.mdb"; }

Result<lmdb::Meta> parse_meta_page(const std::string& file, base::ByteSpan page, std::uint64_t number,
                                   std::uint64_t position) {
  if (page.size() < lmdb::meta_bytes) {
    return damaged(file, position, "the file ends before meta page " + std::to_string(number) + " does");
  }
  const auto found_magic = lmdb::load<std::uint32_t>(page, 16);
  if (found_magic == base::byte_swap(lmdb::magic)) {
    return Error(Errc::unsupported_version,
                 file +
                     " was written on a machine of the other byte order; the catalog is not portable between "
                     "them, open it where it was made");
  }
  if (found_magic != lmdb::magic)
    return damaged(file, position + 16, "this is not an LMDB file (wrong magic)");
  const auto version = lmdb::load<std::uint32_t>(page, 20);
  if (version != lmdb::data_version) {
    return Error(Errc::unsupported_version,
                 file + ": LMDB data version " + std::to_string(version) +
                     ", this program knows version 1; use the program version that "
                     "wrote it");
  }
  if (lmdb::load<std::uint64_t>(page, 0) != number ||
      lmdb::load<std::uint16_t>(page, 10) != lmdb::page_meta) {
    return damaged(file, position, "the header of meta page " + std::to_string(number) + " is wrong");
  }
  lmdb::Meta meta;
  meta.page_bytes = lmdb::load<std::uint32_t>(page, 40);
  meta.map_bytes = lmdb::load<std::uint64_t>(page, 32);
  meta.free_tree = lmdb::load_tree(page.subspan(40));
  meta.main_tree = lmdb::load_tree(page.subspan(88));
  meta.last_page = lmdb::load<std::uint64_t>(page, 136);
  meta.transaction = lmdb::load<std::uint64_t>(page, 144);
  if (!std::has_single_bit(meta.page_bytes) || meta.page_bytes < lmdb::page_bytes_min ||
      meta.page_bytes > lmdb::page_bytes_max) {
    return damaged(file, position + 40, "page size " + std::to_string(meta.page_bytes) + " is impossible");
  }
  if (meta.last_page < 1 || meta.last_page >= lmdb::map_bytes_max / meta.page_bytes ||
      meta.map_bytes > lmdb::map_bytes_max) {
    return damaged(file, position + 136,
                   "last page " + std::to_string(meta.last_page) + " or map size " +
                       std::to_string(meta.map_bytes) + " is impossible");
  }
  if (!is_sane_tree(meta.free_tree, lmdb::tree_integer_key, meta.last_page) ||
      !is_sane_tree(meta.main_tree, 0, meta.last_page)) {
    return damaged(file, position + 40,
                   "the root of a tree in meta page " + std::to_string(number) + " is wrong");
  }
  return meta;
}

// The first page says how long pages are, and so where the second begins. Where it does not, the second is
// looked for at each length there may be.
Result<std::array<MetaSlot, 2>> read_meta_slots(const std::string& directory) {
  const std::string file = data_file(directory);
  Result<MetaSlot> first = read_slot(file, 0, 0);
  if (!first) return std::move(first).error();
  if (first->bytes.empty()) return damaged(file, 0, "the file is empty");
  const bool is_told = first->meta.ok();
  std::uint64_t position = is_told ? first->meta->page_bytes : lmdb::page_bytes_min;
  Result<MetaSlot> second = read_slot(file, 1, position);
  const auto is_found = [&] { return is_told || (second->meta && second->meta->page_bytes == position); };
  while (second && !is_found() && position < lmdb::page_bytes_max) {
    position *= 2;
    second = read_slot(file, 1, position);
  }
  if (!second) return std::move(second).error();
  if (!is_found()) return first->meta.error();
  return std::array{*std::move(first), *std::move(second)};
}

Result<void> check_file_kinds(const std::string& directory) {
  if (Result<void> data = check_kind(data_file(directory), false); !data) return data;
  return check_kind(directory + "/lock.mdb", true);
}

Result<lmdb::Meta> check_meta_pages(const std::string& directory) {
  // The two pages are not read at one instant: beside a live writer they may be from moments that do not fit
  // together. Real damage is still there the next time.
  constexpr int attempts_max = 5;
  for (int attempt = 1;; ++attempt) {
    Result<lmdb::Meta> meta = newer_meta(directory);
    if (meta || attempt == attempts_max || meta.error().code() != Errc::corrupt_metadata) return meta;
  }
}

Result<std::optional<lmdb::Meta>> meta_of_transaction(const std::string& directory,
                                                      std::uint64_t transaction) {
  const Result<std::array<MetaSlot, 2>> slots = read_meta_slots(directory);
  if (!slots) return slots.error();
  const MetaSlot& slot = (*slots)[transaction % 2];
  if (slot.claimed != transaction) return std::optional<lmdb::Meta>();
  if (!slot.meta) return slot.meta.error();
  return std::optional(*slot.meta);
}

}  // namespace seriatim::catalog
