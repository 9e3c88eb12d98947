// Prints files of a partition and of the journal: what every byte of them says.
#pragma once

#include <filesystem>

#include <seriatim/result.hpp>

#include "dump/dump_writer.hpp"
#include "exit_code.hpp"

namespace seriatim::cli {

struct DumpSettings {
  bool records = false;  ///< Print the records of each batch too.
};

/// Prints a `.log`, `.index`, `.timeindex`, `.txnindex`, `.snapshot` or `.journal` file.
/// @return damage if its bytes are not what they should be.
/// Errors: invalid_argument: no such kind of file; as reading.
Result<ExitCode> dump_file(const std::filesystem::path& path, const DumpSettings& settings,
                           DumpWriter& writer);

}  // namespace seriatim::cli
