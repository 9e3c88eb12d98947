#include "partition/open_transactions.hpp"

#include <algorithm>

#include "format/batch/batch_check.hpp"
#include "format/batch/control_record.hpp"

namespace seriatim::partition {

OpenTransactions::OpenTransactions(const ProducerState& producers) {
  for (const auto& [id, producer] : producers.all()) {
    if (producer.open_first_offset >= 0) open_.emplace(id, producer.open_first_offset);
  }
}

Offset OpenTransactions::first_offset(Offset otherwise) const noexcept {
  const auto oldest = std::min_element(open_.begin(), open_.end(),
                                       [](const auto& a, const auto& b) { return a.second < b.second; });
  return oldest == open_.end() ? otherwise : oldest->second;
}

OpenTransactions::Noted OpenTransactions::note(const format::BatchHeader& header, base::ByteSpan batch) {
  if (!header.is_control()) {
    if (header.is_transactional() && header.has_producer())
      open_.emplace(header.producer_id, header.base_offset);
    return {};
  }
  if (!format::crc_is_valid(batch)) return {.step = Step::damaged};
  const auto mark = format::read_control_mark(batch);
  if (mark.kind == format::ControlBatch::malformed) return {.step = Step::damaged};
  const auto open = open_.find(header.producer_id);
  if (!mark.ends_transaction() || open == open_.end()) return {};
  const Offset first_offset = open->second;
  open_.erase(open);
  return {.step = Step::ended,
          .ended = {.producer_id = header.producer_id,
                    .first_offset = first_offset,
                    .last_offset = header.base_offset,
                    .is_aborted = mark.kind == format::ControlBatch::abort,
                    .last_stable_offset = this->first_offset(header.next_offset())}};
}

}  // namespace seriatim::partition
