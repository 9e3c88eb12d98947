#include "partition/partition.hpp"

#include "unit/partition/writer_fixture.hpp"

namespace seriatim::test {
namespace {

TEST_CASE("a new partition is an empty log with one segment") {
  WriterFixture f;
  f.open();
  CHECK(f.partition->log_start_offset() == 0);
  CHECK(f.partition->log_end_offset() == 0);
  CHECK(f.partition->durable_offset() == 0);
  CHECK(f.partition->size_bytes() == 0);
  CHECK(f.segment_bases() == std::vector<Offset>{0});
  CHECK_FALSE(f.partition->damage());
  CHECK(f.partition->name() == TopicPartition{"topic", 3});
}

TEST_CASE("a clean close leaves exact files, and opening again finds everything and reports nothing") {
  WriterFixture f(300);
  f.open();
  f.fill(4, 3);
  const auto rows = f.rows();
  const auto size = f.partition->size_bytes();
  f.close();
  CHECK(f.request.checkpoint.clean_end_offset == static_cast<Offset>(rows.size()));
  std::uint64_t on_disk = 0;
  for (const std::string& name : f.file_names()) {
    if (name.ends_with(".log")) on_disk += std::filesystem::file_size(f.request.directory + "/" + name);
  }
  CHECK(on_disk == size);
  f.open();
  CHECK(f.rows() == rows);
  CHECK(f.partition->durable_offset() == static_cast<Offset>(rows.size()));
  CHECK(f.world->reports.empty());
  CHECK_FALSE(f.partition->damage());
  CHECK(f.put("a", "1").base_offset == static_cast<Offset>(rows.size()));
}

TEST_CASE("open and close again and again changes nothing") {
  WriterFixture f(300);
  f.open();
  f.fill(3, 3);
  const auto rows = f.rows();
  f.close();
  const auto checkpoint = f.request.checkpoint;
  const auto names = f.file_names();
  for (int i = 0; i < 3; ++i) {
    f.open();
    CHECK(f.rows() == rows);
    f.close();
    CHECK(f.request.checkpoint.recovery_point_offset == checkpoint.recovery_point_offset);
    CHECK(f.request.checkpoint.recovery_segment_base == checkpoint.recovery_segment_base);
    CHECK(f.request.checkpoint.recovery_position == checkpoint.recovery_position);
    CHECK(f.file_names() == names);
  }
}

TEST_CASE("closing twice says so") {
  WriterFixture f;
  f.open();
  must(f.partition->close());
  CHECK(f.partition->close().error().code() == Errc::closed);
}

TEST_CASE("a close right after a roll is a clean one") {
  WriterFixture f;
  f.open();
  f.put("a", "1");
  must(f.partition->sync());
  must(f.partition->roll());
  f.close();
  CHECK(f.request.checkpoint.recovery_segment_base == 1);
  CHECK(f.request.checkpoint.recovery_position == 0);
  f.open();
  CHECK(offsets_of(f.rows()) == std::vector<Offset>{0});
  CHECK(f.put("b", "2").base_offset == 1);
}

TEST_CASE("a checkpoint says how far stable storage reaches, not how far the log does") {
  WriterFixture f(100'000);
  f.open();
  f.put("a", "1");
  must(f.partition->sync());
  const auto position = f.partition->size_bytes();
  f.put("b", "2");
  const auto checkpoint = f.partition->checkpoint();
  CHECK(checkpoint.recovery_point_offset == 1);
  CHECK(checkpoint.recovery_segment_base == 0);
  CHECK(checkpoint.recovery_position == position);
  CHECK(checkpoint.clean_end_offset == -1);
}

TEST_CASE(
    "the stored recovery base is that of the last checkpoint that is in the catalog, and never goes back") {
  WriterFixture f(300);
  f.open();
  f.fill(3, 3);
  CHECK(f.partition->stored_recovery_base() == 0);
  must(f.partition->sync());
  const auto checkpoint = f.partition->checkpoint();
  CHECK(f.partition->stored_recovery_base() == 0);
  f.partition->checkpoint_stored(checkpoint);
  CHECK(f.partition->stored_recovery_base() == f.segment_bases().back());
  f.partition->checkpoint_stored({});
  CHECK(f.partition->stored_recovery_base() == f.segment_bases().back());
}

TEST_CASE("a new segment size holds from the next segment on") {
  WriterFixture f(1'000);
  f.open();
  f.put_batch(make_batch({.size_bytes = 400}));
  TopicConfig config = f.partition->config();
  config.segment_bytes = 500;
  f.partition->set_config(config);
  CHECK(f.partition->config() == config);
  f.put_batch(make_batch({.size_bytes = 400}));
  CHECK(f.segment_count() == 1);
  f.put_batch(make_batch({.size_bytes = 400}));
  f.put_batch(make_batch({.size_bytes = 400}));
  CHECK(f.segment_bases() == std::vector<Offset>{0, 2, 3});
}

TEST_CASE("offsets may be missing from the moment compaction is allowed") {
  WriterFixture f;
  f.open();
  CHECK_FALSE(f.partition->may_have_gaps());
  TopicConfig config = f.partition->config();
  config.cleanup_policy = CleanupPolicy::compact;
  f.partition->set_config(config);
  CHECK(f.partition->may_have_gaps());
  config.cleanup_policy = CleanupPolicy::delete_;
  f.partition->set_config(config);
  CHECK(f.partition->may_have_gaps());
}

class Listener final : public partition::AppendListener {
 public:
  void on_append() noexcept override { ++calls; }
  int calls = 0;
};

TEST_CASE("an abandoned partition wakes who waits for it and gives its counts to the engine") {
  WriterFixture f;
  f.open();
  f.put("a", "1");
  const auto listener = std::make_shared<Listener>();
  f.partition->listeners().add(listener);
  f.put("b", "2");
  CHECK(listener->calls == 1);
  CHECK(f.world->counters.appended_records.value() == 0);
  f.partition->abandon();
  CHECK(listener->calls == 2);
  CHECK(f.partition->is_deleted());
  CHECK(f.world->counters.appended_records.value() == 2);
  f.partition->listeners().remove(listener);
  f.partition.reset();
  CHECK(f.world->counters.appended_records.value() == 2);
}

}  // namespace
}  // namespace seriatim::test
