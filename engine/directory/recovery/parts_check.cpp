#include "directory/recovery/parts_check.hpp"

#include <cstdint>

#include "directory/recovery/log_moment.hpp"
#include "os/path.hpp"

namespace seriatim::directory {
namespace {

Error parts_differ(const std::string& directory, const std::string& what,
                   const char* unchanged = "Nothing was changed") {
  return {Errc::corrupt_metadata,
          directory + ": catalog and journal are of " + what + ". " + unchanged +
              ". Put back the part that was replaced, or restore the whole directory from "
              "one backup; or run `seriatim repair --accept-loss`, which goes on from what is there"};
}

std::string journal_end(std::uint64_t stored_lsn) {
  if (stored_lsn == 0) return "the journal holds no frame";
  return "the journal ends with frame " + std::to_string(stored_lsn);
}

Result<> check_journal_fits(const CatalogPart& catalog, const journal::JournalContents& contents,
                            const std::string& directory) {
  const catalog::EngineRecord& record = catalog.engine;
  const auto& tie = catalog.tie;
  if (record.clean_shutdown) {
    if (contents.stored_lsn <= record.covered_lsn) return {};
    return parts_differ(directory, "different moments: the catalog was closed with everything up to frame " +
                                       std::to_string(record.covered_lsn) + " in it, and " +
                                       journal_end(contents.stored_lsn) + ": the catalog is the older one");
  }
  if (!tie) return {};
  if (contents.stored_lsn < tie->stored_lsn) {
    return parts_differ(
        directory, "different moments: the catalog saw frame " + std::to_string(tie->stored_lsn) +
                       " stored in the journal, covers those up to " + std::to_string(record.covered_lsn) +
                       ", and " + journal_end(contents.stored_lsn) +
                       ": the journal is the older one, or was emptied");
  }
  const std::uint64_t newest = contents.newest_incarnation;
  if (newest == 0 || newest == tie->incarnation || newest == tie->found_incarnation) return {};
  return parts_differ(directory, "different moments: " + journal_end(contents.stored_lsn) +
                                     ", written by a run of which the catalog, which covers those up to " +
                                     std::to_string(record.covered_lsn) +
                                     ", knows nothing: the catalog is the older one");
}

Result<> check_moments(const CatalogPart& catalog, const std::string& directory) {
  if (catalog.log_moment <= catalog.moment) return {};
  return parts_differ(directory, "an earlier moment than the logs: these have seen moment " +
                                     std::to_string(catalog.log_moment) +
                                     " of a catalog (log/MOMENT says so, and is part of the logs), the one "
                                     "that is there is of moment " +
                                     std::to_string(catalog.moment) + " and covers the frames up to " +
                                     std::to_string(catalog.engine.covered_lsn));
}

}  // namespace

// The logs are asked first: a writer tells them of a moment when the catalog has it, so that what the catalog
// says behind that is never of an earlier one.
Result<CatalogPart> part_of(const catalog::Catalog& catalog, os::Vfs& vfs, const std::string& directory) {
  const auto record = catalog.engine();
  if (!record) return record.error();
  const auto log_moment = read_log_moment(vfs, os::join_path(directory, "log"), record->directory_id);
  if (!log_moment) return log_moment.error();
  const auto tie = catalog.journal_tie();
  if (!tie) return tie.error();
  const auto moment = catalog.moment();
  if (!moment) return moment.error();
  return CatalogPart{*record, *tie, moment->number, *log_moment};
}

Result<> check_logs_fit(const catalog::Catalog& catalog, os::Vfs& vfs, const std::string& directory) {
  const auto part = part_of(catalog, vfs, directory);
  return part ? check_moments(*part, directory) : Result<>(part.error());
}

Result<> check_parts_fit(const CatalogPart& catalog, const journal::JournalContents& contents,
                         const std::string& directory) {
  if (auto fit = check_journal_fits(catalog, contents, directory); !fit) return fit;
  return check_moments(catalog, directory);
}

Error strange_marker_error(const JournalReplay::StrangeMarker& marker, std::uint64_t stored_lsn,
                           const std::string& directory) {
  return parts_differ(directory,
                      "an earlier moment than the logs: in these a transaction of producer " +
                          std::to_string(marker.producer_id) + " is committed, by a marker of epoch " +
                          std::to_string(marker.marker_epoch) + ", and " + journal_end(stored_lsn) +
                          ", without the decision, although the machine has not been down since (LOCK)",
                      "No record was cut or moved");
}

}  // namespace seriatim::directory
