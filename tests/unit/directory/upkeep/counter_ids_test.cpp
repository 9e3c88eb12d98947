#include "directory/upkeep/counter_ids.hpp"

#include <doctest/doctest.h>

#include "base/bytes.hpp"
#include "directory/upkeep/counters_file.hpp"
#include "os/file/posix_vfs.hpp"
#include "support/log_builder.hpp"
#include "support/must.hpp"
#include "support/temp_dir.hpp"

namespace seriatim::directory {
namespace {

using test::must;
using test::TempDir;

struct Promised {
  std::uint32_t id = 0;
  std::string_view name{};
};

// Every counter that a release ever had, also one that is gone. Lines are added, never changed.
constexpr Promised promised[] = {
    {0, "appended_batches"},
    {1, "appended_records"},
    {2, "appended_bytes"},
    {3, "refused_appends"},
    {4, "rolled_segments"},
    {5, "syncs"},
    {6, "failed_syncs"},
    {7, "fetched_batches"},
    {8, "fetched_records"},
    {9, "fetched_bytes"},
    {10, "sent_bytes"},
    {11, "corrupt_batches"},
    {12, "offset_commits"},
    {13, "deleted_segments"},
    {14, "deleted_bytes"},
    {15, "compactions"},
    {16, "compacted_away_records"},
    {17, "background_errors"},
    {18, "topics"},
    {19, "partitions"},
    {20, "open_segments"},
    {21, "pinned_deleted_bytes"},
    {22, "buffered_bytes"},
    {23, "journal_files"},
    {24, "journal_bytes"},
    {25, "journal_spare_files"},
    {26, "journal_staged_lsn"},
    {27, "journal_durable_lsn"},
    {28, "oldest_wait_us"},
    {29, "checkpoints"},
    {30, "checkpoint_lsn"},
    {31, "checkpoint_time_ms"},
    {32, "transactions_committed"},
    {33, "transactions_aborted"},
    {34, "transactions_timed_out"},
    {35, "transactions_open"},
    {36, "maintenance_paused"},
    {37, "journal_limit_waits"},
};

TEST_CASE("the id of a counter never changes and is never that of another one") {
  for (const CounterId& counter : counter_ids) {
    CAPTURE(counter.name);
    const Promised* found = nullptr;
    for (const Promised& one : promised) {
      if (one.name == counter.name) found = &one;
      if (one.id == counter.id) CHECK(one.name == counter.name);
    }
    REQUIRE(found != nullptr);  // A new one: add its line.
    CHECK(found->id == counter.id);
  }
}

TEST_CASE("each counter is stored at the place of its id, wherever its field stands") {
  const TempDir directory;
  auto file = must(CountersFile::create(os::posix_vfs(), directory.path()));
  Metrics metrics;
  for (const CounterId& counter : counter_ids) metrics.*counter.field = 1000 + counter.id;
  file->update(metrics, {}, 1);
  const auto bytes = test::read_file(directory / counters_file_name);
  CHECK(base::load_le<std::uint32_t>(bytes.data() + 12) == counter_id_end);
  for (const CounterId& counter : counter_ids) {
    CAPTURE(counter.name);
    CHECK(base::load_le<std::uint64_t>(bytes.data() + 32 + counter.id * 8) == 1000 + counter.id);
  }
  const auto read = must(read_counters(os::posix_vfs(), directory.path()));
  REQUIRE(read.has_value());
  for (const CounterId& counter : counter_ids) CHECK(read->metrics.*counter.field == 1000 + counter.id);
}

}  // namespace
}  // namespace seriatim::directory
