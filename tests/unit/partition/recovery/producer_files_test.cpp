// The producers that the snapshot files bring back after a restart.
#include "partition/producer_state.hpp"
#include "support/log_builder.hpp"
#include "unit/partition/read/reader_fixture.hpp"

namespace seriatim::test {
namespace {

using partition::ProducerState;

TEST_CASE("the last five batches are kept across a restart; without their file the last one is") {
  const TempDir temp;
  ProducerState state;
  const LogBuilder log = [] {
    LogBuilder built;
    for (int i = 0; i < 6; ++i)
      built.batch({.producer_id = some_producer, .producer_epoch = 0, .sequence = i});
    return built;
  }();
  for (const BuiltBatch& batch : log.all()) must(state.note(batch.header, batch.bytes));
  must(state.write_snapshot(os::posix_vfs(), temp.path(), t0_ms));
  ProducerState loaded;
  CHECK_FALSE(must(loaded.load_snapshot(os::posix_vfs(), temp.path(), 6)));
  REQUIRE(loaded.find(some_producer));
  CHECK(loaded.find(some_producer)->batches.all().size() == 5);
  CHECK(loaded.find(some_producer)->batches.find(1, 1)->base_offset == 1);
  const std::string window = temp / format::file_name(6, format::FileKind::producers);
  overwrite(window, 30, "\x7F");
  const auto fault = must(loaded.load_snapshot(os::posix_vfs(), temp.path(), 6));
  REQUIRE(fault);
  CHECK(fault->message().find(window) != std::string::npos);
  CHECK(loaded.find(some_producer)->batches.all().size() == 1);
  CHECK(loaded.find(some_producer)->next_sequence() == 6);
  std::filesystem::remove(window);
  CHECK_FALSE(must(loaded.load_snapshot(os::posix_vfs(), temp.path(), 6)));
  CHECK(loaded.find(some_producer)->batches.newest().first_sequence == 5);
}

TEST_CASE("a window of another time than its snapshot is not believed") {
  const TempDir temp;
  ProducerState state;
  const LogBuilder log =
      LogBuilder().batches(1, {.producer_id = some_producer, .producer_epoch = 0, .sequence = 0});
  must(state.note(log.all()[0].header, log.all()[0].bytes));
  must(state.write_snapshot(os::posix_vfs(), temp.path(), t0_ms));
  const auto of_offset = [&](Offset offset) {
    return temp / format::file_name(offset, format::FileKind::producers);
  };
  const LogBuilder more =
      LogBuilder(1).batch({.producer_id = some_producer, .producer_epoch = 0, .sequence = 1});
  must(state.note(more.all()[0].header, more.all()[0].bytes));
  must(state.write_snapshot(os::posix_vfs(), temp.path(), t0_ms));
  std::filesystem::copy_file(of_offset(1), of_offset(2), std::filesystem::copy_options::overwrite_existing);
  ProducerState loaded;
  CHECK_FALSE(must(loaded.load_snapshot(os::posix_vfs(), temp.path(), 2)));
  CHECK(loaded.find(some_producer)->batches.all().size() == 1);
  CHECK(loaded.find(some_producer)->batches.newest().base_offset == 1);
}

}  // namespace
}  // namespace seriatim::test
