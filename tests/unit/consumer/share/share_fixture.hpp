// The fixture of tests of share consumers: a topic, a clock that the test moves, and polls as text.
#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include <seriatim/seriatim.hpp>

#include "unit/api/engine_fixture.hpp"

namespace seriatim::test {

using namespace std::chrono_literals;

constexpr auto implicit_mode = ShareAcknowledgementMode::implicit;
constexpr auto explicit_mode = ShareAcknowledgementMode::explicit_;
inline constexpr auto accept = AcknowledgeType::accept;
inline constexpr auto release = AcknowledgeType::release;
inline constexpr auto reject = AcknowledgeType::reject;
inline constexpr auto renew = AcknowledgeType::renew;

struct ShareFixture {
  TempDir directory;
  base::ManualClock clock{1'700'000'000'000};
  Engine engine;

  explicit ShareFixture(PartitionId partitions = 1)
      : engine(open_engine_with(directory / "data", os::posix_vfs(), clock)) {
    create_topic(engine, "t", partitions);
  }
  ShareConsumer consumer(ShareAcknowledgementMode mode, ShareConsumerOptions options = {}) const {
    options.group_id = "g";
    options.acknowledgement_mode = mode;
    options.commit_acks = Acks::leader;
    return must(engine.share_consumer(std::move(options)));
  }
  ShareConsumer member(ShareAcknowledgementMode mode, ShareConsumerOptions options = {}) const {
    ShareConsumer made = consumer(mode, std::move(options));
    must(made.subscribe({"t"}));
    return made;
  }
  ShareConsumer one_by_one(ShareAcknowledgementMode mode, std::size_t records = 1) const {
    return member(mode, {.acquire_mode = ShareAcquireMode::record_limit, .max_poll_records = records});
  }
  void configure(std::map<std::string, std::string, std::less<>> settings) const {
    must(must(engine.share_groups()).alter_config("g", settings));
  }
  /// A batch for each number, of so many records.
  void append(std::initializer_list<int> batches, PartitionId partition = 0) const {
    Producer producer = must(engine.producer({.acks = Acks::leader}));
    for (const int count : batches) {
      const std::vector<Record> records(static_cast<std::size_t>(count), Record{.key = "k", .value = "v"});
      must(producer.append({"t", partition}, records));
    }
  }
  ShareGroupOffset progress() const { return must(must(engine.share_groups()).describe("g")).offsets.at(0); }
  void advance(std::chrono::milliseconds time) { clock.advance_ms(time.count()); }
  /// Closed, and open again.
  void reopen() {
    must(engine.close());
    engine = open_engine_with(directory / "data", os::posix_vfs(), clock);
  }
};

/// "0x1 1x1 2x2": offsets and how often they were delivered.
inline std::string text_of(const ShareRecords& records) {
  std::string text;
  for (const ShareRecord& record : records) {
    if (!text.empty()) text += ' ';
    text += std::to_string(record.offset()) + "x" + std::to_string(record.delivery_count());
  }
  return text;
}
inline std::string share_polled(ShareConsumer& consumer) { return text_of(must(consumer.poll(0ms))); }

/// Polls, and gives one answer for all.
inline std::string share_answered(ShareConsumer& consumer, AcknowledgeType type) {
  const ShareRecords records = must(consumer.poll(0ms));
  for (const ShareRecord& record : records) must(consumer.acknowledge(record, type));
  must(consumer.commit_sync());
  return text_of(records);
}

}  // namespace seriatim::test
