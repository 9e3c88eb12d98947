#include "format/murmur2.hpp"

#include <array>
#include <string_view>

#include <doctest/doctest.h>

using namespace seriatim;
using namespace seriatim::format;
using namespace std::string_view_literals;

namespace {

struct Row {
  std::string_view key;
  std::int32_t hash;
  PartitionId of_3;
  PartitionId of_8;
  PartitionId of_12;
};

constexpr std::array rows{
    Row{""sv, 275646681, 0, 1, 9},
    Row{"21"sv, -973932308, 0, 4, 0},
    Row{"foobar"sv, -790332482, 0, 6, 6},
    Row{"a-little-bit-long-string"sv, -985981536, 2, 0, 8},
    Row{"a-little-bit-longer-string"sv, -1486304829, 2, 3, 11},
    Row{"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8"sv, -58897971, 2, 5, 5},
    Row{"abc"sv, 479470107, 0, 3, 3},
    Row{"a"sv, -1563381124, 1, 4, 4},
    Row{"ab"sv, 316155434, 2, 2, 2},
    Row{"abcd"sv, -1323649548, 2, 4, 8},
    Row{"\x00"sv, 375494588, 2, 4, 8},
    Row{"\xff"sv, -311467685, 0, 3, 3},
    Row{"\xff\xff\xff\xff"sv, 644171429, 2, 5, 5},
    Row{"key-0"sv, 29210041, 1, 1, 1},
    Row{"key-1"sv, 193331640, 0, 0, 0},
    Row{"key-2"sv, 852269702, 2, 6, 2},
    Row{"\x00\x00\x00\x01"sv, -173113808, 0, 0, 0},
    Row{"\x00\x00\x00\x00\x00\x00\x00\x01"sv, 2100486060, 0, 4, 0},
    Row{"ключ"sv, 2122343024, 2, 0, 8},
};

}  // namespace

TEST_CASE("keys hash and go to partitions as with Kafka's Java client") {
  for (const Row& row : rows) {
    CAPTURE(row.key);
    CHECK(static_cast<std::int32_t>(murmur2(base::as_bytes(row.key))) == row.hash);
    CHECK(partition_for_key(base::as_bytes(row.key), 3) == row.of_3);
    CHECK(partition_for_key(base::as_bytes(row.key), 8) == row.of_8);
    CHECK(partition_for_key(base::as_bytes(row.key), 12) == row.of_12);
    CHECK(partition_for_key(base::as_bytes(row.key), 1) == 0);
  }
}
