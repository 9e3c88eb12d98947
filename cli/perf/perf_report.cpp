#include "perf/perf_report.hpp"

#include <array>
#include <utility>

#include "text/quantity.hpp"

namespace seriatim::cli {
namespace {

constexpr std::array<std::pair<const char*, double>, 5> shown_percentiles{
    {{"p50", 50}, {"p90", 90}, {"p99", 99}, {"p99_9", 99.9}, {"p99_99", 99.99}}};

}  // namespace

Json percentiles(const LatencyHistogram& latency) {
  Json object = Json::object();
  for (const auto& [name, percent] : shown_percentiles) object[name] = latency.percentile(percent).count();
  object["max"] = latency.max().count();
  object["mean"] = latency.mean().count();
  return object;
}

std::string percentile_line(const LatencyHistogram& latency) {
  std::string text;
  for (const auto& [name, percent] : shown_percentiles) {
    std::string label = name;
    if (const std::size_t underscore = label.find('_'); underscore != std::string::npos)
      label[underscore] = '.';
    text += label + " " + readable_duration(latency.percentile(percent)) + "  ";
  }
  return text + "max " + readable_duration(latency.max());
}

void print(Context& context, const Measurement& measurement) {
  const double seconds = std::chrono::duration<double>(measurement.elapsed).count();
  const double record_rate = seconds > 0 ? static_cast<double>(measurement.records) / seconds : 0;
  const double byte_rate = seconds > 0 ? static_cast<double>(measurement.bytes) / seconds : 0;
  if (context.format() == OutputFormat::json || context.format() == OutputFormat::jsonl) {
    print_json(context.out, context.format(),
               {{"what", measurement.what},
                {"seconds", seconds},
                {"records", measurement.records},
                {"bytes", measurement.bytes},
                {"records_per_second", record_rate},
                {"bytes_per_second", byte_rate},
                {"latency_of", measurement.latency_of},
                {"latencies", measurement.latency.count()},
                {"latency_ns", percentiles(measurement.latency)}});
    return;
  }
  context.out.write(measurement.what + "\n  " + std::to_string(measurement.records) + " records in " +
                    fixed(seconds, 3) + " s   " + fixed(record_rate, 0) + " records/s   " +
                    readable_size(byte_rate) + "/s\n");
  if (measurement.latency.count() > 0) {
    context.out.write("  " + measurement.latency_of + ": " + percentile_line(measurement.latency) + "\n");
  }
}

}  // namespace seriatim::cli
