#include "faults/tour.hpp"

#include <algorithm>

#include "support/live_copy.hpp"

namespace seriatim::test {
namespace {

namespace fs = std::filesystem;
using detail::EngineImpl;

// Small, so that a few records fill segments and journal files.
EngineOptions tour_options() {
  return {.maintenance_interval = std::chrono::milliseconds(0),
          .checkpoint_interval = std::chrono::hours(24 * 365),
          .journal_max_bytes = 1U << 20,
          .journal_file_bytes = 64U << 10};
}

const ConfigMap small_segments{{"segment.bytes", "4096"}, {"index.interval.bytes", "100"}};
const ConfigMap small_compacted{
    {"segment.bytes", "1024"}, {"index.interval.bytes", "100"}, {"cleanup.policy", "compact"}};

}  // namespace

// False if the step met an error, which is remembered.
bool Tour::note(const Result<>& done) {
  if (done) return true;
  codes_.insert(done.error().code());
  messages_ += done.error().message() + "\n";
  return false;
}

void Tour::open() {
  auto opened = EngineImpl::open(directory_ / "data", tour_options(), vfs_, base::system_clock());
  if (!opened) {
    note(opened.error());
    return;
  }
  engine_ = EngineImpl::handle(*std::move(opened));
}

void Tour::close() {
  if (!engine_) return;
  note(engine_->close());
  engine_.reset();
}

void Tour::create(const std::string& topic, PartitionId partitions, ConfigMap config) {
  if (!engine_) return;
  const auto created = engine_->admin().create_topic(
      {.name = topic, .partition_count = partitions, .config = std::move(config)});
  if (!created) note(created.error());
}

void Tour::send(const std::string& topic, PartitionId partition, int count, Acks acks) {
  if (!engine_ || !engine_->admin().describe_topic(topic)) return;
  auto producer = engine_->producer({.acks = acks});
  if (!producer) {
    note(producer.error());
    return;
  }
  Log& log = logs_[{topic, partition}];
  for (int i = 0; i < count; ++i) {
    const std::string value = std::to_string(sent_++) + std::string(900, 'v');
    const std::string key = "key-" + std::to_string(i % 2);
    auto sent = producer->send_sync({.topic = topic, .key = key, .value = value, .partition = partition});
    if (sent) {
      CHECK(log.acknowledged.emplace(sent->offset, value).second);
    } else {
      note(sent.error());
      if (sent.error().outcome() == Outcome::not_written) log.refused.insert(value);
    }
  }
}

void Tour::commit(const std::string& group, Offset offset, Acks acks) {
  if (!engine_) return;
  auto consumer = engine_->consumer({.group_id = group, .commit_acks = acks});
  if (!consumer) {
    note(consumer.error());
    return;
  }
  positions_tried_.insert(offset);
  const auto end = engine_->admin().list_offset({"a", 0}, OffsetSpec::latest);
  if (!end || *end < offset) return;  // the records before could not be written
  const bool done = note(consumer->commit_sync({{{"a", 0}, {.offset = offset}}}));
  // One that failed may count or not.
  if (group == "g") position_ = done ? std::optional(offset) : std::nullopt;
}

void Tour::delete_things() {
  if (!engine_) return;
  const Admin admin = engine_->admin();
  const auto end = admin.list_offset({"a", 0}, OffsetSpec::latest);
  const Offset before = end ? std::min<Offset>(*end, 5) : 0;
  logs_[{"a", 0}].deleted_below = before;
  if (auto deleted = admin.delete_records({"a", 0}, before); !deleted) note(deleted.error());
  if (auto applied = admin.apply_retention("a"); !applied) note(applied.error());
  note(admin.delete_group("h"));
  note(admin.alter_config("a", {{"retention.ms", "1000000"}}));
  deletions_tried_.insert("b");
  if (note(admin.delete_topic("b"))) logs_.erase({"b", 0});
}

void Tour::change() {
  send("a", 0, 8, Acks::all);
  send("a", 1, 3, Acks::leader);
  send("a", 1, 2, Acks::all);
  send("b", 0, 3, Acks::all);
  send("k", 0, 6, Acks::all);
  commit("g", 2, Acks::all);
  commit("h", 1, Acks::leader);
  commit("g", 3, Acks::leader);
  if (engine_) note(EngineImpl::of(*engine_)->checkpointer->checkpoint());
  if (engine_ && engine_->admin().describe_topic("k")) {
    if (auto compacted = engine_->admin().compact("k", true); !compacted) note(compacted.error());
  }
}

// A copy of the directory as it is: what is left if the process dies now.
void Tour::crash() {
  if (!engine_) return;
  // Bytes that are only in maps are there too, but not among the synced ones.
  if (!note(engine_->flush())) return;
  copy_live(directory_ / "data", directory_ / "copy");
  at_crash_ = logs_;
}

void Tour::take() {
  open();
  create("a", 2, small_segments);
  create("b", 1, {});
  create("k", 1, small_compacted);
  change();
  delete_things();
  create("c", 1, {});
  send("c", 0, 2, Acks::all);
  send("a", 0, 2, Acks::all);
  if (engine_) check_records(*engine_, logs_, false);
  crash();
  close();
  open();
  if (engine_) check_records(*engine_, logs_, false);
  send("a", 0, 2, Acks::all);
  close();
  if (at_crash_) {
    // Recovery meets the fault as well.
    auto opened = EngineImpl::open(directory_ / "copy", tour_options(), vfs_, base::system_clock());
    if (opened) note(EngineImpl::handle(*std::move(opened)).close());
    if (!opened) note(opened.error());
  }
  open();
}

// While a fault lasts, a topic or a read may fail; what is read must be right all the same.
void Tour::check_records(const Engine& engine, const Logs& logs, bool is_final) {
  for (const auto& [at, log] : logs) {
    const std::string& topic = at.first;
    const PartitionId partition = at.second;
    CAPTURE(topic);
    CAPTURE(partition);
    const bool may_be_gone = log.acknowledged.empty() || deletions_tried_.contains(topic);
    auto reader = engine.reader({topic, partition});
    if (is_final && !may_be_gone) REQUIRE_MESSAGE(reader.ok(), message_of(reader));
    if (reader) check_log(*reader, topic, log, is_final);
    if (!reader) note(reader.error());
  }
}

void Tour::check_log(const LogReader& reader, const std::string& topic, const Log& log, bool is_final) {
  std::map<Offset, std::string> found;
  for (Offset next = reader.log_start_offset(); next < reader.high_watermark();) {
    auto records = reader.read(next, 1000);
    if (is_final) REQUIRE_MESSAGE(records.ok(), message_of(records));
    if (!records) note(records.error());
    if (!records || records->empty()) break;
    for (const RecordView& record : *records) {
      found.emplace(record.offset(), record.value().text());
      CHECK_FALSE(log.refused.contains(std::string(record.value().text())));
      next = record.offset() + 1;
    }
  }
  CHECK(reader.log_start_offset() <= log.deleted_below);
  const bool is_compacted = topic == "k";
  // Topics whose deletion failed on the way are there whole or not at all, whichever.
  const bool is_whole = is_final && !is_compacted && !deletions_tried_.contains(topic);
  for (const auto& item : log.acknowledged) {
    const Offset offset = item.first;
    const std::string& value = item.second;
    CAPTURE(offset);
    const auto it = found.find(offset);
    if (it != found.end()) CHECK(it->second == value);
    if (it == found.end() && is_whole) CHECK(offset < log.deleted_below);
  }
  // Of a compacted topic the last record stays.
  if (is_final && is_compacted && !log.acknowledged.empty())
    CHECK(found.contains(log.acknowledged.rbegin()->first));
}

void Tour::check_position(const Engine& engine) {
  if (!position_) return;
  const auto offsets = must(engine.admin().group_offsets("g"));
  REQUIRE(offsets.size() == 1);
  CHECK(offsets[0].committed.offset == *position_);
}

void Tour::check_all_is_well() {
  CAPTURE(messages_);
  // A failed sync is final, and a directory that could not be opened is opened when it can be.
  if (engine_ && EngineImpl::of(*engine_)->health.has_failed()) engine_.reset();
  if (!engine_) open();
  REQUIRE(engine_);
  check_records(*engine_, logs_, true);
  check_position(*engine_);
  for (const std::string topic : {"a", "c", "k"}) {
    if (!engine_->admin().describe_topic(topic)) create_topic(*engine_, topic);
    const std::size_t before = messages_.size();
    send(topic, 0, 5, Acks::all);
    CHECK(messages_.size() == before);
  }
  must(EngineImpl::of(*engine_)->checkpointer->checkpoint());
  must(engine_->admin().apply_retention("a"));
  check_records(*engine_, logs_, true);
  must(engine_->close());
  engine_.reset();
  open();
  REQUIRE(engine_);
  check_records(*engine_, logs_, true);
  check_position(*engine_);
  CHECK_FALSE(must(engine_->admin().verify()).worst().has_value());
  must(engine_->close());
  engine_.reset();
}

void Tour::check_crashed_copy() {
  if (!at_crash_) return;
  CAPTURE(messages_);
  const Engine engine = must(Engine::open(directory_ / "copy"));
  check_records(engine, *at_crash_, true);
}

}  // namespace seriatim::test
