// The last state that was stored, where the meta pages of data.mdb do not say which it is.
//
// LMDB follows the page with the higher transaction number, and nothing protects that number. A commit whose
// meta page cannot be written leaves the new roots under the old number, so that the state before it is
// followed; a flipped bit does the same to a commit that was acknowledged. Every state carries its own number
// (catalog_schema.hpp), so that both are found out. Nobody can tell one from the other, nor needs to: the
// pages of a state are on the disk before its meta page is written, and a commit that failed there may as
// well have been stored. So the latest whole state is the one that counts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <seriatim/result.hpp>

#include "base/bytes.hpp"

namespace seriatim::catalog {

/// Bytes to be put into data.mdb.
struct MetaMend {
  std::uint64_t number = 0;  ///< of the state that LMDB follows then
  std::uint64_t position = 0;
  std::vector<std::byte> bytes{};
};

/// Which meta page has to be written so that LMDB follows the last state that was stored, and opens the file.
/// Nothing if it does so by itself, and where no such page can be told: opening says what is wrong then.
/// The caller is the one who writes the catalog.
/// Cost: reads all pages of both states.
/// Errors: io_error if the disk cannot read.
Result<std::optional<MetaMend>> find_meta_mend(const std::string& directory);

/// The meta page that is not of `number`, made a copy of that one with the number before it. For a writer
/// that was to follow the other page and does not, because LMDB asks a process that has the file open
/// already: the state there is about to be written over, and must not be followed by anybody who comes later.
/// Errors: corrupt_metadata if there is no page of that number; io_error.
Result<MetaMend> without_other_state(const std::string& directory, std::uint64_t number);

/// The number in a "transaction" value; nothing if the value is not sound.
std::optional<std::uint64_t> number_in(base::ByteSpan value);

}  // namespace seriatim::catalog
