#include "text/quantity.hpp"

#include <doctest/doctest.h>

namespace seriatim::cli {
namespace {

TEST_CASE("partition lists are sorted, without repeats, and bounded") {
  CHECK(parse_partitions("3").value() == std::vector<PartitionId>{3});
  CHECK(parse_partitions("5,2-4,3").value() == std::vector<PartitionId>{2, 3, 4, 5});
  for (const char* const wrong : {"", ",", "1,", "a", "4-2", "-1", "1-", "0-10000", "99999999999"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_partitions(wrong).ok());
  }
}

TEST_CASE("delimiters know C's escapes") {
  CHECK(parse_delimiter("\\n").value() == "\n");
  CHECK(parse_delimiter("a\\tb\\\\").value() == "a\tb\\");
  CHECK(parse_delimiter("\\x00\\xfF").value() == std::string("\0\xff", 2));
  for (const char* const wrong : {"\\", "\\q", "\\x1", "\\xg0"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_delimiter(wrong).ok());
  }
}

TEST_CASE("numbers are shown as people read them") {
  CHECK(count_of(1, "record") == "1 record");
  CHECK(count_of(0, "record") == "0 records");
  CHECK(count_of(2, "batch", "batches") == "2 batches");
  CHECK(readable_size(0) == "0 B");
  CHECK(readable_size(1023) == "1023 B");
  CHECK(readable_size(1536) == "1.5 KiB");
  CHECK(readable_duration(std::chrono::nanoseconds(11'400)) == "11 us");
  CHECK(readable_duration(std::chrono::nanoseconds(2'900'000)) == "2.9 ms");
}

}  // namespace
}  // namespace seriatim::cli
