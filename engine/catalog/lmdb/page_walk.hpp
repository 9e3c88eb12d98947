// Walks every page of one state of the catalog before it is trusted. LMDB has no checksums and believes each
// page it maps: a damaged one can end the process or, worse, hide keys. After the walk every page, node and
// key is known to be where LMDB will look for it; what the values say is checked by the value codec.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <seriatim/result.hpp>

#include "catalog/lmdb/lmdb_layout.hpp"

namespace seriatim::catalog {

/// The counts of a walk, for tests and `doctor`.
struct PageCount {
  std::uint64_t used = 0;  ///< in trees and overflow runs, without the two meta pages
  std::uint64_t free = 0;  ///< listed in the free tree
  std::uint64_t last = 1;  ///< the highest number of either
};

/// Called for each value of a named database; an error ends the walk.
using ValueCheck =
    std::function<Result<void>(std::string_view database, std::string_view key, base::ByteSpan value)>;

/// Checks the trees of `meta` in `directory`/data.mdb: page headers, layout, key order within and between
/// pages, depth, counts, overflow runs, the lists of free pages, and that no page is used twice. The state
/// must not be recycled meanwhile: the caller holds a read transaction on it.
/// Cost: reads each used page once, a few microseconds per page.
/// Errors: corrupt_metadata (file, page, what is wrong); io_error if the disk cannot read a page.
Result<PageCount> walk_pages(const std::string& directory, const lmdb::Meta& meta,
                             const ValueCheck& on_value);

}  // namespace seriatim::catalog
