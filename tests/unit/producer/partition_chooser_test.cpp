#include "producer/partition_chooser.hpp"

#include <doctest/doctest.h>

#include <map>
#include <set>
#include <string>

namespace seriatim::producer {
namespace {

TEST_CASE("a key's partition is Kafka's: murmur2 with the sign bit cleared") {
  PartitionChooser chooser(Partitioning::by_key, 1000, 1);
  // Kafka's own UtilsTest has the hashes: "21" -973932308, "foobar" -790332482, "a-little-bit-long-string"
  // -985981536.
  const std::map<std::string, std::int32_t> hashes{
      {"21", -973932308}, {"foobar", -790332482}, {"a-little-bit-long-string", -985981536}};
  for (const auto& [key, hash] : hashes) {
    for (const PartitionId count : {2, 3, 7, 100})
      CHECK(chooser.choose(key, 10, count) == (hash & 0x7fffffff) % count);
  }
  CHECK(chooser.choose("", 10, 5) == chooser.choose("", 10, 5));
}

TEST_CASE("without a key one partition is kept until batch_size bytes went there") {
  PartitionChooser chooser(Partitioning::by_key, 1000, 7);
  std::map<PartitionId, int> chosen;
  PartitionId last = chooser.choose(nullptr, 100, 10);
  int run = 1;
  int changes = 0;
  for (int i = 1; i < 5000; ++i) {
    const PartitionId partition = chooser.choose(nullptr, 100, 10);
    REQUIRE(partition >= 0);
    REQUIRE(partition < 10);
    ++chosen[partition];
    if (partition == last) {
      ++run;
    } else {
      CHECK(run % 10 == 0);
      run = 1;
      ++changes;
    }
    last = partition;
  }
  CHECK(changes > 300);
  // 500 draws over 10 partitions: each gets 500 records on average; a quarter of that would be a broken draw.
  CHECK(chosen.size() == 10);
  for (const auto& [partition, count] : chosen) CHECK(count > 125);
}

TEST_CASE("sticky and round robin ignore keys") {
  PartitionChooser round_robin(Partitioning::round_robin, 1000, 3);
  std::set<PartitionId> seen;
  for (int i = 0; i < 6; ++i) seen.insert(round_robin.choose("same key", 10, 6));
  CHECK(seen.size() == 6);
  PartitionChooser sticky(Partitioning::sticky, 1'000'000, 3);
  seen.clear();
  for (int i = 0; i < 50; ++i) seen.insert(sticky.choose(std::to_string(i), 10, 6));
  CHECK(seen.size() == 1);
}

TEST_CASE("producers begin at different partitions") {
  std::set<PartitionId> first;
  for (std::uint64_t seed = 0; seed < 50; ++seed)
    first.insert(PartitionChooser(Partitioning::sticky, 1000, seed).choose(nullptr, 10, 8));
  CHECK(first.size() > 4);
}

TEST_CASE("a topic of one partition needs no choice") {
  for (const auto rule : {Partitioning::by_key, Partitioning::sticky, Partitioning::round_robin}) {
    PartitionChooser chooser(rule, 1, 5);
    for (int i = 0; i < 10; ++i) CHECK(chooser.choose(i % 2 == 0 ? BytesView("k") : BytesView(), 10, 1) == 0);
  }
}

}  // namespace
}  // namespace seriatim::producer
