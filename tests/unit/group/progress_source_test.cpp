#include "group/progress_source.hpp"

#include <doctest/doctest.h>

#include <array>
#include <map>

#include "support/must.hpp"

namespace seriatim::group {
namespace {

using test::must;

struct KnownNeeds final : ProgressSource {
  Result<std::optional<Offset>> needed_from(std::string_view group, const TopicPartition& at) const override {
    if (at.topic == "deleted") return Error(Errc::unknown_topic_or_partition, "deleted");
    const auto found = offsets.find(group);
    return found == offsets.end() ? std::optional<Offset>() : std::optional<Offset>(found->second);
  }
  std::uint64_t progress_lsn() const override { return 0; }
  std::map<std::string, Offset, std::less<>> offsets{};
};

struct TwoKinds {
  std::optional<GroupNeed> slowest(const std::vector<std::string>& groups) const {
    return must(slowest_of(groups, {"t", 0}, sources));
  }
  KnownNeeds consumers{};
  KnownNeeds shares{};
  std::array<const ProgressSource*, 2> sources{&consumers, &shares};
};

TEST_CASE("the slowest of some groups is the one that needs the lowest offset, of whatever kind it is") {
  TwoKinds known;
  known.consumers.offsets = {{"a", 7}, {"b", 5}};
  known.shares.offsets = {{"s", 6}, {"q", 3}};
  CHECK_FALSE(known.slowest({}));
  CHECK(known.slowest({"a"})->from == 7);
  CHECK(known.slowest({"a", "b", "s"})->group == "b");
  const auto share = known.slowest({"a", "s", "q", "b"});
  CHECK(share->group == "q");
  CHECK(share->from == 3);
}

TEST_CASE("a group that nobody knows needs everything") {
  TwoKinds known;
  known.consumers.offsets = {{"a", 7}};
  const auto slowest = known.slowest({"a", "never seen"});
  CHECK(slowest->group == "never seen");
  CHECK(slowest->from == 0);
}

TEST_CASE("of two kinds that have a group of one name, the lower offset counts") {
  TwoKinds known;
  known.consumers.offsets = {{"a", 7}};
  known.shares.offsets = {{"a", 4}};
  CHECK(known.slowest({"a"})->from == 4);
  known.shares.offsets["a"] = 9;
  CHECK(known.slowest({"a"})->from == 7);
}

TEST_CASE("the error of a source is the answer") {
  const TwoKinds known;
  const auto failed = slowest_of({"a"}, {"deleted", 0}, known.sources);
  REQUIRE_FALSE(failed.ok());
  CHECK(failed.error().code() == Errc::unknown_topic_or_partition);
}

}  // namespace
}  // namespace seriatim::group
