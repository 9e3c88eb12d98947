// Random operations on a real engine and on a model of a few lines; after every step the two must agree.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <seriatim/seriatim.hpp>

#include "support/live_copy.hpp"
#include "support/random.hpp"
#include "support/temp_dir.hpp"

namespace seriatim {
namespace {

struct ModelRecord {
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::int64_t timestamp_ms = 0;
};

// One partition: what was appended, and where the log starts. Compaction may take records out, never the
// newest of a key.
struct Model {
  std::map<Offset, ModelRecord> records;
  Offset start = 0;
  Offset end = 0;
  bool compacted = false;

  void append(ModelRecord record) { records[end++] = std::move(record); }
  void drop_below(Offset offset) {
    start = std::max(start, offset);
    records.erase(records.begin(), records.lower_bound(start));
  }
  std::optional<Offset> earliest_at(std::int64_t time_ms) const {
    for (const auto& [offset, record] : records) {
      if (record.timestamp_ms >= time_ms) return offset;
    }
    return std::nullopt;
  }
};

std::optional<std::string> text_of(BytesView bytes) {
  return bytes.is_null() ? std::nullopt : std::optional<std::string>(bytes.text());
}

class LogExercise {
 public:
  LogExercise(test::Random& random, bool compact)
      : random_(random), compact_(compact), directory_(scratch_ / "0") {
    open(true);
  }

  void run(int steps) {
    for (int step = 0; step < steps; ++step) {
      CAPTURE(step);
      switch (random_.between(0, 11)) {
        case 0:
          reopen();
          break;
        case 1:
          crash();
          break;
        case 2:
          read_from_random_offset();
          break;
        case 3:
          look_up_time();
          break;
        case 4:
          housekeeping();
          break;
        case 5:
          read_backward();
          break;
        case 6:
          commit_and_resume();
          break;
        default:
          append();
          break;
      }
      CHECK(end_of_log() == model_.end);
    }
    read_all();
    reopen();
    read_all();
    const VerifyReport report = engine_->admin().verify().value();
    for (const Finding& finding : report.findings)
      FAIL_CHECK(finding.path << " @ " << finding.position << ": " << finding.what);
  }

 private:
  static inline const TopicPartition at{"t", 0};

  void open(bool create) {
    engine_.emplace(Engine::open(directory_, {.maintenance_interval = std::chrono::milliseconds(0)}).value());
    if (create) {
      // Small segments and indexes: every few appends roll.
      ConfigMap config{{"segment.bytes", "4096"},
                       {"index.interval.bytes", "256"},
                       {"retention.ms", "-1"},
                       {"max.message.bytes", "4096"}};
      if (compact_) config["cleanup.policy"] = "compact";
      engine_->admin().create_topic({.name = "t", .config = config}).value();
    }
  }

  void reopen() {
    engine_->close().value();
    engine_.reset();
    open(false);
  }

  // The state a kill -9 leaves between two operations: the files as the page cache has them. The copy is
  // opened, the original is closed.
  void crash() {
    const std::string copy = scratch_ / std::to_string(++generation_);
    test::copy_live(directory_, copy);
    engine_->close().value();
    engine_.reset();
    std::filesystem::remove_all(directory_);
    directory_ = copy;
    open(false);
  }

  void append() {
    static constexpr CompressionType codecs[] = {CompressionType::uncompressed, CompressionType::gzip,
                                                 CompressionType::snappy, CompressionType::lz4,
                                                 CompressionType::zstd};
    const Acks acks = random_.one_in(8) ? Acks::all : Acks::leader;
    Producer producer =
        engine_->producer({.acks = acks, .compression_type = codecs[random_.between(0, 4)]}).value();
    std::vector<ModelRecord> batch(static_cast<std::size_t>(random_.between(1, 12)));
    std::vector<Record> records;
    for (ModelRecord& record : batch) {
      if (compact_ || !random_.one_in(3)) record.key = "k" + std::to_string(random_.between(0, 15));
      if (!random_.one_in(6)) record.value = random_.text(static_cast<std::size_t>(random_.between(0, 120)));
      time_ms_ += random_.between(-3, 10);
      record.timestamp_ms = time_ms_;
      records.push_back({.key = record.key ? BytesView(*record.key) : BytesView(),
                         .value = record.value ? BytesView(*record.value) : BytesView(),
                         .timestamp = Timestamp{std::chrono::milliseconds{record.timestamp_ms}}});
    }
    const AppendResult appended = producer.append(at, records).value();
    CHECK(appended.base_offset == model_.end);
    CHECK(appended.last_offset == model_.end + static_cast<Offset>(batch.size()) - 1);
    for (ModelRecord& record : batch) model_.append(std::move(record));
  }

  Offset end_of_log() { return engine_->reader(at).value().log_end_offset(); }

  void check_record(const RecordView& record) {
    const auto expected = model_.records.find(record.offset());
    REQUIRE(expected != model_.records.end());
    CHECK(text_of(record.key()) == expected->second.key);
    CHECK(text_of(record.value()) == expected->second.value);
    CHECK(record.timestamp().time_since_epoch().count() == expected->second.timestamp_ms);
  }

