// Birth of a catalog. LMDB's own creation is not crash-atomic (a power cut while data.mdb is being born
// leaves an all-zero file that can never be opened), so a catalog is made in a directory of its own, complete
// and synced, and then renamed into place:
//
//   1 the caller makes an empty directory DIR/catalog.new.<pid> (and removes such left-overs of earlier runs)
//   2 create_catalog()    writes and commits a whole catalog in it
//   3 publish_catalog()   syncs it, renames it to DIR/catalog, syncs DIR
//
// After a crash before the rename there is no catalog and the birth begins anew; after it, a whole one.
#pragma once

#include <functional>
#include <string>

#include <seriatim/result.hpp>

#include "catalog/records/catalog_records.hpp"

namespace seriatim::catalog {

/// The calls to the file system that this layer needs and may not make itself. The first three are required.
struct CatalogFiles {
  std::function<Result<void>(const std::string& from, const std::string& to)> rename{};
  std::function<Result<void>(const std::string& directory)> sync_directory{};
  /// Changes in a forked child: `os` knows a cheap way to tell.
  std::function<std::uint64_t()> process_identity{};
  /// See CatalogOptions::before_open.
  std::function<void()> before_open{};
  /// See CatalogOptions::has_lock_file.
  bool has_lock_file = true;
};

/// Writes an empty catalog into `directory`, which exists and is empty, and commits it with full sync.
/// Errors: invalid_argument if the directory is not empty; storage_full, io_error, permission_denied. The
/// directory's content is of no use then; remove it.
Result<void> create_catalog(const std::string& directory, const Id& directory_id, const CatalogFiles& files);

/// Moves a created catalog to its final name, with the syncs that make this durable.
/// Errors: already there: invalid_state; otherwise what the functions in `files` return.
Result<void> publish_catalog(const std::string& created, const std::string& final_name,
                             const CatalogFiles& files);

}  // namespace seriatim::catalog
