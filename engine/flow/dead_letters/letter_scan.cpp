#include "flow/dead_letters/letter_scan.hpp"

#include <algorithm>
#include <utility>

#include <seriatim/admin.hpp>
#include <seriatim/log_reader.hpp>

#include "flow/dead_letters/dead_letter_headers.hpp"

namespace seriatim::flow {
namespace {

// As list_dead_letters says.
constexpr std::size_t scanned_records_max = 10'000;
constexpr std::size_t records_of_a_read = 500;

}  // namespace

Result<LetterScan> LetterScan::open(const Engine& engine, std::string topic, DeadLetterFilter filter) {
  auto described = engine.admin().describe_topic(topic);
  if (!described) return described.error();
  auto replayed = ReplayedLetters::open(engine, described->topic_id);
  if (!replayed) return replayed.error();
  return LetterScan(engine,
                    {.name = std::move(topic),
                     .id = described->topic_id,
                     .partitions = static_cast<PartitionId>(described->partitions.size())},
                    std::move(filter), *std::move(replayed));
}

LetterScan::LetterScan(const Engine& engine, Topic topic, DeadLetterFilter filter, ReplayedLetters replayed)
    : engine_(engine),
      topic_(std::move(topic.name)),
      topic_id_(std::move(topic.id)),
      partitions_(topic.partitions),
      filter_(std::move(filter)),
      replayed_(std::move(replayed)) {}

Result<DeadLetterPage> LetterScan::next(const DeadLetterPosition& from, std::size_t limit) const {
  DeadLetterPage page;
  Budget budget{.letters = limit, .records = scanned_records_max};
  for (DeadLetterPosition at = from; at.partition < partitions_; at = {.partition = at.partition + 1}) {
    if (filter_.partition && *filter_.partition != at.partition) continue;
    auto stopped = scan_partition(at, budget, page);
    if (!stopped) return stopped.error();
    if (*stopped < 0) continue;
    page.next = DeadLetterPosition{.partition = at.partition, .offset = *stopped};
    return page;
  }
  return page;
}

Result<Offset> LetterScan::scan_partition(const DeadLetterPosition& from, Budget& budget,
                                          DeadLetterPage& page) const {
  auto reader = engine_.reader({topic_, from.partition});
  if (!reader) return reader.error();
  Offset at =
      std::max({from.offset, reader->log_start_offset(), filter_.offsets ? filter_.offsets->first : 0});
  for (;;) {
    if (at >= reader->last_stable_offset() || (filter_.offsets && at > filter_.offsets->second)) return -1;
    if (budget.letters == 0 || budget.records == 0) return at;
    auto records = reader->read(at, std::min(records_of_a_read, budget.records));
    if (!records) return records.error();
    if (records->empty()) return -1;
    for (const RecordView& record : *records) {
      if (filter_.offsets && record.offset() > filter_.offsets->second) return -1;
      if (budget.letters == 0) return record.offset();
      --budget.records;
      at = record.offset() + 1;
      DeadLetter letter = dead_letter_of(record);
      auto is_replayed = replayed_.contains(letter.partition, letter.offset);
      if (!is_replayed) return is_replayed.error();
      letter.is_replayed = *is_replayed;
      if (!means(letter)) continue;
      page.letters.push_back(std::move(letter));
      --budget.letters;
    }
  }
}

bool LetterScan::means(const DeadLetter& letter) const {
  if (letter.error.find(filter_.error_contains) == std::string::npos) return false;
  if (filter_.key && letter.key != filter_.key) return false;
  if (filter_.from && letter.time < *filter_.from) return false;
  if (filter_.until && letter.time >= *filter_.until) return false;
  return !filter_.is_replayed || letter.is_replayed == *filter_.is_replayed;
}

}  // namespace seriatim::flow
