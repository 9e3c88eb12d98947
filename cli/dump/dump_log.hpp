// Prints the batches of one segment, and their records.
#pragma once

#include <string_view>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "base/bytes.hpp"

#include "dump/dump_writer.hpp"
#include "dump/stored_file.hpp"
#include "exit_code.hpp"

namespace seriatim::cli {

/// @param base  the segment's base offset, from its name.
/// @return damage if a batch fails its checks. A torn tail and unused space at the end are none.
/// Errors: as reading.
Result<ExitCode> dump_log(const StoredFile& file, Offset base, bool with_records, DumpWriter& writer);

/// Prints a batch that stands by itself, without a position.
/// @param prefix  before each row of a table.
/// @return damage if it fails its checks.
ExitCode dump_batch(base::ByteSpan batch, bool with_records, std::string_view prefix, DumpWriter& writer);

}  // namespace seriatim::cli
