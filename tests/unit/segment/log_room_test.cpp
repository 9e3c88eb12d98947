#include "segment/log_room.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <vector>

#include "support/mounted.hpp"
#include "unit/segment/segment_fixture.hpp"

using namespace seriatim;
using test::LogBuilder;
using test::t0_ms;

TEST_CASE("the file grows from 1 MiB, doubling to 64 MiB, and not past the segment's size") {
  test::SegmentFixture f;
  f.limits.segment_bytes = 300ULL << 20;
  const auto writer = f.create();
  CHECK(test::file_size(f.log_path()) == 0);  // an idle topic costs nothing
  // Filling memory would only slow the test down: the appender's position moves, the pages stay untouched.
  const auto batch = test::make_batch({.size_bytes = 1 << 20});
  const auto header = format::read_batch_header(batch.data());
  std::vector<std::uint64_t> sizes;
  for (Offset offset = 0; writer->has_room(batch.size(), offset); ++offset) {
    const auto placed = test::must(writer->place(batch, header, offset));
    test::must(writer->note(placed));
    writer->publish(placed);
    const auto size = test::file_size(f.log_path());
    if (sizes.empty() || size != sizes.back()) sizes.push_back(size);
    if (sizes.size() > 8) break;
  }
  std::vector<std::uint64_t> mib;
  for (const auto size : sizes) mib.push_back(size >> 20);
  CHECK(mib == std::vector<std::uint64_t>{1, 3, 7, 15, 31, 63, 127, 191, 255});
  const auto last = test::must(writer->reserve((256ULL << 20) - writer->append_position()));
  CHECK(last.size() > 0);
  CHECK(test::file_size(f.log_path()) == 300ULL << 20);
}

TEST_CASE("who takes many blocks at once says when they are taken, or were not to be had") {
  struct Keeper final : segment::SpaceKeeper {
    Result<> before_taking() override { return {}; }
    Result<> begin_taking() override {
      ++begun;
      return {};
    }
    void end_taking() noexcept override { ++ended; }
    int begun = 0;
    int ended = 0;
  };
  test::SegmentFixture f;
  Keeper keeper;
  f.context.keeper = &keeper;
  f.limits.mapped_writes = true;
  const auto writer = f.create();
  const auto log = LogBuilder().batches(2, {.size_bytes = 1000});
  for (std::size_t i = 0; i < 2; ++i) test::must(test::try_append(*writer, log[i]));
  CHECK(keeper.begun == 1);
  CHECK(keeper.ended == 1);
}

TEST_CASE("an appender asks before it takes blocks, and takes none while it may not") {
  struct Keeper final : segment::SpaceKeeper {
    Result<> before_taking() override {
      ++asked;
      if (may_take) return {};
      return Error(Errc::storage_full, "kept (by the test); nothing to be done");
    }
    bool may_take = false;
    int asked = 0;
  };
  for (const bool mapped : {true, false}) {
    CAPTURE(mapped);
    test::SegmentFixture f;
    Keeper keeper;
    f.context.keeper = &keeper;
    f.limits.mapped_writes = mapped;
    const auto writer = f.create();
    const auto log = LogBuilder().batches(2, {.size_bytes = 1000});
    const auto refused = test::try_append(*writer, log[0]);
    CHECK((!refused && refused.error().code() == Errc::storage_full));
    CHECK(test::file_size(f.log_path()) == 0);
    keeper.may_take = true;
    test::must(test::try_append(*writer, log[0]));
    const int asked = keeper.asked;
    keeper.may_take = false;
    // The space allocated already may be used.
    CHECK(test::try_append(*writer, log[1]).ok() == mapped);
    CHECK(keeper.asked == asked + (mapped ? 0 : 1));
  }
}

TEST_CASE("a full disk is an error; readers go on, and appends work again when there is space") {
  for (const bool mapped : {true, false}) {
    const bool ran = test::with_mounted("tmpfs", "size=3m", [mapped](const std::string& root) {
      test::SegmentFixture f(root);
      f.limits.mapped_writes = mapped;
      const auto writer = f.create();
      const auto segment = writer->segment();
      LogBuilder log;
      Result<> refused;
      // Not ours, and no multiple of what we ask for, so that the last chunk is not a whole one.
      test::write_file(root + "/other", std::vector<std::byte>(100'000));
      while (log.size_bytes() < (4u << 20)) {
        const auto next = LogBuilder(log.next_offset())
                              .batch({.size_bytes = 1000, .timestamp_ms = t0_ms + log.next_offset()});
        if (auto placed = test::try_append(*writer, next[0]); !placed) {
          refused = placed.error();
          break;
        }
        log.batch({.size_bytes = 1000, .timestamp_ms = t0_ms + log.next_offset()});
      }
      CHECK_FALSE(refused);
      if (refused) return;
      CHECK(refused.error().code() == Errc::storage_full);
      CHECK(refused.error().message().find(segment->log_path()) != std::string::npos);
      // Nearly all of it was used: what is asked for last is small.
      CHECK(log.size_bytes() > (3u << 20) - 100'000 - 3 * 65'536);
      CHECK(test::visible(*segment) == log.bytes());
      const auto large = LogBuilder(log.next_offset()).batch({.size_bytes = 200'000});
      CHECK(test::try_append(*writer, large[0]).error().code() == Errc::storage_full);

      std::filesystem::remove(root + "/other");
      log.batch({.size_bytes = 1000, .timestamp_ms = t0_ms + 5000});
      CHECK(test::try_append(*writer, log.back()));
      CHECK(test::visible(*segment) == log.bytes());
      CHECK(writer->seal());
      CHECK(test::read_file(segment->log_path()) == log.bytes());
    });
    if (!ran) MESSAGE("not run: mounting a tmpfs needs root");
  }
}
