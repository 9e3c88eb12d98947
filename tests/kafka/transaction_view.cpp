#include "transaction_view.hpp"

#include <chrono>
#include <iostream>

#include "hex_text.hpp"

namespace seriatim::kafka_test {
namespace {

/// Less than a transaction has: what the next read begins with is looked up again.
constexpr std::size_t records_per_read = 7;

void add(std::string& to, const RecordView& record) {
  to += to.empty() ? "[" : ",[";
  to += std::to_string(record.offset()) + "," +
        std::to_string(record.timestamp().time_since_epoch().count()) + "," + hex(record.key()) + "," +
        hex(record.value()) + "]";
}

Result<std::string> by_reader(const Engine& engine, const TopicPartition& at, IsolationLevel isolation,
                              Offset from) {
  auto reader = engine.reader(at, {.isolation_level = isolation});
  if (!reader) return reader.error();
  std::string seen;
  for (;;) {
    auto found = reader->read(from, records_per_read);
    if (!found) return found.error();
    if (found->empty()) return seen;
    for (const RecordView& record : *found) add(seen, record);
    from = (*found)[found->count() - 1].offset() + 1;
  }
}

Result<std::string> by_consumer(const Engine& engine, const TopicPartition& at, IsolationLevel isolation,
                                Offset from) {
  auto consumer = engine.consumer({.max_poll_records = records_per_read, .isolation_level = isolation});
  if (!consumer) return consumer.error();
  if (auto assigned = consumer->assign({at}); !assigned) return assigned.error();
  if (auto sought = consumer->seek(at, from); !sought) return sought.error();
  std::string seen;
  for (;;) {
    auto polled = consumer->poll(std::chrono::milliseconds(0));
    if (!polled) return polled.error();
    if (polled->empty()) return seen;
    for (const RecordView& record : *polled) add(seen, record);
  }
}

}  // namespace

Result<> print_view(const Engine& engine, const TopicPartition& at, const std::vector<Offset>& starts) {
  auto reader = engine.reader(at);
  if (!reader) return reader.error();
  std::cout << "{\"log_start_offset\":" << reader->log_start_offset()
            << ",\"last_stable_offset\":" << reader->last_stable_offset()
            << ",\"log_end_offset\":" << reader->log_end_offset() << "}\n";
  for (const auto isolation : {IsolationLevel::read_uncommitted, IsolationLevel::read_committed}) {
    const std::string name =
        isolation == IsolationLevel::read_committed ? "read_committed" : "read_uncommitted";
    for (const Offset from : starts) {
      const auto seen = by_reader(engine, at, isolation, from);
      if (!seen) return seen.error();
      const auto polled = by_consumer(engine, at, isolation, from);
      if (!polled) return polled.error();
      const std::string where = name + " from " + std::to_string(from);
      if (*seen != *polled) {
        return Error(Errc::invalid_state, where + ": LogReader sees [" + *seen + "] and Consumer [" +
                                              *polled + "]: one of them is wrong");
      }
      std::cout << "{\"isolation\":\"" << name << "\",\"from\":" << from << ",\"records\":[" << *seen
                << "]}\n";
    }
  }
  return {};
}

}  // namespace seriatim::kafka_test
