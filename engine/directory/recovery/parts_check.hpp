// Whether catalog, journal and logs are of one moment. Each is sound by itself where one of them was restored
// from a backup or taken away, and going on from all would cut what only the other one explains.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <seriatim/result.hpp>

#include "catalog/catalog.hpp"
#include "directory/recovery/journal_replay.hpp"
#include "journal/journal_reader.hpp"
#include "os/vfs.hpp"

namespace seriatim::directory {

/// The files that a plain crash or a restored whole directory leaves always fit. A catalog that an older
/// program wrote last has no tie to the journal: it is believed.
///
///   closed cleanly   the journal has nothing that the catalog does not cover
///   else             the journal still has the frame that the catalog saw stored in it, and its newest file
///                    is of the run that wrote the catalog last, or of one that this run found
///   both             the logs have seen no later moment of the catalog than the one that it has
///
struct CatalogPart {
  catalog::EngineRecord engine{};
  std::optional<catalog::JournalTie> tie{};
  std::uint64_t moment = 0;
  std::uint64_t log_moment = 0;  ///< Of the catalog that the logs were written with, or an earlier one.
};

/// @param directory  of the data.
/// Errors: those of the catalog and of read_log_moment().
Result<CatalogPart> part_of(const catalog::Catalog& catalog, os::Vfs& vfs, const std::string& directory);

/// The check of a reader, which has no journal to ask, also beside a live writer: an older catalog would show
/// it the positions and topics of then.
/// Errors: corrupt_metadata; as part_of.
Result<> check_logs_fit(const catalog::Catalog& catalog, os::Vfs& vfs, const std::string& directory);

/// @param contents  of the journal in `directory`, read with the LSN that the catalog covers.
/// Errors: corrupt_metadata (what each says, and the ways on).
Result<> check_parts_fit(const CatalogPart& catalog, const journal::JournalContents& contents,
                         const std::string& directory);

/// The refusal where the journal should have the decision of a marker, and has not.
/// @param stored_lsn  of the journal.
Error strange_marker_error(const JournalReplay::StrangeMarker& marker, std::uint64_t stored_lsn,
                           const std::string& directory);

}  // namespace seriatim::directory
