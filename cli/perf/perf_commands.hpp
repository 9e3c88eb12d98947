// The measurements behind `perf produce|consume|e2e|disk|fsync`.
#pragma once

#include <string>

#include <seriatim/result.hpp>

#include "context.hpp"
#include "exit_code.hpp"
#include "perf/perf_workload.hpp"

namespace seriatim::cli {

Result<ExitCode> perf_produce(Context& context, const PerfArguments& arguments);
Result<ExitCode> perf_consume(Context& context, const PerfArguments& arguments);
Result<ExitCode> perf_e2e(Context& context, const PerfArguments& arguments);

struct DiskArguments {
  std::string directory{};
  std::string size = "256MiB";
};
Result<ExitCode> perf_disk(Context& context, const DiskArguments& arguments);

struct FsyncArguments {
  std::string directory{};
  std::string duration = "1s";  ///< Of each measurement.
  std::string size = "100";
};
Result<ExitCode> perf_fsync(Context& context, const FsyncArguments& arguments);

}  // namespace seriatim::cli
