#include <seriatim/log_reader.hpp>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <thread>

#include "support/log_builder.hpp"
#include "unit/api/reading_fixture.hpp"
#include "unit/api/writer_process.hpp"

namespace seriatim::test {
namespace {

struct ManySegments : OpenedEngine {
  ManySegments() : OpenedEngine(1, {{"segment.bytes", "1500"}}) {
    const auto partition = must(seriatim::detail::EngineImpl::of(engine)->partition("t", 0));
    for (int i = 0; partition->segments().load()->size() < 4; ++i) {
      append_batch(engine, t0, {.records = 1 + i % 4, .frame = {.codec = static_cast<format::Codec>(i % 5)}});
    }
    end = partition->log_end_offset();
  }
  Offset end = 0;
};

TEST_CASE("fetched slices, sent to a file one after another, are the log byte for byte") {
  ManySegments opened;
  const auto reader = must(opened.engine.reader(t0));
  const std::string copy = opened.directory / "copy";
  const int out = ::open(copy.c_str(), O_CREAT | O_WRONLY, 0600);
  std::vector<std::byte> expected;
  for (Offset at = 0; at < reader.high_watermark();) {
    const auto slice = must(reader.fetch(at, 700));
    REQUIRE_FALSE(slice.empty());
    CHECK(slice.first_offset() <= at);
    expected.insert(expected.end(), slice.bytes().begin(), slice.bytes().end());
    std::size_t sent = 0;
    while (sent < slice.size()) sent += must(reader.send_to(out, slice, sent));
    CHECK(must(reader.send_to(out, slice, sent)) == 0);
    at = slice.next_offset();
  }
  ::close(out);
  CHECK(read_file(copy) == expected);
  CHECK(opened.engine.metrics().sent_bytes == expected.size());
}

TEST_CASE("a slice goes over a socket or pipe in as many calls as it takes") {
  bool is_pipe = false;
  SUBCASE("socket") {}
  SUBCASE("pipe") { is_pipe = true; }
  OpenedEngine opened;
  append_batch(opened.engine, t0, {.value = std::string(900'000, 'x')});
  const auto reader = must(opened.engine.reader(t0));
  const auto slice = must(reader.fetch(0));
  std::array<int, 2> ends{};
  if (is_pipe) {
    REQUIRE(::pipe2(ends.data(), O_NONBLOCK) == 0);
    std::swap(ends[0], ends[1]);  // The first sends, as of the sockets.
  } else {
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()) == 0);
  }
  std::vector<std::byte> received;
  std::size_t sent = must(reader.send_to(ends[0], slice));
  CHECK(sent < slice.size());
  CHECK(must(reader.send_to(ends[0], slice, sent)) == 0);  // Full: not an error, and nothing is waited for.
  int calls = 0;
  while (received.size() < slice.size()) {
    if (sent < slice.size()) sent += must(reader.send_to(ends[0], slice, sent));
    ++calls;
    std::array<std::byte, 65'536> buffer{};
    for (ssize_t got = ::read(ends[1], buffer.data(), buffer.size()); got > 0;
         got = ::read(ends[1], buffer.data(), buffer.size())) {
      received.insert(received.end(), buffer.begin(), buffer.begin() + got);
    }
  }
  CHECK(calls > 1);
  CHECK(std::equal(received.begin(), received.end(), slice.bytes().begin(), slice.bytes().end()));
  ::close(ends[1]);
  auto gone = reader.send_to(ends[0], slice);
  REQUIRE_FALSE(gone);
  CHECK(gone.error().sys_errno() == EPIPE);
  CHECK(code_of(reader.send_to(ends[0], slice, slice.size() + 1)) == Errc::invalid_argument);
  ::close(ends[0]);
}

TEST_CASE("a fetch outside the log or with a senseless limit is refused") {
  OpenedEngine opened;
  append_batch(opened.engine, t0);
  const auto reader = must(opened.engine.reader(t0));
  CHECK(code_of(reader.fetch(2)) == Errc::offset_out_of_range);
  CHECK(code_of(reader.fetch(-1)) == Errc::offset_out_of_range);
  CHECK(code_of(reader.fetch(0, 0)) == Errc::invalid_argument);
  CHECK(code_of(reader.fetch(0, std::size_t{1} << 31)) == Errc::invalid_argument);
  const auto at_end = must(reader.fetch(1));
  CHECK(at_end.empty());
  CHECK(at_end.next_offset() == 1);
}

TEST_CASE("read returns the records from an offset on, across segments and codecs") {
  ManySegments opened;
  const auto reader = must(opened.engine.reader(t0));
  for (Offset from = 0; from <= opened.end; ++from) {
    const auto records = must(reader.read(from, 7));
    REQUIRE(records.count() == static_cast<std::size_t>(std::min<Offset>(7, opened.end - from)));
    for (std::size_t i = 0; i < records.count(); ++i) {
      CHECK(records[i].offset() == from + static_cast<Offset>(i));
      CHECK(records[i].value().text() == "v" + std::to_string(records[i].offset()));
    }
  }
  CHECK(must(reader.read(0, 1'000'000)).count() == static_cast<std::size_t>(opened.end));
}

TEST_CASE("read_backward returns the records below an offset, newest first") {
  ManySegments opened;
  const auto reader = must(opened.engine.reader(t0));
  for (Offset before = 0; before <= opened.end; ++before) {
    const auto records = must(reader.read_backward(before, 7));
    REQUIRE(records.count() == static_cast<std::size_t>(std::min<Offset>(7, before)));
    for (std::size_t i = 0; i < records.count(); ++i) {
      CHECK(records[i].offset() == before - 1 - static_cast<Offset>(i));
      CHECK(records[i].value().text() == "v" + std::to_string(records[i].offset()));
    }
    if (before > 0) CHECK(records.next_offsets().at(t0).offset == before);
  }
}

TEST_CASE("backward reads end at the log start, in the middle of a batch if need be") {
  OpenedEngine opened;
  append_batch(opened.engine, t0, {.records = 10});
  must(opened.engine.admin().delete_records(t0, 4));
  const auto reader = must(opened.engine.reader(t0));
  CHECK(offsets_of(must(reader.read_backward(8, 100))) == std::vector<Offset>{7, 6, 5, 4});
}

TEST_CASE("a record is found by its offset") {
  ManySegments opened;
  const auto reader = must(opened.engine.reader(t0));
  for (Offset offset = 0; offset < opened.end; ++offset) {
    const auto record = must(reader.record_at(offset));
    REQUIRE(record.count() == 1);
    CHECK(record[0].offset() == offset);
  }
  CHECK(code_of(reader.record_at(opened.end)) == Errc::offset_out_of_range);
  CHECK(code_of(reader.record_at(-1)) == Errc::offset_out_of_range);
}

TEST_CASE("an offset that compaction took has no record") {
  OpenedEngine opened;
  append_batch(opened.engine, t0);
  std::vector<std::byte> emptied(format::header_bytes);
  format::write_batch_header(emptied.data(), {});
  format::seal_batch(emptied);
  must(must(seriatim::detail::EngineImpl::of(opened.engine)->partition("t", 0))
           ->append(format::framed_batch(emptied)));
  append_batch(opened.engine, t0);
  const auto reader = must(opened.engine.reader(t0));
  CHECK(must(reader.record_at(1)).empty());
  CHECK(offsets_of(must(reader.read(1, 10))) == std::vector<Offset>{2});
}

TEST_CASE("reads outside the log or of a senseless number are refused") {
  OpenedEngine opened;
  append_batch(opened.engine, t0);
  const auto reader = must(opened.engine.reader(t0));
  CHECK(code_of(reader.read(2, 1)) == Errc::offset_out_of_range);
  CHECK(code_of(reader.read(-1, 1)) == Errc::offset_out_of_range);
  CHECK(code_of(reader.read_backward(2, 1)) == Errc::offset_out_of_range);
  for (const std::size_t count : {std::size_t{0}, std::size_t{1'000'001}}) {
    CHECK(code_of(reader.read(0, count)) == Errc::invalid_argument);
    CHECK(code_of(reader.read_backward(1, count)) == Errc::invalid_argument);
  }
}

TEST_CASE("damage is an error of every kind of read") {
  OpenedEngine opened;
  append_batch(opened.engine, t0);
  overwrite(log_path(opened.engine, t0), format::magic_at, "\x09");
  const auto reader = must(opened.engine.reader(t0));
  CHECK(code_of(reader.fetch(0)) == Errc::corrupt_record);
  CHECK(code_of(reader.read(0, 1)) == Errc::corrupt_record);
  CHECK(code_of(reader.read_backward(1, 1)) == Errc::corrupt_record);
  CHECK(code_of(reader.record_at(0)) == Errc::corrupt_record);
}

TEST_CASE("a reader of a missing partition is not made; one of a deleted topic or a closed engine says so") {
  OpenedEngine opened;
  CHECK(code_of(opened.engine.reader({"u", 0})) == Errc::unknown_topic_or_partition);
  CHECK(code_of(opened.engine.reader({"t", 1})) == Errc::unknown_topic_or_partition);
  const auto reader = must(opened.engine.reader(t0));
  create_topic(opened.engine, "u");
  const auto other = must(opened.engine.reader({"u", 0}));
  must(opened.engine.admin().delete_topic("u"));
  CHECK(code_of(other.read(0, 1)) == Errc::unknown_topic_or_partition);
  must(opened.engine.close());
  CHECK(code_of(reader.read(0, 1)) == Errc::closed);
  CHECK(code_of(reader.fetch(0)) == Errc::closed);
  CHECK(code_of(reader.send_to(1, FileSlice())) == Errc::closed);
}

TEST_CASE("one reader serves many threads") {
  ManySegments opened;
  const auto reader = must(opened.engine.reader(t0));
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 300; ++i) {
        const Offset offset = (i * 7 + t) % opened.end;
        const auto record = reader.record_at(offset);
        const auto below = reader.read_backward(offset + 1, 1);
        if (!record || !below || (*record)[0].offset() != offset || (*below)[0].offset() != offset) ++wrong;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(wrong == 0);
}

TEST_CASE("a read-only reader sees what another process appends, without being told") {
  WriterProcess writer;
  const auto engine = open_engine(writer.directory(), {.mode = OpenMode::read_only});
  const auto reader = must(engine.reader(t0));
  CHECK(must(reader.fetch(0)).empty());
  writer.append({.records = 3});
  CHECK(must(reader.read(0, 10)).count() == 3);
  CHECK(reader.high_watermark() == 3);
  CHECK(reader.log_end_offset() == 3);
  CHECK(reader.log_start_offset() == 0);
  writer.append({.records = 2});
  CHECK(must(reader.fetch(0)).next_offset() == 5);
}

}  // namespace
}  // namespace seriatim::test
