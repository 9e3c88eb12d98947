// Checks a catalog's files before LMDB opens them: LMDB maps data.mdb and follows what its two meta pages
// say, and a hostile or half-born file would take the process down with it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <seriatim/result.hpp>

#include "catalog/lmdb/lmdb_layout.hpp"

namespace seriatim::catalog {

/// "DIR/data.mdb"
std::string data_file(const std::string& directory);

/// data.mdb must be a regular file, and lock.mdb one or absent: a symbolic link may lead anywhere, a FIFO
/// blocks.
/// Errors: not_found, io_error.
Result<void> check_file_kinds(const std::string& directory);

/// One of the two meta pages, as it stands in the file.
struct MetaSlot {
  std::uint64_t position = 0;
  std::vector<std::byte> bytes{};  ///< lmdb::meta_bytes, fewer where the file ends
  std::uint64_t claimed = 0;       ///< the transaction it says it is of; 0 where the file ends before it
  bool is_header_sound = false;    ///< LMDB opens a file only if this holds for both
  Result<lmdb::Meta> meta;         ///< or why no state can be read from it
};

/// Errors: corrupt_metadata if neither page can be found; io_error.
Result<std::array<MetaSlot, 2>> read_meta_slots(const std::string& directory);

/// One meta page from its bytes, with all that LMDB would rely on checked.
/// @param number  0 or 1.
/// Errors: corrupt_metadata, unsupported_version.
Result<lmdb::Meta> parse_meta_page(const std::string& file, base::ByteSpan page, std::uint64_t number,
                                   std::uint64_t position);

/// Reads both meta pages and checks all that LMDB would rely on in the newer one: magic, version, page size,
/// roots, transaction numbers that follow each other. Of the older one nothing is followed: a commit that
/// failed leaves there what is no state, and only its header has to be sound.
/// @return  the newer one, which is the state of the catalog.
/// Errors: corrupt_metadata (file, position, what is wrong), unsupported_version, io_error.
Result<lmdb::Meta> check_meta_pages(const std::string& directory);

/// The meta page of one transaction; nothing if a later transaction has replaced it already.
/// Errors: as check_meta_pages.
Result<std::optional<lmdb::Meta>> meta_of_transaction(const std::string& directory,
                                                      std::uint64_t transaction);

/// Text for the end of every error about a damaged catalog file.
inline constexpr const char* damaged_catalog_advice =
    "; restore the catalog directory from a backup, the log files beside it are not affected";

}  // namespace seriatim::catalog
