#include "inspect/verify_segment.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "format/batch_header.hpp"
#include "format/batch_layout.hpp"
#include "format/index_entry.hpp"
#include "os/file/posix_vfs.hpp"
#include "support/hex.hpp"
#include "support/log_builder.hpp"
#include "support/temp_dir.hpp"

namespace seriatim::inspect {
namespace {

using test::LogBuilder;
using test::TempDir;

/// A segment file of the test's own making, with an index of one entry per batch.
struct MadeSegment {
  explicit MadeSegment(const LogBuilder& log) : bytes(log.bytes()) {
    for (const auto& batch : log.all()) {
      const auto relative = static_cast<std::int32_t>(batch.header.last_offset());
      index.push_back({relative, static_cast<std::int32_t>(batch.position)});
    }
    time_index.push_back(
        {log.back().header.max_timestamp_ms, static_cast<std::int32_t>(log.back().header.last_offset())});
  }
  VerifyReport verify(SegmentToVerify segment = {}) {
    segment.directory = directory.path();
    segment.shown_directory = "log/t-0";
    std::vector<std::byte> entries(index.size() * format::offset_index_entry_bytes);
    for (std::size_t i = 0; i < index.size(); ++i)
      format::store_offset_index_entry(entries.data() + i * format::offset_index_entry_bytes, index[i]);
    std::vector<std::byte> times(time_index.size() * format::time_index_entry_bytes);
    for (std::size_t i = 0; i < time_index.size(); ++i)
      format::store_time_index_entry(times.data() + i * format::time_index_entry_bytes, time_index[i]);
    test::write_file(directory / "00000000000000000000.log", bytes);
    test::write_file(directory / "00000000000000000000.index", entries);
    test::write_file(directory / "00000000000000000000.timeindex", times);
    if (!aborted.empty())
      test::write_file(directory / "00000000000000000000.txnindex",
                       format::encode_aborted_transactions(aborted));
    VerifiedTransactions transactions;
    if (segment.transactions == nullptr) segment.transactions = &transactions;
    VerifyReport report;
    const auto verified = verify_segment(os::posix_vfs(), segment, {}, report);
    REQUIRE_MESSAGE(verified.ok(), verified.error().message());
    end = verified->value_or(-1);
    return report;
  }

