// A reader beside the writer says the same of damage as the writer (INV-11).
#include "partition/read/fetch_cursor.hpp"
#include "support/log_builder.hpp"
#include "unit/partition/tail/tailing_log_fixture.hpp"

namespace seriatim::test {
namespace {

using partition::FetchCursor;
using partition::FetchedBatch;
using partition::PartitionCheckpoint;
using partition::TailingLog;

/// For every offset the batch that holds it, or the error that a reader gets there.
std::string answers_of(const partition::PartitionLogPtr& log) {
  std::string answers = "end " + std::to_string(log->high_watermark());
  for (Offset at = log->log_start_offset(); at < log->high_watermark(); ++at) {
    FetchCursor cursor(log);
    FetchedBatch batch;
    auto sought = cursor.seek(at);
    auto step =
        sought ? cursor.peek(log->high_watermark(), true, batch) : Result<FetchCursor::Step>(sought.error());
    if (!step) {
      answers += ", " + std::string(name(step.error().code()));
    } else if (*step == FetchCursor::Step::end) {
      answers += ", nothing";
    } else {
      answers += ", " + std::to_string(batch.header.base_offset);
    }
  }
  return answers;
}

std::string followed_answers(const partition::PartitionRequest& request) {
  PartitionWorld world;
  const PartitionCheckpoint& stored = request.checkpoint;
  return answers_of(must(TailingLog::open(
      world.environment, {.name = request.name, .directory = request.directory, .stored = [&] {
                            return std::optional(stored);
                          }})));
}

std::string written_answers(const partition::PartitionRequest& request) {
  PartitionWorld world;
  return answers_of(must(partition::Partition::open(world.environment, request)));
}

void flip_in_file(const std::string& path, std::uint64_t at) {
  auto bytes = read_file(path);
  bytes.at(at) ^= std::byte{2};
  write_file(path, bytes);
}

TEST_CASE("a closed log of which any byte is wrong is answered as its writer answers") {
  ReaderFixture fixture;
  for (int i = 0; i < 7; ++i) fixture.append();
  const auto end = fixture.segment_of(0)->end_position();
  fixture.request.checkpoint = must(fixture.partition->close());
  fixture.partition.reset();
  const std::string kept = fixture.temp / "kept";
  std::filesystem::copy(fixture.request.directory, kept);
  for (std::uint64_t at = 0; at < end; at += 3) {
    CAPTURE(at);
    flip_in_file(fixture.log_path(0), at);
    const auto followed = followed_answers(fixture.request);
    CHECK(followed.starts_with("end 7, "));
    // Of the last batch, nothing that follows confirms the offsets to the writer.
    if (at < end / 7 * 6) {
      CHECK(followed == written_answers(fixture.request));
    } else {
      CHECK(followed.starts_with("end 7, 0, 1, 2, 3, 4, 5, "));
    }
    std::filesystem::remove_all(fixture.request.directory);
    std::filesystem::copy(kept, fixture.request.directory);
  }
}

TEST_CASE("a log that goes on behind damage is followed to its end, and the damage is told where it is") {
  ReaderFixture fixture;
  for (int i = 0; i < 7; ++i) fixture.append();
  const auto last = fixture.segment_of(0)->end_position() / 7 * 6;
  for (std::uint64_t at = 0; at < last; at += 5) {
    CAPTURE(at);
    const std::string path = fixture.log_path(0);
    const std::byte before = read_file(path)[at];
    const char wrong = static_cast<char>(before ^ std::byte{2});
    overwrite(path, at, {&wrong, 1});
    CHECK(followed_answers(fixture.request) == answers_of(fixture.partition));
    const char right = static_cast<char>(before);
    overwrite(path, at, {&right, 1});
  }
}

TEST_CASE("a closed log whose end is gone, or whose last file is, ends where it ended, with an error there") {
  for (const bool is_file_gone : {false, true}) {
    CAPTURE(is_file_gone);
    ReaderFixture fixture;
    fixture.fill(3);
    fixture.append();
    const auto end = fixture.partition->log_end_offset();
    const auto last = fixture.segment_of(end)->base_offset();
    fixture.request.checkpoint = must(fixture.partition->close());
    fixture.partition.reset();
    if (is_file_gone) {
      std::filesystem::remove(fixture.log_path(last));
    } else {
      std::filesystem::resize_file(fixture.log_path(last), 10);
    }
    const auto followed = followed_answers(fixture.request);
    CHECK(followed.starts_with("end " + std::to_string(end) + ","));
    CHECK(followed.ends_with(name(Errc::corrupt_record)));
    CHECK(followed == written_answers(fixture.request));
  }
}

TEST_CASE("a closed segment of zeros is no end of the log") {
  ReaderFixture fixture;
  fixture.fill(3);
  fixture.append();
  const auto last = fixture.segment_of(fixture.partition->log_end_offset())->base_offset();
  fixture.request.checkpoint = must(fixture.partition->close());
  fixture.partition.reset();
  for (const Offset base : {Offset{0}, last}) {
    const auto bytes = std::filesystem::file_size(fixture.log_path(base));
    write_file(fixture.log_path(base), std::vector<std::byte>(bytes));
  }
  CHECK(followed_answers(fixture.request) == written_answers(fixture.request));
}

}  // namespace
}  // namespace seriatim::test
