#include "format/file_name.hpp"

#include <limits>
#include <string>

#include <doctest/doctest.h>

using namespace seriatim;
using namespace seriatim::format;

namespace {

constexpr const char* unique_id = "0123456789abcdef0123456789abcdef";

}  // namespace

TEST_CASE("files are named as Kafka names them") {
  CHECK(file_name(42, FileKind::log) == "00000000000000000042.log");
  CHECK(file_name(0, FileKind::offset_index) == "00000000000000000000.index");
  CHECK(file_name(7, FileKind::time_index, FileState::swap) == "00000000000000000007.timeindex.swap");
  CHECK(file_name(7, FileKind::transaction_index, FileState::cleaned) ==
        "00000000000000000007.txnindex.cleaned");
  CHECK(file_name(7, FileKind::snapshot, FileState::deleted) == "00000000000000000007.snapshot.deleted");
  CHECK(file_name(std::numeric_limits<Offset>::max(), FileKind::log) == "09223372036854775807.log");
}

TEST_CASE("every name is parsed back to what it was made of") {
  for (const Offset offset : {Offset{0}, Offset{42}, std::numeric_limits<Offset>::max()}) {
    for (int kind = 0; kind <= static_cast<int>(FileKind::snapshot); ++kind) {
      for (int state = 0; state <= static_cast<int>(FileState::swap); ++state) {
        const FileName name{offset, static_cast<FileKind>(kind), static_cast<FileState>(state)};
        const std::string text = file_name(name.offset, name.kind, name.state);
        CAPTURE(text);
        const auto parsed = parse_file_name(text);
        REQUIRE(parsed.has_value());
        CHECK(*parsed == name);
      }
    }
  }
}

TEST_CASE("names that are not exactly so are not ours") {
  for (const char* name : {"",
                           "0.log",
                           "42.log",
                           "0000000000000000042.log",
                           "000000000000000000042.log",
                           "00000000000000000042",
                           "00000000000000000042.",
                           "00000000000000000042.lo",
                           "00000000000000000042.logs",
                           "00000000000000000042.log.",
                           "00000000000000000042.log.tmp",
                           "00000000000000000042.swap",
                           "00000000000000000042.log.swap.swap",
                           "-0000000000000000042.log",
                           "+0000000000000000042.log",
                           " 0000000000000000042.log",
                           "0000000000000000004x.log",
                           "09223372036854775808.log",
                           "99999999999999999999.log",
                           "00000000000000000042.LOG",
                           "leader-epoch-checkpoint",
                           "partition.metadata"}) {
    CAPTURE(name);
    CHECK_FALSE(parse_file_name(name).has_value());
  }
}

TEST_CASE("a partition's directory is named and parsed") {
  CHECK(partition_directory("orders", 0) == "orders-0");
  for (const auto& [topic, partition] : {std::pair{"orders", 0}, {"a-b.c_D-9", 10'000}, {"x", 2147483647}}) {
    const auto parsed = parse_partition_directory(partition_directory(topic, partition));
    REQUIRE(parsed.has_value());
    CHECK(parsed->topic_partition == TopicPartition{topic, partition});
    CHECK(parsed->state == DirectoryState::live);
  }
}

TEST_CASE("directories that are no partition's are not parsed") {
  for (const std::string name :
       {"", "orders", "orders-", "-0", "orders-01", "orders-00", "orders-x", "orders-1x", "orders-+1",
        "orders-2147483648", "or ders-0", "..-0", "catalog", "orders-0.delete", "orders-0.0123-delete"}) {
    CAPTURE(name);
    CHECK_FALSE(parse_partition_directory(name).has_value());
  }
  CHECK_FALSE(parse_partition_directory(std::string(250, 'a') + "-0").has_value());
  CHECK_FALSE(parse_partition_directory(std::string("orders-0.") + unique_id + "-gone").has_value());
  CHECK_FALSE(parse_partition_directory(std::string("orders.") + unique_id + "-delete").has_value());
  CHECK_FALSE(parse_partition_directory("orders-0.0123456789ABCDEF0123456789ABCDEF-delete").has_value());
}

TEST_CASE("a partition that is being deleted has a name of its own") {
  const std::string name = deleted_partition_directory({"orders", 3}, unique_id);
  CHECK(name == std::string("orders-3.") + unique_id + "-delete");
  const auto parsed = parse_partition_directory(name);
  REQUIRE(parsed.has_value());
  CHECK(parsed->topic_partition == TopicPartition{"orders", 3});
  CHECK(parsed->state == DirectoryState::deleted);
}

TEST_CASE("the name of a deleted partition is cut to what a file system takes") {
  const std::string topic(249, 't');
  const std::string name = deleted_partition_directory({topic, 9999}, unique_id);
  CHECK(name.size() == 255);
  const auto parsed = parse_partition_directory(name);
  REQUIRE(parsed.has_value());
  CHECK(parsed->topic_partition.partition == 9999);
  CHECK(topic.starts_with(parsed->topic_partition.topic));
}

TEST_CASE("Kafka's other directory states are recognised") {
  const auto future = parse_partition_directory(std::string("orders-3.") + unique_id + "-future");
  REQUIRE(future.has_value());
  CHECK(future->state == DirectoryState::future);
  const auto stray = parse_partition_directory(std::string("orders-3.") + unique_id + "-stray");
  REQUIRE(stray.has_value());
  CHECK(stray->state == DirectoryState::stray);
}
