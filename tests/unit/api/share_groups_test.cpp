// Share groups looked at and changed.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "unit/consumer/share/share_fixture.hpp"

namespace seriatim::test {
namespace {

TEST_CASE("share: no way of storing positions makes a consumer group of a share group") {
  ShareFixture f;
  f.append({2});
  auto member = f.member(implicit_mode);
  auto producer = must(f.engine.transactional_producer({.transactional_id = "worker"}));
  for (const bool is_member : {true, false}) {
    CAPTURE(is_member);
    CHECK(code_of(f.engine.admin().alter_group_offsets("g", {{t0, {.offset = 1}}})) ==
          Errc::group_id_not_found);
    auto transaction = must(producer.begin());
    CHECK(code_of(transaction.send_offsets({{t0, {.offset = 1}}}, {.group_id = "g"})) ==
          Errc::group_id_not_found);
    must(transaction.send_offsets({{t0, {.offset = 1}}}, {.group_id = "positions"}));
    must(transaction.commit());  // It goes on.
    CHECK(must(f.engine.admin().group_offsets("g")).empty());
    must(member.close());
  }
  must(f.engine.admin().alter_group_offsets("positions", {{t0, {.offset = 2}}}));
  CHECK(must(must(f.engine.share_groups()).list()) == std::vector<std::string>{"g"});
}

TEST_CASE("share: a name is of one kind of group, and a group with members is not changed") {
  ShareFixture f;
  f.append({2});
  {
    auto consumer = must(f.engine.consumer({.group_id = "positions"}));
    must(consumer.assign({t0}));
    must(consumer.commit_sync({{t0, {.offset = 1}}}));
  }
  CHECK(code_of(f.engine.share_consumer({.group_id = "positions"})) == Errc::group_id_not_found);
  CHECK(code_of(f.engine.share_consumer({.group_id = ""})) == Errc::invalid_argument);
  auto member = f.member(implicit_mode);
  CHECK(share_polled(member) == "0x1 1x1");
  CHECK(code_of(f.engine.consumer({.group_id = "g"})) == Errc::group_id_not_found);
  const ShareGroups groups = must(f.engine.share_groups());
  CHECK(must(groups.list()) == std::vector<std::string>{"g"});
  CHECK(must(groups.describe("g")).members == 1);
  CHECK(code_of(groups.alter_offsets("g", {{t0, 0}})) == Errc::non_empty_group);
  CHECK(code_of(groups.delete_offsets("g", "t")) == Errc::non_empty_group);
  CHECK(code_of(groups.remove("g")) == Errc::non_empty_group);
  must(member.close());
  CHECK(code_of(groups.alter_offsets("g", {{t0, 3}})) == Errc::invalid_argument);
  must(groups.alter_offsets("g", {{t0, 1}}));
  auto again = f.member(implicit_mode);
  CHECK(share_polled(again) == "1x1");
  must(again.close());
  must(groups.remove("g"));
  CHECK(code_of(groups.describe("g")) == Errc::group_id_not_found);
  CHECK(code_of(groups.remove("g")) == Errc::group_id_not_found);
  CHECK(must(groups.list()).empty());
  auto anew = f.member(implicit_mode);
  CHECK(share_polled(anew) == "0x1 1x1");
}

TEST_CASE("share: a consumer that outlives the removal of its group has the default settings") {
  ShareFixture f;
  f.configure({{"share.record.lock.duration.ms", "5m"}});
  const auto consumer = f.consumer(implicit_mode);
  CHECK(consumer.acquisition_lock_timeout() == 5min);
  must(must(f.engine.share_groups()).remove("g"));
  CHECK(consumer.acquisition_lock_timeout() == 30s);
}

TEST_CASE("share: settings survive, and an empty value is the default again") {
  ShareFixture f;
  f.configure({{"share.delivery.count.limit", "7"}, {"share.record.lock.duration.ms", "5m"}});
  f.reopen();
  const ShareGroups groups = must(f.engine.share_groups());
  CHECK(must(groups.describe("g")).config.delivery_count_limit == 7);
  CHECK(must(groups.describe("g")).config.record_lock_duration == 5min);
  f.configure({{"share.delivery.count.limit", ""}});
  CHECK(must(groups.describe("g")).config.delivery_count_limit == 5);
  CHECK(must(groups.describe("g")).config.record_lock_duration == 5min);
}

TEST_CASE("share: the lag counts what lies between the log's start and its end, and nothing else is done") {
  ShareFixture f;
  f.append({10});
  auto consumer = f.one_by_one(explicit_mode, 10);
  CHECK(must(consumer.poll(0ms)).count() == 10);
  for (Offset offset = 0; offset < 10; ++offset) {
    const bool is_done = offset == 2 || offset == 3 || offset == 6;
    must(consumer.acknowledge(t0, offset, is_done ? AcknowledgeType::accept : AcknowledgeType::release));
  }
  must(consumer.commit_sync());
  CHECK(f.progress().lag == 7);
  must(f.engine.admin().delete_records(t0, 3));
  CHECK(f.progress().start_offset == 3);
  CHECK(f.progress().lag == 5);
  must(f.engine.admin().delete_records(t0, 5));
  CHECK(f.progress().lag == 4);
}

}  // namespace
}  // namespace seriatim::test