  // Reads [from, end) and checks it against the model; returns the offsets seen.
  std::vector<Offset> read_from(Offset from) {
    Consumer consumer =
        engine_->consumer({.max_poll_records = static_cast<std::size_t>(random_.between(1, 40))}).value();
    consumer.assign({at}).value();
    consumer.seek(at, from).value();
    std::vector<Offset> seen;
    for (;;) {
      const ConsumerRecords records = consumer.poll(std::chrono::milliseconds(0)).value();
      if (records.empty() && consumer.position(at).value() == model_.end) break;
      for (const RecordView& record : records) {
        check_record(record);
        seen.push_back(record.offset());
      }
    }
    CHECK(std::is_sorted(seen.begin(), seen.end()));
    return seen;
  }

  void expect_exactly(Offset from, const std::vector<Offset>& seen) {
    std::vector<Offset> expected;
    for (auto it = model_.records.lower_bound(from); it != model_.records.end(); ++it)
      expected.push_back(it->first);
    CHECK(seen == expected);
  }

  void read_all() {
    const auto seen = read_from(model_.start);
    if (!model_.compacted) expect_exactly(model_.start, seen);
    if (model_.compacted) check_newest_of_every_key(seen);
  }

  // The promise of compaction: the newest record of every key is there, with its value; tombstones may go.
  void check_newest_of_every_key(const std::vector<Offset>& seen) {
    std::map<std::string, Offset> newest;
    for (const auto& [offset, record] : model_.records) newest[*record.key] = offset;
    for (const auto& of_key : newest) {
      CAPTURE(of_key.first);
      const Offset offset = of_key.second;
      if (model_.records[offset].value) CHECK(std::binary_search(seen.begin(), seen.end(), offset));
    }
  }

  void read_from_random_offset() {
    const Offset from = random_.between(model_.start, model_.end);
    const auto seen = read_from(from);
    if (!model_.compacted) expect_exactly(from, seen);
  }

  void look_up_time() {
    if (model_.compacted) return;
    const std::int64_t time = std::max<std::int64_t>(0, time_ms_ - random_.between(-20, 300));
    const auto found =
        engine_->admin().offset_for_time(at, Timestamp{std::chrono::milliseconds{time}}).value();
    const auto expected = model_.earliest_at(time);
    CHECK(found.has_value() == expected.has_value());
    if (found && expected) CHECK(found->offset == *expected);
  }

  void read_backward() {
    const LogReader reader = engine_->reader(at).value();
    const Offset before = random_.between(model_.start, model_.end);
    const ConsumerRecords records = reader.read_backward(before, 10).value();
    Offset last = before;
    for (const RecordView& record : records) {
      CHECK(record.offset() < last);
      last = record.offset();
      check_record(record);
    }
    if (!model_.compacted)
      CHECK(records.count() == static_cast<std::size_t>(std::min<Offset>(10, before - model_.start)));
  }

  void commit_and_resume() {
    const Offset committed = random_.between(model_.start, model_.end);
    {
      Consumer consumer = engine_->consumer({.group_id = "g"}).value();
      consumer.assign({at}).value();
      consumer.commit_sync({{at, {committed, "note"}}}).value();
    }
    Consumer consumer = engine_->consumer({.group_id = "g"}).value();
    consumer.assign({at}).value();
    CHECK(consumer.position(at).value() == committed);
    CHECK(consumer.committed(at).value()->metadata == "note");
  }

  void housekeeping() {
    const Admin admin = engine_->admin();
    if (compact_) {
      admin.compact("t", random_.one_in(2)).value();
      model_.compacted = true;
      return;
    }
    if (random_.one_in(2)) {
      const Offset target = random_.between(model_.start, model_.end);
      CHECK(admin.delete_records(at, target).value() == target);
      model_.drop_below(target);
    } else {
      admin.alter_config("t", {{"retention.bytes", std::to_string(random_.between(2000, 30'000))}}).value();
    }
    admin.apply_retention("t").value();
    model_.drop_below(admin.list_offset(at, OffsetSpec::earliest).value());
    admin.reset_config("t", {"retention.bytes"}).value();
  }

  test::Random& random_;
  const bool compact_;
  test::TempDir scratch_;
  std::string directory_;
  int generation_ = 0;
  std::int64_t time_ms_ = 1'700'000'000'000;
  std::optional<Engine> engine_;
  Model model_;
};

}  // namespace

TEST_CASE("any sequence of operations, crashes included, leaves what the model says") {
  test::Random random("model, delete policy");
  for (int run = 0; run < 8; ++run) LogExercise(random, false).run(120);
}

TEST_CASE("any sequence of operations with compaction keeps the newest record of every key") {
  test::Random random("model, compact policy");
  for (int run = 0; run < 8; ++run) LogExercise(random, true).run(120);
}

}  // namespace seriatim
