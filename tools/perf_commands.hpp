// The measurements behind `perf produce|consume|e2e|disk`.
#pragma once

#include <string>

#include <seriatim/result.hpp>

#include "context.hpp"
#include "exit_code.hpp"
#include "perf_workload.hpp"

namespace seriatim::tools {

Result<ExitCode> perf_produce(Context& context, const PerfArguments& arguments);
Result<ExitCode> perf_consume(Context& context, const PerfArguments& arguments);
Result<ExitCode> perf_e2e(Context& context, const PerfArguments& arguments);

struct DiskArguments {
  std::string directory{};
  std::string size = "256MiB";
};
Result<ExitCode> perf_disk(Context& context, const DiskArguments& arguments);

}  // namespace seriatim::tools
