// The context that every command gets: the global options, the output, and the way to the data directory.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include <seriatim/engine.hpp>
#include <seriatim/result.hpp>

#include "text/output.hpp"
#include "text/output_stream.hpp"

namespace seriatim::cli {

struct GlobalOptions {
  std::string directory{};
  std::string output = "table";
  bool json = false;
  bool quiet = false;
};

class Context {
 public:
  Context();

  GlobalOptions options{};
  OutputStream out;

  OutputFormat format() const;
  /// The data directory: --dir, else $SERIATIM_DIR, else the nearest `seriatim-data` from here upward.
  /// Errors: invalid_argument: none of them.
  Result<std::filesystem::path> directory() const;
  /// directory(), which must be there.
  /// Errors: as directory; not_found, with the command that creates it.
  Result<std::filesystem::path> existing_directory() const;
  /// Opens the data directory. The engine's reports go to standard error.
  Result<Engine> open(OpenMode mode) const;
  /// A line on standard error for people; not with --quiet.
  void note(std::string_view text) const;
};

/// The topic's description.
/// Errors: unknown_topic_or_partition, with the nearest name and the command that creates it.
Result<TopicDescription> describe_topic(const Engine& engine, const std::string& topic);

/// "orders:3".
/// Errors: invalid_argument.
Result<TopicPartition> parse_partition_place(const std::string& text);

/// The partitions of `topic` that `list` ("0,2-5"; empty: all) names.
/// Errors: invalid_argument, unknown_topic_or_partition.
Result<std::vector<TopicPartition>> select_partitions(const TopicDescription& topic, std::string_view list);

}  // namespace seriatim::cli
