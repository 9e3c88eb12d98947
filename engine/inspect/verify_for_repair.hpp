// The verification that a repair begins with.
#pragma once

#include <string>

#include <seriatim/inspect.hpp>
#include <seriatim/result.hpp>

#include "catalog/records/catalog_records.hpp"
#include "os/vfs.hpp"

namespace seriatim::inspect {

/// `verify` of a directory of which the caller has the lock, and whose FORMAT and journal may be damaged: as
/// an open that salvages them will leave the files.
/// @param directory_id  as the catalog says; that of FORMAT is not looked at.
/// Errors: as `verify`.
Result<VerifyReport> verify_for_repair(os::Vfs& vfs, const std::string& dir, const catalog::Id& directory_id);

}  // namespace seriatim::inspect
