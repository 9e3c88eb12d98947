// perf: what this machine does with this engine, or with none.
#include <memory>
#include <utility>

#include "command_tree.hpp"
#include "perf/perf_commands.hpp"

namespace seriatim::cli {
namespace {

using Arguments = std::shared_ptr<PerfArguments>;

Positional topic_name(PerfArguments& arguments, std::string help) {
  return {.name = "TOPIC", .help = std::move(help), .target = &arguments.topic};
}

std::vector<Option> load_options(PerfArguments& arguments) {
  return {
      {.names = "--records",
       .value_name = "N",
       .help = "Stop after N records",
       .target = IntegerTarget{&arguments.records, 1, INT64_MAX}},
      {.names = "--duration",
       .value_name = "TIME",
       .help = "Stop after this time: 10s, 2m",
       .target = &arguments.duration},
      {.names = "--size",
       .value_name = "SIZE",
       .help = "Bytes of a value (default: 100)",
       .target = &arguments.record_size},
      {.names = "--acks",
       .help = "What an acknowledgement promises (default: leader)",
       .target = &arguments.acks,
       .choices = {"none", "leader", "all"}},
      {.names = "-z,--compression",
       .help = "Codec",
       .target = &arguments.codec,
       .choices = {"none", "gzip", "snappy", "lz4", "zstd"}},
      {.names = "-p,--partitions",
       .value_name = "N",
       .help = "Partitions, if the topic is created (default: 1)",
       .target = IntegerTarget{&arguments.partitions, 1, 10'000}},
  };
}

Command produce_measurement() {
  Arguments arguments = std::make_shared<PerfArguments>();
  std::vector<Option> options = load_options(*arguments);
  options.push_back({.names = "--batch",
                     .value_name = "N",
                     .help = "Records of one append (default: 1)",
                     .target = IntegerTarget{&arguments->batch_records, 1, 1'000'000}});
  options.push_back({.names = "--producers",
                     .value_name = "N",
                     .help = "Threads that append (default: 1)",
                     .target = IntegerTarget{&arguments->producers, 1, 1'024}});
  options.push_back({.names = "--rate",
                     .value_name = "N",
                     .help = "Records a second, all threads; latency then counts from the intended start",
                     .target = IntegerTarget{&arguments->rate, 1, 1'000'000'000}});
  return {.name = "produce",
          .summary = "Appends records and measures each append",
          .positionals = {topic_name(*arguments, "Topic to fill; created if missing")},
          .options = std::move(options),
          .examples = {"seriatim -d data perf produce load --records 1000000 --batch 100",
                       "seriatim -d data perf produce load --acks all --producers 8 --duration 5s"},
          .run = [arguments](Context& context) { return perf_produce(context, *arguments); }};
}

Command consume_measurement() {
  Arguments arguments = std::make_shared<PerfArguments>();
  return {
      .name = "consume",
      .summary = "Reads a topic from its beginning to its end and measures each poll",
      .positionals = {topic_name(*arguments, "Topic to read")},
      .options = {{.names = "--records",
                   .value_name = "N",
                   .help = "Stop after N records",
                   .target = IntegerTarget{&arguments->records, 1, INT64_MAX}},
                  {.names = "--no-crc", .help = "Do not check checksums", .target = &arguments->skip_crc}},
      .examples = {"seriatim -d data perf consume load"},
      .run = [arguments](Context& context) { return perf_consume(context, *arguments); }};
}

Command e2e_measurement() {
  Arguments arguments = std::make_shared<PerfArguments>();
  std::vector<Option> options = load_options(*arguments);
  options.push_back({.names = "--rate",
                     .value_name = "N",
                     .help = "Records a second (default: 10000)",
                     .target = IntegerTarget{&arguments->rate, 1, 1'000'000'000}});
  options.push_back({.names = "--wait",
                     .help = "How the consumer waits (default: block)",
                     .target = &arguments->wait,
                     .choices = {"block", "yield", "spin"}});
  return {.name = "e2e",
          .summary =
              "One thread appends at a fixed rate, another reads: latency from the intended send to the "
              "reader's hand",
          .positionals = {topic_name(*arguments, "Topic to use; created if missing")},
          .options = std::move(options),
          .examples = {"seriatim -d data perf e2e latency --rate 20000 --duration 5s --wait spin"},
          .run = [arguments](Context& context) { return perf_e2e(context, *arguments); }};
}

Command disk_measurement() {
  auto arguments = std::make_shared<DiskArguments>();
  return {.name = "disk",
          .summary =
              "Measures what a disk does in sequence, without the engine, and says what that means for the "
              "settings",
          .positionals = {{.name = "DIR",
                           .help = "Where to put the test file; it is removed again",
                           .target = &arguments->directory}},
          .options = {{.names = "--size",
                       .value_name = "SIZE",
                       .help = "Bytes of the test file (default: 256MiB)",
                       .target = &arguments->size}},
          .examples = {"seriatim perf disk /var/lib/app"},
          .run = [arguments](Context& context) { return perf_disk(context, *arguments); }};
}

Command fsync_measurement() {
  auto arguments = std::make_shared<FsyncArguments>();
  return {
      .name = "fsync",
      .summary =
          "Measures durable commits by 1, 8 and 64 producers beside the bare disk, and how many share a sync",
      .positionals = {{.name = "DIR",
                       .help = "Where to put the test files; they are removed again",
                       .target = &arguments->directory}},
      .options = {{.names = "--duration",
                   .value_name = "TIME",
                   .help = "Of each of the four measurements (default: 1s)",
                   .target = &arguments->duration},
                  {.names = "--size",
                   .value_name = "SIZE",
                   .help = "Bytes of a value (default: 100)",
                   .target = &arguments->size}},
      .examples = {"seriatim perf fsync /var/lib/app", "seriatim perf fsync . --duration 10s -j"},
      .run = [arguments](Context& context) { return perf_fsync(context, *arguments); }};
}

}  // namespace

Command perf_command() {
  return {.name = "perf",
          .summary = "Measures throughput and latency",
          .children = {produce_measurement(), consume_measurement(), e2e_measurement(), disk_measurement(),
                       fsync_measurement()}};
}

}  // namespace seriatim::cli
