// A partition with transactions in it.
#pragma once

#include <vector>

#include "writer_fixture.hpp"

namespace seriatim::test {

using format::AbortedTransaction;
using format::ControlType;

inline constexpr ProducerId first_producer = ProducerId{1} << 40;
inline constexpr ProducerId second_producer = first_producer + 1;

struct Transactions : WriterFixture {
  explicit Transactions(std::int64_t segment_bytes = 100'000) : WriterFixture(segment_bytes) { open(); }

  Offset send(ProducerId producer, ProducerEpoch epoch, Sequence sequence) {
    auto bytes = make_batch(
        {.producer_id = producer, .producer_epoch = epoch, .sequence = sequence, .transactional = true});
    return must(partition->append(format::framed_batch(bytes))).base_offset;
  }
  Offset mark(ControlType type, ProducerId producer, ProducerEpoch epoch) {
    return must(partition->append_marker(
                    {.type = type, .producer_id = producer, .producer_epoch = epoch, .timestamp_ms = t0_ms},
                    0))
        .base_offset;
  }
  Offset end(ControlType type, ProducerId producer, ProducerEpoch epoch) {
    const Offset at = mark(type, producer, epoch);
    partition->release_transaction(producer);
    return at;
  }
  Offset stable() const { return partition->last_stable_offset(); }
  std::vector<AbortedTransaction> aborted() const {
    std::vector<AbortedTransaction> found;
    const auto list = partition->segments().load();
    for (const auto& segment : *list) must(segment->transactions().collect(0, 1'000'000, found));
    return found;
  }
};

}  // namespace seriatim::test