  TempDir directory;
  std::vector<std::byte> bytes;
  std::vector<format::OffsetIndexEntry> index;
  std::vector<format::TimeIndexEntry> time_index;
  std::vector<format::AbortedTransaction> aborted;
  Offset end = -1;
};

LogBuilder five_batches() { return LogBuilder().batches(5, {.records = 2}); }

void check_one(const VerifyReport& report, Severity severity, std::string_view suffix) {
  REQUIRE(report.findings.size() == 1);
  CAPTURE(report.findings[0].what);
  CHECK(report.findings[0].severity == severity);
  CHECK(report.findings[0].path.ends_with(suffix));
}

TEST_CASE("a sound segment is counted and its end returned") {
  MadeSegment segment(five_batches());
  const VerifyReport report = segment.verify();
  CHECK(report.findings.empty());
  CHECK(report.batches == 5);
  CHECK(report.records == 10);
  CHECK(report.bytes == segment.bytes.size());
  CHECK(segment.end == 10);
}

TEST_CASE(
    "zeros or a torn batch at the end are damage in a sealed segment, and expected in the active one behind "
    "what is durable") {
  MadeSegment segment(five_batches());
  const std::size_t whole = segment.bytes.size();
  segment.bytes.resize(whole + 4096);
  CHECK(segment.verify({.is_last = true}).findings.empty());
  check_one(segment.verify({.is_last = false}), Severity::damage, ".log");
  check_one(segment.verify({.is_last = true, .durable_bytes = whole + 1}), Severity::damage, ".log");
  segment.bytes.resize(whole - 1);
  check_one(segment.verify({.is_last = true}), Severity::note, ".log");
  CHECK(segment.end == 8);
  check_one(segment.verify({.is_last = true, .durable_bytes = whole}), Severity::damage, ".log");
}

TEST_CASE("missing offsets are damage, unless compaction may have taken them") {
  MadeSegment segment(LogBuilder().batch().gap(3).batch());
  const VerifyReport report = segment.verify();
  check_one(report, Severity::damage, ".log");
  CHECK(report.findings[0].first_offset == 1);
  CHECK(report.findings[0].last_offset == 3);
  CHECK(segment.verify({.may_have_gaps = true}).findings.empty());
}

TEST_CASE("records that do not decode are damage only a deep look finds") {
  const LogBuilder log = five_batches();
  MadeSegment segment(log);
  // The batch says one record more than it has, with a checksum that fits.
  std::byte* const batch = segment.bytes.data() + log[2].position;
  auto header = format::read_batch_header(batch);
  header.record_count = 3;
  header.last_offset_delta = 1;
  format::write_sealed_header({batch, header.size_bytes()}, header);
  const VerifyReport report = segment.verify();
  REQUIRE(report.findings.size() >= 1);
  CHECK(report.worst() == Severity::damage);
  CHECK(report.findings[0].position == log[2].position);
}

TEST_CASE("a batch that is whole but whose codec's frame is not read here is a note, not damage") {
  const LogBuilder log = five_batches();
  MadeSegment segment(log);
  std::byte* const batch = segment.bytes.data() + log[2].position;
  auto header = format::read_batch_header(batch);
  // A zstd frame with a window of 256 MiB.
  const auto frame = test::from_hex("28 b5 2f fd 00 90");
  std::copy(frame.begin(), frame.end(), batch + format::records_at);
  header.attributes = static_cast<std::int16_t>(header.attributes | static_cast<int>(format::Codec::zstd));
  format::write_sealed_header({batch, header.size_bytes()}, header);
  const VerifyReport report = segment.verify();
  check_one(report, Severity::note, ".log");
  CHECK(report.findings[0].first_offset == 4);
  CHECK(report.findings[0].last_offset == 5);
  CHECK(segment.end == 10);
}

TEST_CASE(
    "after damage the next sound batch that an index entry points at is found, and the lost offsets are "
    "told") {
  const LogBuilder log = five_batches();
  MadeSegment segment(log);
  segment.bytes[static_cast<std::size_t>(log[1].position) + 30] ^= std::byte{1};
  const VerifyReport report = segment.verify();
  check_one(report, Severity::damage, ".log");
  CHECK(report.findings[0].position == log[1].position);
  CHECK(report.findings[0].first_offset == 2);
  CHECK(report.findings[0].last_offset == 3);
  CHECK(report.records == 8);
  CHECK(segment.end == 10);
}

TEST_CASE("what is lost up to the end of a segment is told once, with its last offset if a segment follows") {
  const LogBuilder log = five_batches();
  MadeSegment segment(log);
  segment.index.clear();
  segment.bytes[static_cast<std::size_t>(log[4].position) + 30] ^= std::byte{1};
  VerifyReport report = segment.verify({.next_base = 10});
  REQUIRE(report.findings.size() >= 1);
  CHECK(report.findings[0].first_offset == 8);
  CHECK(report.findings[0].last_offset == 9);
  CHECK(segment.end == 10);  // where the next segment is expected, so that the gap is not told again
  report = segment.verify({.is_last = true, .durable_bytes = log.size_bytes()});
  REQUIRE(report.findings.size() >= 1);
  CHECK(report.findings[0].first_offset == 8);
  CHECK(report.findings[0].last_offset == -1);  // not known
}

TEST_CASE("index entries that do not lead to their batch are repairable") {
  {
    MadeSegment segment(five_batches());
    segment.index[2].position += 1;
    check_one(segment.verify(), Severity::repairable, ".index");
  }
  {
    MadeSegment segment(five_batches());
    segment.index[2].relative_offset += 1;
    check_one(segment.verify(), Severity::repairable, ".index");
  }
  {
    MadeSegment segment(five_batches());
    std::swap(segment.index[1], segment.index[2]);
    check_one(segment.verify(), Severity::repairable, ".index");
  }
  {
    MadeSegment segment(five_batches());
    segment.time_index.push_back({1, 1});
    check_one(segment.verify(), Severity::repairable, ".timeindex");
  }
  {
    MadeSegment segment(five_batches());
    segment.index.push_back({});
    CHECK(segment.verify({.is_last = true}).findings.empty());  // allocated ahead
    check_one(segment.verify({.is_last = false}), Severity::repairable, ".index");
  }
}

// The worked example of the format, whose transaction index is known.
struct SegmentOfTransactions : MadeSegment {
  SegmentOfTransactions() : MadeSegment(test::worked_example()) {
    const ProducerId a = ProducerId{1} << 42;
    aborted = {{a, 0, 8, 1}, {a + 1, 1, 11, 12}};
  }
};

TEST_CASE("INV-8: a transaction index that says what the log says is right") {
  SegmentOfTransactions made;
  CHECK(made.verify().findings.empty());
  // Of a marker that is not there yet: the writer makes the entry first.
  made.aborted.push_back({ProducerId{1} << 42, 14, 15, 16});
  CHECK(made.verify({.is_last = true}).findings.empty());
}

TEST_CASE("INV-8: an aborted transaction that its index does not tell of is found") {
  SegmentOfTransactions made;
  made.aborted.pop_back();
  const VerifyReport report = made.verify();
  check_one(report, Severity::repairable, ".txnindex");
  CHECK(report.findings[0].first_offset == 1);
  CHECK(report.findings[0].last_offset == 11);
  made.aborted.clear();
  std::filesystem::remove(made.directory / "00000000000000000000.txnindex");
  check_one(made.verify(), Severity::repairable, ".txnindex");
}

TEST_CASE("INV-8: an index that calls something else aborted is found") {
  const auto check_changed = [](auto change) {
    SegmentOfTransactions made;
    change(made.aborted);
    check_one(made.verify(), Severity::repairable, ".txnindex");
  };
  check_changed([](auto& entries) { entries[1].last_offset = 13; });  // a commit marker
  check_changed([](auto& entries) { entries[0].first_offset = 2; });
  check_changed([](auto& entries) { ++entries[0].producer_id; });
  check_changed([](auto& entries) { std::swap(entries[0], entries[1]); });
  check_changed([](auto& entries) { entries.push_back({1, 14, 15, 16}); });
}

TEST_CASE("what began before the log begins, or was compacted, is not called wrong") {
  MadeSegment emptied(LogBuilder().batch().marker(
      {.type = format::ControlType::abort, .producer_id = 5, .producer_epoch = 1, .timestamp_ms = 1}));
  emptied.aborted = {{5, 0, 1, 2}};
  check_one(emptied.verify(), Severity::repairable, ".txnindex");
  CHECK(emptied.verify({.may_have_gaps = true}).findings.empty());
  VerifiedTransactions later{.known_from = 1};
  CHECK(emptied.verify({.transactions = &later}).findings.empty());
}

TEST_CASE("an unreadable file is an error, and a stop by progress is no end") {
  MadeSegment segment(five_batches());
  static_cast<void>(segment.verify());
  VerifyReport report;
  const SegmentToVerify request{.directory = segment.directory.path(), .shown_directory = "x"};
  const auto stopped = verify_segment(
      os::posix_vfs(), request, [](std::uint64_t) { return false; }, report);
  REQUIRE(stopped.ok());
  CHECK_FALSE(stopped->has_value());
  std::filesystem::remove(segment.directory / "00000000000000000000.log");
  CHECK(verify_segment(os::posix_vfs(), request, {}, report).error().code() == Errc::not_found);
}

}  // namespace
}  // namespace seriatim::inspect
