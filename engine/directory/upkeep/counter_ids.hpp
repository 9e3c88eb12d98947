// Where the `counters` file has each number of `Metrics`.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <seriatim/metrics.hpp>

namespace seriatim::directory {

struct CounterId {
  std::uint32_t id = 0;
  std::string_view name{};
  std::uint64_t Metrics::*field = nullptr;
};

/// Other programs read the file by these ids, of whatever release wrote it: an id never changes. A new
/// counter gets the next id, wherever its field stands. The id of a counter that is gone is given to no
/// other one: it stays free, and the file has 0 there. docs/data_directory.md has the same table.
inline constexpr std::array counter_ids{
    CounterId{0, "appended_batches", &Metrics::appended_batches},
    CounterId{1, "appended_records", &Metrics::appended_records},
    CounterId{2, "appended_bytes", &Metrics::appended_bytes},
    CounterId{3, "refused_appends", &Metrics::refused_appends},
    CounterId{4, "rolled_segments", &Metrics::rolled_segments},
    CounterId{5, "syncs", &Metrics::syncs},
    CounterId{6, "failed_syncs", &Metrics::failed_syncs},
    CounterId{7, "fetched_batches", &Metrics::fetched_batches},
    CounterId{8, "fetched_records", &Metrics::fetched_records},
    CounterId{9, "fetched_bytes", &Metrics::fetched_bytes},
    CounterId{10, "sent_bytes", &Metrics::sent_bytes},
    CounterId{11, "corrupt_batches", &Metrics::corrupt_batches},
    CounterId{12, "offset_commits", &Metrics::offset_commits},
    CounterId{13, "deleted_segments", &Metrics::deleted_segments},
    CounterId{14, "deleted_bytes", &Metrics::deleted_bytes},
    CounterId{15, "compactions", &Metrics::compactions},
    CounterId{16, "compacted_away_records", &Metrics::compacted_away_records},
    CounterId{17, "background_errors", &Metrics::background_errors},
    CounterId{18, "topics", &Metrics::topics},
    CounterId{19, "partitions", &Metrics::partitions},
    CounterId{20, "open_segments", &Metrics::open_segments},
    CounterId{21, "pinned_deleted_bytes", &Metrics::pinned_deleted_bytes},
    CounterId{22, "buffered_bytes", &Metrics::buffered_bytes},
    CounterId{23, "journal_files", &Metrics::journal_files},
    CounterId{24, "journal_bytes", &Metrics::journal_bytes},
    CounterId{25, "journal_spare_files", &Metrics::journal_spare_files},
    CounterId{26, "journal_staged_lsn", &Metrics::journal_staged_lsn},
    CounterId{27, "journal_durable_lsn", &Metrics::journal_durable_lsn},
    CounterId{28, "oldest_wait_us", &Metrics::oldest_wait_us},
    CounterId{29, "checkpoints", &Metrics::checkpoints},
    CounterId{30, "checkpoint_lsn", &Metrics::checkpoint_lsn},
    CounterId{31, "checkpoint_time_ms", &Metrics::checkpoint_time_ms},
    CounterId{32, "transactions_committed", &Metrics::transactions_committed},
    CounterId{33, "transactions_aborted", &Metrics::transactions_aborted},
    CounterId{34, "transactions_timed_out", &Metrics::transactions_timed_out},
    CounterId{35, "transactions_open", &Metrics::transactions_open},
    CounterId{36, "maintenance_paused", &Metrics::maintenance_paused},
    CounterId{37, "journal_limit_waits", &Metrics::journal_limit_waits},
};
inline constexpr std::size_t counter_id_end = counter_ids.back().id + 1;

consteval bool are_counter_ids_right() {
  for (std::size_t i = 0; i < counter_ids.size(); ++i) {
    if (i > 0 && counter_ids[i].id <= counter_ids[i - 1].id) return false;
    for (std::size_t j = 0; j < i; ++j) {
      if (counter_ids[j].field == counter_ids[i].field) return false;
    }
  }
  return true;
}

static_assert(are_counter_ids_right(), "ids ascend, and every field has one");
static_assert(sizeof(Metrics) == counter_ids.size() * sizeof(std::uint64_t),
              "a field of Metrics has no id, or is no uint64");

}  // namespace seriatim::directory
