// Whether catalog and journal are of one moment. Each is sound by itself where one of them was restored from
// a backup or taken away, and going on from both would cut what only the other one explains.
#pragma once

#include <optional>
#include <string>

#include <seriatim/result.hpp>

#include "catalog/catalog.hpp"
#include "journal/journal_reader.hpp"

namespace seriatim::directory {

/// The files that a plain crash or a restored whole directory leaves always fit. A catalog that an older
/// program wrote last has no tie to the journal: it is believed.
///
///   closed cleanly   the journal has nothing that the catalog does not cover
///   else             the journal still has the frame that the catalog saw stored in it, and its newest file
///                    is of the run that wrote the catalog last, or of one that this run found
///
struct CatalogPart {
  catalog::EngineRecord engine{};
  std::optional<catalog::JournalTie> tie{};
};

/// Errors: those of the catalog.
Result<CatalogPart> part_of(const catalog::Catalog& catalog);

/// @param contents  of the journal in `directory`, read with the LSN that the catalog covers.
/// Errors: corrupt_metadata (what each says, and the ways on).
Result<> check_parts_fit(const CatalogPart& catalog, const journal::JournalContents& contents,
                         const std::string& directory);

}  // namespace seriatim::directory
