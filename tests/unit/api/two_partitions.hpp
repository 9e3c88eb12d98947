// Transactions that write the same to two partitions, to a position and to state: whether a recovery leaves
// them whole.
#pragma once

#include <doctest/doctest.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "directory/background.hpp"
#include "support/failing_vfs.hpp"
#include "unit/api/transaction_fixture.hpp"

namespace seriatim::test {

inline std::string log_path(const std::string& directory, PartitionId partition) {
  return directory + "/log/t-" + std::to_string(partition) + "/00000000000000000000.log";
}

struct TwoPartitions {
  TwoPartitions() {
    // Stored and synced is what a test says: on a slow machine the background would come in between.
    ::seriatim::detail::EngineImpl::of(engine)->background->stop();
    create_topic(engine, "t", 2);
  }
  static Transaction write(TransactionalProducer& producer, const std::string& value) {
    Transaction transaction = must(producer.begin());
    send(transaction, "t", value, 0);
    send(transaction, "t", value, 1);
    must(transaction.send_offsets({{{"t", 0}, {.offset = 1}}}, {.group_id = "g"}));
    must(transaction.state("s").put("k", value));
    return transaction;
  }
  TempDir dir;
  TempDir copies;
  Engine engine = open_engine(dir / "data");
};

inline void check_all_or_nothing(const Engine& engine, const std::vector<std::string>& values) {
  CHECK(committed_values(engine, "t", 0) == values);
  CHECK(committed_values(engine, "t", 1) == values);
  CHECK(committed_offset(engine, "g", {"t", 0}).has_value() == !values.empty());
  CHECK(state_text(engine, "s", "k") ==
        (values.empty() ? std::nullopt : std::optional<std::string>(values.back())));
}

inline void check_nothing_is_open(const Engine& engine) {
  for (PartitionId i = 0; i < 2; ++i) {
    const auto& log = *must(::seriatim::detail::EngineImpl::of(engine)->partition("t", i));
    CHECK(log.last_stable_offset() == log.log_end_offset());
  }
}

/// Stops a recovery of `left` after each of its steps, and looks at what the next one makes of it.
inline void check_stopped_recoveries(const std::string& left,
                                     const std::function<void(const Engine&)>& check) {
  int steps = 0;
  for (bool is_whole = false; !is_whole; ++steps) {
    const TempDir again;
    const std::string copy = again / "data";
    std::filesystem::copy(left, copy, std::filesystem::copy_options::recursive);
    FailingVfs vfs;
    vfs.fail_after(steps);
    is_whole = ::seriatim::detail::EngineImpl::open(copy, {}, vfs, base::system_clock()).ok();
    vfs.heal();
    const Engine after = open_engine(copy);
    check(after);
    check_nothing_is_open(after);
  }
  CHECK(steps > 20);
}

}  // namespace seriatim::test
