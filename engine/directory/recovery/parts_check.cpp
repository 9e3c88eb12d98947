#include "directory/recovery/parts_check.hpp"

#include <cstdint>

namespace seriatim::directory {
namespace {

Error parts_differ(const std::string& directory, const std::string& what) {
  return {
      Errc::corrupt_metadata,
      directory + ": catalog and journal are of different moments: " + what +
          ". Nothing was changed. Put back the part that was replaced, or restore the whole directory from "
          "one backup; or run `seriatim repair --accept-loss`, which goes on from what is there"};
}

std::string journal_end(const journal::JournalContents& contents) {
  if (contents.stored_lsn == 0) return "the journal holds no frame";
  return "the journal ends with frame " + std::to_string(contents.stored_lsn);
}

}  // namespace

Result<CatalogPart> part_of(const catalog::Catalog& catalog) {
  const auto record = catalog.engine();
  if (!record) return record.error();
  const auto tie = catalog.journal_tie();
  if (!tie) return tie.error();
  return CatalogPart{*record, *tie};
}

Result<> check_parts_fit(const CatalogPart& catalog, const journal::JournalContents& contents,
                         const std::string& directory) {
  const catalog::EngineRecord& record = catalog.engine;
  const auto& tie = catalog.tie;
  if (record.clean_shutdown) {
    if (contents.stored_lsn <= record.covered_lsn) return {};
    return parts_differ(directory, "the catalog was closed with everything up to frame " +
                                       std::to_string(record.covered_lsn) + " in it, and " +
                                       journal_end(contents) + ": the catalog is the older one");
  }
  if (!tie) return {};
  if (contents.stored_lsn < tie->stored_lsn) {
    return parts_differ(directory, "the catalog saw frame " + std::to_string(tie->stored_lsn) +
                                       " stored in the journal, covers those up to " +
                                       std::to_string(record.covered_lsn) + ", and " + journal_end(contents) +
                                       ": the journal is the older one, or was emptied");
  }
  const std::uint64_t newest = contents.newest_incarnation;
  if (newest == 0 || newest == tie->incarnation || newest == tie->found_incarnation) return {};
  return parts_differ(directory, journal_end(contents) +
                                     ", written by a run of which the catalog, which covers those up to " +
                                     std::to_string(record.covered_lsn) +
                                     ", knows nothing: the catalog is the older one");
}

}  // namespace seriatim::directory
