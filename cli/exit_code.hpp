// The meaning of the command's exit status. Scripts rely on the numbers: they are documented in docs/cli.md
// and tested in tests/cli.
#pragma once

#include <seriatim/error.hpp>

namespace seriatim::cli {

enum class ExitCode : int {
  ok = 0,
  failed = 1,
  usage = 2,       ///< The command line, or a value in it, is wrong.
  not_found = 3,   ///< No such topic, partition, offset, group or directory.
  damage = 4,      ///< Records or metadata are lost or unreadable.
  repairable = 5,  ///< Only derived data is wrong; `repair` makes it again.
  locked = 6,      ///< Another process writes to the directory.
  timed_out = 7,
  interrupted = 130,  ///< 128 + SIGINT, as shells report it.
};

constexpr ExitCode exit_code_of(Errc code) noexcept {
  switch (code) {
    case Errc::invalid_argument:
    case Errc::invalid_topic:
    case Errc::invalid_partitions:
    case Errc::invalid_config:
      return ExitCode::usage;
    case Errc::unknown_topic_or_partition:
    case Errc::offset_out_of_range:
    case Errc::no_offset_for_partition:
    case Errc::not_found:
    case Errc::transactional_id_not_found:
    case Errc::group_id_not_found:
    case Errc::not_a_data_directory:
      return ExitCode::not_found;
    case Errc::corrupt_record:
    case Errc::corrupt_metadata:
      return ExitCode::damage;
    case Errc::locked:
      return ExitCode::locked;
    case Errc::timed_out:
      return ExitCode::timed_out;
    default:
      return ExitCode::failed;
  }
}

}  // namespace seriatim::cli
