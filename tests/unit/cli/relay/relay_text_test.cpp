#include "relay/relay_text.hpp"

#include <doctest/doctest.h>

namespace seriatim::cli {
namespace {

TEST_CASE("the line of a relay shows how far it is, how fast, and for how long") {
  RelayProgress progress{.records = 1'200,
                         .bytes = 2 << 20,
                         .lag = 300,
                         .records_per_second = 599.7,
                         .bytes_per_second = 1 << 20,
                         .time_left = std::chrono::milliseconds(1'500)};
  CHECK(relay_line(progress) == "1200 records  2.0 MiB  300 left  600 records/s  1.0 MiB/s  ETA 1.5 s");
  progress.time_left = std::chrono::nanoseconds(0);
  CHECK(relay_line(progress) == "1200 records  2.0 MiB  300 left  600 records/s  1.0 MiB/s");
  progress.time_left.reset();
  CHECK(relay_line(progress).ends_with("1.0 MiB/s"));
}

TEST_CASE("the summary of a relay names what was not relayed, where there is some") {
  RelayProgress progress{.records = 1, .bytes = 10, .batches = 1};
  CHECK(relay_summary(progress) == "relayed 1 record, 10 B, in 1 batch; 0 left");
  progress = {
      .records = 5, .bytes = 10, .skipped = 1, .dead_letters = 2, .deleted = 3, .batches = 4, .lag = 6};
  CHECK(relay_summary(progress) ==
        "relayed 5 records, 10 B, in 4 batches; 6 left, 1 skipped, 2 to the dead letters, 3 deleted before");
}

}  // namespace
}  // namespace seriatim::cli
