// The steps of the demonstration. Each returns an error whose message says what differed, and prints what it
// measured.
#pragma once

#include <filesystem>
#include <string>
#include <unordered_map>
#include <vector>

#include <seriatim/engine.hpp>
#include <seriatim/result.hpp>

#include "input.hpp"

namespace demo {

inline constexpr const char* event_topic = "events";
inline constexpr const char* crash_topic = "crash";
inline constexpr seriatim::PartitionId event_partitions = 4;

/// An error for something that is not as it must be.
seriatim::Error differs(const std::string& what);

/// Checks what a reader gets against the input: for each key, its events in their order, none missing, none
/// twice.
class InputCheck {
 public:
  explicit InputCheck(const Input& input);
  /// Errors: invalid_state: the record is not the next event of its key.
  seriatim::Result<> see(const seriatim::RecordView& record);
  /// Errors: invalid_state: an event was not seen.
  seriatim::Result<> finish() const;
  std::uint64_t seen() const noexcept { return seen_; }

 private:
  struct KeyEvents {
    std::vector<std::size_t> events{};
    std::size_t next = 0;
  };
  const Input& input_;
  std::unordered_map<std::string, KeyEvents> keys_{};
  std::uint64_t seen_ = 0;
};

/// Creates the topic and appends every event with acks all, many at a time.
seriatim::Result<> load(const seriatim::Engine& engine, const Input& input);

/// A named reader reads half, is closed, and one of the same name reads the rest: together everything,
/// nothing twice. `directory` is opened anew in between, so that the position must have been stored.
seriatim::Result<> read_in_two_sittings(const std::filesystem::path& directory, const Input& input,
                                        const std::string& group);

/// Sends one partition through a socket without its bytes entering user space, and compares what arrives with
/// the log.
seriatim::Result<> ship(const seriatim::Engine& engine);

/// Starts a process that writes, kills it with SIGKILL, opens what it left and checks that everything it was
/// promised is there.
seriatim::Result<> crash_and_recover(const std::filesystem::path& directory);

/// The work of the killed process: it appends for ever and prints a line "partition base_offset last_offset"
/// after each acknowledgement.
int run_writer_process(const std::filesystem::path& directory);
/// The text of record `offset` of a partition, so that a reader can tell what must be there.
std::string crash_text(seriatim::PartitionId partition, seriatim::Offset offset);

}  // namespace demo
