// Prints a journal file: its header, and every frame with what it carries.
#pragma once

#include <cstdint>
#include <filesystem>

#include <seriatim/result.hpp>

#include "dump/dump_files.hpp"
#include "dump/dump_writer.hpp"
#include "exit_code.hpp"

namespace seriatim::cli {

/// @param path  of a file whose name says `file_number`. Topics are named if the catalog beside the journal
/// can be read, whoever has it open.
/// @return damage if a frame that was stored cannot be read; what comes behind it is printed all the same.
/// Errors: as reading the file; invalid_argument: no journal file is that large.
Result<ExitCode> dump_journal(const std::filesystem::path& path, std::uint64_t file_number,
                              const DumpSettings& settings, DumpWriter& writer);

}  // namespace seriatim::cli
