// Checks a catalog's files before LMDB opens them: LMDB maps data.mdb and follows what its two meta pages
// say, and a hostile or half-born file would take the process down with it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <seriatim/result.hpp>

#include "catalog/lmdb_layout.hpp"

namespace seriatim::catalog {

/// "DIR/data.mdb"
std::string data_file(const std::string& directory);

/// data.mdb must be a regular file, and lock.mdb one or absent: a symbolic link may lead anywhere, a FIFO
/// blocks. Errors: not_found, io_error.
Result<void> check_file_kinds(const std::string& directory);

/// Reads both meta pages and checks all that LMDB would rely on: magic, version, page size, roots,
/// transaction numbers that follow each other.
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
