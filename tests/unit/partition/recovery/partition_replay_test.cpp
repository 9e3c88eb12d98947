// Transactions and producers after a restart.
#include <filesystem>
#include <map>

#include "segment/segment_store.hpp"
#include "support/random.hpp"
#include "unit/partition/transactions_fixture.hpp"

namespace seriatim::test {
namespace {

TEST_CASE("INV-5: open transactions, the stable offset and the index are as before after any restart") {
  Random random("transactions across restarts");
  for (int round = 0; round < 20; ++round) {
    Transactions f(random.between(400, 2'000));
    std::map<ProducerId, ProducerEpoch> epochs;
    std::map<ProducerId, Sequence> open;
    for (int step = 0; step < 120; ++step) {
      const ProducerId producer = first_producer + random.between(0, 3);
      if (random.one_in(3)) {
        f.put("k", "plain");
      } else if (open.contains(producer) && random.one_in(3)) {
        f.end(random.one_in(2) ? ControlType::abort : ControlType::commit, producer, ++epochs[producer]);
        open.erase(producer);
      } else {
        f.send(producer, epochs[producer], open[producer]++);
      }
      if (random.one_in(10)) f.store_checkpoint();
      if (!random.one_in(8)) continue;
      const auto before = f.looked_up();
      const Offset stable = f.stable();
      const bool is_clean = random.one_in(2);
      if (is_clean) {
        f.close();
      } else {
        f.die();
        f.request.checkpoint.clean_end_offset = -1;
      }
      // A power cut takes an index that nobody synced since; a clean close has synced it.
      if (!is_clean && random.one_in(2)) {
        const auto last = must(segment::list_segments(os::posix_vfs(), f.request.directory)).segments.back();
        const std::string index = f.path(last.base_offset, format::FileKind::transaction_index);
        const bool is_unsynced = last.base_offset > f.request.checkpoint.recovery_segment_base;
        if (is_unsynced && std::filesystem::exists(index)) std::filesystem::resize_file(index, 10);
      }
      f.open();
      REQUIRE(f.looked_up() == before);
      REQUIRE(f.stable() == stable);
    }
  }
}

TEST_CASE("INV-8: an index that makes no sense is not believed after a crash, and the log is asked") {
  Transactions f;
  f.put("k", "v");
  f.send(first_producer, 0, 0);
  f.end(ControlType::abort, first_producer, 1);
  f.store_checkpoint();
  f.send(first_producer, 1, 0);
  f.end(ControlType::abort, first_producer, 2);
  const auto before = f.looked_up();
  f.die();
  f.request.checkpoint.clean_end_offset = -1;
  const std::string index = f.path(0, format::FileKind::transaction_index);
  overwrite(index, 0, "\x55");
  f.open();
  CHECK(f.looked_up() == before);
  // The facts that the log has told are known from then on.
  CHECK(f.aborted() == before);
}

TEST_CASE("INV-8: a commit whose decision did not survive is cut off, with everything behind it") {
  Transactions f;
  f.put("k", "before");
  f.store_checkpoint();
  f.send(first_producer, 0, 0);
  f.end(ControlType::commit, first_producer, 1);
  f.send(second_producer, 0, 0);
  f.end(ControlType::commit, second_producer, 1);
  f.put("k", "behind");
  f.die();
  f.request.checkpoint.clean_end_offset = -1;
  f.request.is_decided = [](ProducerId producer, ProducerEpoch epoch) {
    return producer == first_producer && epoch == 1;
  };
  f.open();
  CHECK(f.partition->log_end_offset() == 4);
  CHECK(f.stable() == 3);
  CHECK(f.partition->producer(second_producer)->open_first_offset == 3);
}

}  // namespace
}  // namespace seriatim::test
