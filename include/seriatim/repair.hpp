/// @file
/// `repair`: brings a damaged data directory back to work.
#pragma once

#include <seriatim/language.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <seriatim/engine.hpp>
#include <seriatim/export.hpp>
#include <seriatim/inspect.hpp>
#include <seriatim/result.hpp>

namespace seriatim {
inline namespace v0 {

struct RepairOptions {
  /// Says what would be done, and changes nothing: which offsets of which partition are given up, and how
  /// many records can be read there.
  bool dry_run = false;
  /// Goes on without what is lost already: a damaged journal, batches that cannot be read. Batches that can
  /// be read around them is kept, and the damaged files with it, under other names. Without this, such steps
  /// are told and left undone.
  bool accept_loss = false;
  /// Gets what opening the directory reports, as EngineOptions::log_sink.
  std::function<void(LogLevel, std::string_view)> log_sink{};
};

/// One thing to do, or done.
struct RepairStep {
  std::string path{};  ///< Relative to the data directory.
  std::string what{};
  bool gives_up = false;  ///< Goes on without something acknowledged: only with RepairOptions::accept_loss.
  bool is_done = false;
};

struct RepairReport {
  std::vector<RepairStep> steps{};
  /// The findings of `verify` afterwards, notes left out. In a dry run and before steps that were left
  /// undone: what no step mends.
  std::vector<Finding> left{};
};

/// Makes again what can be made again (FORMAT, indexes, producer snapshots), finishes what a crash left half
/// done, and with `accept_loss` goes on without what cannot be read: every valid frame of a damaged journal
/// is brought home, a damaged segment is written anew without its damaged batches, whose offsets stay empty.
/// Deletes nothing that it cannot explain: such files keep their bytes under their name with `.damaged`.
///
/// A crash, or an error in between, leaves a directory on which the next call goes on.
///
/// Errors: locked · invalid_state: this process has the directory open · not_found, not_a_data_directory,
/// unsupported_version · corrupt_metadata: the catalog is damaged; the message says what to do. Nothing was
/// changed · storage_full, storage_failed, permission_denied, io_error: the steps until then are done.
/// Threads: any.
/// Cost: reads every byte twice, as `verify`.
SERIATIM_API Result<RepairReport> repair(const std::filesystem::path& dir, const RepairOptions& options = {});

}  // namespace v0
}  // namespace seriatim
