// Retention, compaction and the end of a partition take turns.
#include <atomic>
#include <thread>

#include "support/random.hpp"
#include "unit/partition/compaction/compaction_fixture.hpp"

namespace seriatim::test {
namespace {

using partition::IfBusy;

// Runs `work` in a thread of its own from within a compaction, which waits for it.
template <class Work>
partition::CompactionResult compact_and_meanwhile(CompactionFixture& f, const Work& work) {
  bool was_run = false;
  return f.compact({.force = true, .should_stop = [&] {
                      if (!was_run) std::thread(work).join();
                      was_run = true;
                      return false;
                    }});
}

TEST_CASE(
    "while a compaction runs no other and no retention begins; appends and readers do not wait for it") {
  CompactionFixture f;
  f.fill(6, 3);
  f.store_checkpoint();
  must(f.partition->advance_log_start(f.segment_bases()[2]));  // Retention has something to delete.
  const auto count = f.segment_count();
  bool has_checked = false;
  const auto result = compact_and_meanwhile(f, [&] {
    const auto second = must(f.try_compact({.force = true, .if_busy = IfBusy::skip}));
    CHECK_FALSE(second.ran);
    CHECK(must(f.partition->apply_retention(IfBusy::skip)).segments == 0);
    CHECK(f.segment_count() == count);
    const Offset end = f.put("new", "value").base_offset;
    CHECK(f.rows().back().offset == end);
    has_checked = true;
  });
  CHECK(has_checked);
  CHECK(result.ran);
  CHECK(must(f.partition->apply_retention(IfBusy::skip)).segments > 0);
}

TEST_CASE("compactions, retention and appends of several threads leave what one after the other would") {
  Random random("maintenance turns");
  CompactionFixture f(600);
  std::map<std::string, std::string> newest;
  for (int round = 0; round < 15; ++round) {
    for (int i = 0; i < 40; ++i) {
      const std::string key = "key-" + std::to_string(random.between(0, 12));
      newest[key] = std::to_string(round) + "." + std::to_string(i);
      f.put(key, newest[key]);
    }
    f.store_checkpoint();
    std::vector<std::thread> threads;
    std::atomic<int> failures{0};
    for (int i = 0; i < 3; ++i) {
      threads.emplace_back([&] { failures += f.try_compact({.force = true}).ok() ? 0 : 1; });
      threads.emplace_back([&] { failures += f.partition->apply_retention().ok() ? 0 : 1; });
    }
    for (auto& thread : threads) thread.join();
    REQUIRE(failures == 0);
    REQUIRE(newest_values(f.rows()) == newest);
    REQUIRE_FALSE(f.has_leftovers());
  }
  f.reopen_after_crash();
  CHECK(newest_values(f.rows()) == newest);
  CHECK_FALSE(f.partition->damage());
}

TEST_CASE("a closed partition is not compacted, and closing waits for a compaction that runs") {
  CompactionFixture f;
  f.fill(6, 3);
  f.store_checkpoint();
  std::thread closer;
  std::atomic<bool> is_closed{false};
  bool was_closed_early = false;
  f.compact({.force = true, .should_stop = [&] {
               if (!closer.joinable()) {
                 closer = std::thread([&] {
                   f.request.checkpoint = must(f.partition->close());
                   is_closed = true;
                 });
               }
               was_closed_early |= is_closed;
               return false;
             }});
  closer.join();
  CHECK_FALSE(was_closed_early);
  const auto names = f.file_names();
  CHECK(f.try_compact({.force = true}).error().code() == Errc::closed);
  CHECK(f.file_names() == names);
}

TEST_CASE("the deletion of a topic ends a compaction of its partition") {
  CompactionFixture f;
  f.fill(6, 3);
  f.store_checkpoint();
  std::thread deleter;
  const auto result = f.compact({.force = true, .should_stop = [&] {
                                   if (!deleter.joinable()) {
                                     deleter = std::thread([&] { f.partition->abandon(); });
                                     while (!f.partition->is_deleted()) std::this_thread::yield();
                                   }
                                   return false;
                                 }});
  deleter.join();
  CHECK_FALSE(result.ran);
  CHECK_FALSE(f.has_leftovers());
  CHECK(f.try_compact({.force = true}).error().code() == Errc::unknown_topic_or_partition);
}

TEST_CASE("who holds a claim is told so instead of waiting for itself") {
  CompactionFixture f;
  f.fill(3, 3);
  f.store_checkpoint();
  must(f.partition->claim(100));
  for (const auto& error : {f.try_compact({.force = true}).error(), f.partition->apply_retention().error(),
                            f.partition->close().error()}) {
    CHECK(error.code() == Errc::invalid_state);
    CHECK(says(error.message(), {"claim on topic-3", "commit or abort"}));
  }
  f.partition->abandon_claim();
  CHECK(f.compact({.force = true}).ran);
}

}  // namespace
}  // namespace seriatim::test
