#include "transaction_view.hpp"

#include <chrono>
#include <iostream>
#include <utility>

#include "hex_text.hpp"

namespace seriatim::kafka_test {
namespace {

/// Less than a transaction has: what the next read begins with is looked up again.
constexpr std::size_t records_per_read = 7;

std::string text(const RecordView& record) {
  return "[" + std::to_string(record.offset()) + "," +
         std::to_string(record.timestamp().time_since_epoch().count()) + "," + hex(record.key()) + "," +
         hex(record.value()) + "]";
}

void add(std::string& to, const std::string& record) {
  if (!to.empty()) to += ",";
  to += record;
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
    for (const RecordView& record : *found) add(seen, text(record));
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
    for (const RecordView& record : *polled) add(seen, text(record));
  }
}

// From the end down to `from`, in the order of the log.
Result<std::string> by_backward_reader(const Engine& engine, const TopicPartition& at,
                                       IsolationLevel isolation, Offset from) {
  auto reader = engine.reader(at, {.isolation_level = isolation});
  if (!reader) return reader.error();
  std::vector<std::string> seen;
  for (Offset before = reader->high_watermark(); before > from;) {
    auto found = reader->read_backward(before, records_per_read);
    if (!found) return found.error();
    if (found->empty()) break;
    for (const RecordView& record : *found) {
      before = record.offset();
      if (before >= from) seen.push_back(text(record));
    }
  }
  std::string joined;
  for (auto record = seen.rbegin(); record != seen.rend(); ++record) add(joined, *record);
  return joined;
}

// The records that every way to read has to see; an error if two differ.
Result<std::string> by_all(const Engine& engine, const TopicPartition& at, IsolationLevel isolation,
                           Offset from) {
  const auto seen = by_reader(engine, at, isolation, from);
  if (!seen) return seen;
  using Read = Result<std::string> (*)(const Engine&, const TopicPartition&, IsolationLevel, Offset);
  for (const auto& [name, read] : {std::pair<std::string, Read>("Consumer", by_consumer),
                                   std::pair<std::string, Read>("read_backward", by_backward_reader)}) {
    const auto other = read(engine, at, isolation, from);
    if (!other) return other;
    if (*seen == *other) continue;
    return Error(Errc::invalid_state, "from offset " + std::to_string(from) + " LogReader::read sees [" +
                                          *seen + "] and " + name + " [" + *other +
                                          "]: one of them is wrong");
  }
  return seen;
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
      const auto seen = by_all(engine, at, isolation, from);
      if (!seen) return seen.error().with_context(name);
      std::cout << "{\"isolation\":\"" << name << "\",\"from\":" << from << ",\"records\":[" << *seen
                << "]}\n";
    }
  }
  return {};
}

}  // namespace seriatim::kafka_test
