#include "segment/scan/batch_stream.hpp"

#include <doctest/doctest.h>

#include "os/file/posix_vfs.hpp"
#include "support/log_builder.hpp"
#include "support/temp_dir.hpp"

using namespace seriatim;
using format::BatchFault;
using segment::BatchStream;
using test::LogBuilder;

namespace {

struct LogFile {
  test::TempDir directory;
  std::unique_ptr<os::File> file;

  explicit LogFile(base::ByteSpan bytes) {
    test::write_file(directory / "log", bytes);
    file = *os::posix_vfs().open(directory / "log", os::OpenMode::read);
  }
};

constexpr std::uint64_t whole_file = ~std::uint64_t{0};

}  // namespace

TEST_CASE("a stream returns every batch whole and in order, then the end for ever") {
  LogBuilder log;
  // Smaller and larger than the window, so that batches cross its border in many ways.
  for (int i = 0; i < 60; ++i) log.batch({.size_bytes = static_cast<std::size_t>(200 + 17'011 * (i % 37))});
  const LogFile on_disk(log.bytes());
  BatchStream stream(*on_disk.file, 0, whole_file, 0);
  for (const auto& expected : log.all()) {
    const auto item = stream.next();
    REQUIRE(item);
    CHECK(item->fault == BatchFault::none);
    CHECK(item->position == expected.position);
    CHECK(item->header == expected.header);
    CHECK(std::equal(item->bytes.begin(), item->bytes.end(), expected.bytes.begin(), expected.bytes.end()));
  }
  for (int i = 0; i < 2; ++i) {
    const auto item = stream.next();
    REQUIRE(item);
    CHECK(item->at_end);
    CHECK(item->position == log.size_bytes());
  }
  CHECK(stream.expected_offset() == log.next_offset());
}

TEST_CASE("an empty range is the normal end") {
  const LogFile on_disk({});
  BatchStream stream(*on_disk.file, 0, 0, 7);
  const auto item = stream.next();
  REQUIRE(item);
  CHECK(item->at_end);
  CHECK(stream.expected_offset() == 7);
}

TEST_CASE("a flipped bit stops the stream at its batch, and it stays stopped") {
  const auto log = LogBuilder().batches(3, {.size_bytes = 300});
  auto bytes = log.bytes();
  bytes[log[1].position + 100] ^= std::byte{1};
  const LogFile on_disk(bytes);
  BatchStream stream(*on_disk.file, 0, whole_file, 0);
  CHECK(stream.next()->fault == BatchFault::none);
  for (int i = 0; i < 2; ++i) {
    const auto item = stream.next();
    REQUIRE(item);
    CHECK(item->fault == BatchFault::bad_crc);
    CHECK(item->position == log[1].position);
  }
}

TEST_CASE("trusted bytes are walked without their checksum, and batches that reach beyond are not") {
  const auto log = LogBuilder().batches(3, {.size_bytes = 300});
  auto bytes = log.bytes();
  bytes[log[0].position + 100] ^= std::byte{1};
  bytes[log[1].position + 100] ^= std::byte{1};
  const LogFile on_disk(bytes);
  BatchStream stream(*on_disk.file, 0, whole_file, 0);
  stream.trust_crc_below(log[1].end() - 1);
  CHECK(stream.next()->fault == BatchFault::none);
  CHECK(stream.next()->fault == BatchFault::bad_crc);
}

TEST_CASE("a length that reaches beyond the end is a torn batch, not memory to be had") {
  const auto log = LogBuilder().batches(2, {.size_bytes = 300});
  auto bytes = log.bytes();
  base::store_be<std::int32_t>(bytes.data() + log[1].position + format::length_at, 0x7FFFFFFF);
  const LogFile on_disk(bytes);
  BatchStream stream(*on_disk.file, 0, whole_file, 0);
  CHECK(stream.next()->fault == BatchFault::none);
  CHECK(stream.next()->fault == BatchFault::truncated);
}

TEST_CASE("zeros are the end of the log, and so are fewer bytes than a header if they are zero") {
  for (const std::size_t zeros : {std::size_t{1}, std::size_t{60}, std::size_t{61}, std::size_t{5000}}) {
    const auto log = LogBuilder().batches(2, {.size_bytes = 300});
    auto bytes = log.bytes();
    bytes.resize(bytes.size() + zeros);
    const LogFile on_disk(bytes);
    BatchStream stream(*on_disk.file, 0, whole_file, 0);
    CHECK(stream.next()->fault == BatchFault::none);
    CHECK(stream.next()->fault == BatchFault::none);
    const auto end = stream.next();
    CHECK(end->fault == BatchFault::end_of_log);
    CHECK(end->position == log.size_bytes());
  }
}

TEST_CASE("a base offset below the expected one is a fault although the checksum fits") {
  const auto log = LogBuilder().batches(2, {.size_bytes = 300});
  auto bytes = log.bytes();
  format::stamp_base_offset(bytes.data() + log[1].position, 0);
  const LogFile on_disk(bytes);
  BatchStream stream(*on_disk.file, 0, whole_file, 0);
  CHECK(stream.next()->fault == BatchFault::none);
  CHECK(stream.next()->fault == BatchFault::wrong_offset);
}

TEST_CASE("a stream can go on behind a fault where a batch is known to begin") {
  const auto log = LogBuilder().batches(4, {.size_bytes = 300});
  auto bytes = log.bytes();
  bytes[log[1].position + format::magic_at] = std::byte{9};
  const LogFile on_disk(bytes);
  BatchStream stream(*on_disk.file, 0, whole_file, 0);
  CHECK(stream.next()->fault == BatchFault::none);
  CHECK(stream.next()->fault == BatchFault::bad_magic);
  stream.resume_at(log[3].position, 3);
  const auto item = stream.next();
  CHECK(item->fault == BatchFault::none);
  CHECK(item->header.base_offset == 3);
  CHECK(stream.next()->at_end);
}

TEST_CASE("a failing read is an error, not a fault of the bytes") {
  class FailingFile final : public os::File {
   public:
    Result<std::size_t> read_at(base::MutableByteSpan, std::uint64_t) override {
      return Error(Errc::io_error, "the sector is gone", 5);
    }
    Result<void> write_at(base::ByteSpan, std::uint64_t) override { return {}; }
    Result<void> write_gather_at(std::span<const base::ByteSpan>, std::uint64_t) override { return {}; }
    Result<void> allocate(std::uint64_t, std::uint64_t) override { return {}; }
    Result<void> truncate(std::uint64_t) override { return {}; }
    Result<void> sync_data() override { return {}; }
    Result<void> sync_all() override { return {}; }
    Result<std::uint64_t> size() override { return std::uint64_t{1000}; }
    Result<os::Mapping> map(std::uint64_t, os::Access) override { return os::Mapping(); }
    Result<void> drop_cache(std::uint64_t, std::uint64_t) override { return {}; }
    int descriptor() const noexcept override { return -1; }
    const std::string& path() const noexcept override { return path_; }
    Result<std::int64_t> modified_ms() override { return std::int64_t{0}; }
    Result<void> set_modified_ms(std::int64_t) override { return {}; }

   private:
    std::string path_ = "failing";
  } file;
  BatchStream stream(file, 0, 1000, 0);
  const auto item = stream.next();
  REQUIRE_FALSE(item);
  CHECK(item.error().code() == Errc::io_error);
}
