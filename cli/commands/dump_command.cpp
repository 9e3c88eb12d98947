// dump: batches, records and index entries as they are stored.
#include <algorithm>
#include <memory>
#include <system_error>

#include "command_tree.hpp"
#include "context.hpp"
#include "dump/dump_files.hpp"

namespace seriatim::cli {
namespace {

struct DumpArguments {
  std::vector<std::string> targets{};
  bool indexes = false;
  DumpSettings settings{};
};

// A partition has no files before its first record; that it exists is in the catalog.
Result<> check_partition(const Context& context, const std::string& target) {
  const Result<TopicPartition> place = parse_partition_place(target);
  if (!place.ok()) return place.error();
  const Result<Engine> engine = context.open(OpenMode::read_only);
  if (!engine.ok()) return engine.error();
  const Result<TopicDescription> topic = describe_topic(*engine, place->topic);
  if (!topic.ok()) return topic.error();
  const auto known = select_partitions(*topic, std::to_string(place->partition));
  return known.ok() ? Result<>() : Result<>(known.error());
}

// The files of TOPIC:PARTITION in the order of their offsets: segments, and with --index everything else too.
Result<std::vector<std::filesystem::path>> files_of_partition(const Context& context,
                                                              const std::string& target, bool with_indexes) {
  const std::size_t colon = target.rfind(':');
  if (colon == std::string::npos) {
    return Error(Errc::not_found,
                 "there is no file " + target + ". Name a file, or a partition as TOPIC:PARTITION");
  }
  const Result<std::filesystem::path> directory = context.existing_directory();
  if (!directory.ok()) return directory.error();
  const std::filesystem::path partition =
      *directory / "log" / (target.substr(0, colon) + "-" + target.substr(colon + 1));
  std::error_code failure;
  std::vector<std::filesystem::path> files;
  for (std::filesystem::directory_iterator entry(partition, failure), end; !failure && entry != end;
       entry.increment(failure)) {
    const std::string extension = entry->path().extension().string();
    const bool is_index = extension == ".index" || extension == ".timeindex" || extension == ".txnindex" ||
                          extension == ".snapshot";
    if (extension == ".log" || (with_indexes && is_index)) files.push_back(entry->path());
  }
  if (failure && failure != std::errc::no_such_file_or_directory) {
    return Error(
        Errc::io_error,
        partition.string() + " cannot be listed: " + failure.message() + ". Correct its owner or mode",
        failure.value());
  }
  if (files.empty()) {
    const Result<> known = check_partition(context, target);
    if (!known.ok()) return known.error();
    context.note("nothing is stored in " + target + " yet");
  }
  std::sort(files.begin(), files.end());
  return files;
}

Result<ExitCode> dump(Context& context, const DumpArguments& arguments) {
  if (context.format() == OutputFormat::tsv) {
    return Error(Errc::invalid_argument,
                 "dump's rows have different columns, which tsv cannot hold. Choose --output jsonl");
  }
  DumpWriter writer(context.out, context.format());
  ExitCode worst = ExitCode::ok;
  for (const std::string& target : arguments.targets) {
    std::error_code unreadable;
    std::vector<std::filesystem::path> files{target};
    if (!std::filesystem::exists(target, unreadable)) {
      auto found = files_of_partition(context, target, arguments.indexes);
      if (!found.ok()) return found.error();
      files = std::move(*found);
    }
    for (const std::filesystem::path& file : files) {
      if (files.size() > 1) writer.row({{"file", file.filename().string()}});
      const Result<ExitCode> outcome = dump_file(file, arguments.settings, writer);
      if (!outcome.ok()) return outcome.error();
      // damage (4) weighs more than repairable (5).
      if (worst != ExitCode::damage && *outcome != ExitCode::ok) worst = *outcome;
    }
  }
  writer.finish();
  return worst;
}

}  // namespace

Command dump_command() {
  auto arguments = std::make_shared<DumpArguments>();
  return {
      .name = "dump",
      .summary =
          "Prints stored batches, records, index entries and journal frames, as kafka-dump-log does; exit "
          "status 4 if one fails its checks",
      .positionals = {{.name = "TARGET",
                       .help = "Files of a partition or of the journal, or TOPIC:PARTITION",
                       .target = &arguments->targets}},
      .options = {{.names = "-r,--records,--deep",
                   .help = "Print the records of each batch",
                   .target = &arguments->settings.records},
                  {.names = "-i,--index",
                   .help = "With TOPIC:PARTITION, print indexes and snapshots too",
                   .target = &arguments->indexes}},
      .examples = {"seriatim -d data dump orders:0 --records",
                   "seriatim dump data/log/orders-0/00000000000000000000.index",
                   "seriatim dump data/journal/00000000000000000001.journal --records"},
      .run = [arguments](Context& context) { return dump(context, *arguments); }};
}

}  // namespace seriatim::cli
