#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "catalog/catalog.hpp"
#include "support/child_process.hpp"
#include "unit/catalog/made_catalog.hpp"

namespace seriatim::catalog {
namespace {

struct TwoTopics : MadeCatalog {
  TwoTopics() {
    Catalog catalog = open();
    must(catalog.create_topic(topic_record("a", 1, 3)));
    must(catalog.create_topic(topic_record("b", 2, 1)));
  }
};

TEST_CASE("a checkpoint forgets groups before it stores positions, and only those it names") {
  const MadeCatalog made;
  Catalog catalog = made.open();
  must(catalog.create_topic(topic_record("t", 1, 2)));
  for (const char* group : {"f", "g", "ga"}) {
    must(commit_offsets(catalog, group, {{{"t", 0}, {1, "", 0}}, {{"t", 1}, {2, "", 0}}}));
  }
  Checkpoint checkpoint;
  for (const char* group : {"f", "g", "unknown"}) forget_group(checkpoint.writes, group);
  put_committed_offset(checkpoint.writes, "g", {"t", 1}, id_of(1), {3, "", 0});
  must(catalog.checkpoint(checkpoint));
  CHECK(must(catalog.groups()) == std::vector<std::string>{"g", "ga"});
  CHECK(must(catalog.group_offsets("g")).size() == 1);
  CHECK(must(catalog.committed("g", {"t", 1}))->offset == 3);
  CHECK(must(catalog.group_offsets("ga")).size() == 2);
}

TEST_CASE("a checkpoint forgets single positions, also where there is none") {
  const TwoTopics made;
  Catalog catalog = made.open();
  must(
      commit_offsets(catalog, "g", {{{"a", 0}, {1, "", 0}}, {{"a", 1}, {2, "", 0}}, {{"b", 0}, {3, "", 0}}}));
  must(commit_offsets(catalog, "h", {{{"a", 0}, {4, "", 0}}}));
  Checkpoint checkpoint;
  put_committed_offset(checkpoint.writes, "g", {"a", 1}, id_of(1), {5, "", 0});
  for (const PartitionId partition : {0, 2})
    forget_committed_offset(checkpoint.writes, "g", {"a", partition}, id_of(1));
  forget_committed_offset(checkpoint.writes, "g", {"b", 0}, id_of(2));
  forget_committed_offset(checkpoint.writes, "g", {"gone", 0}, id_of(3));
  forget_committed_offset(checkpoint.writes, "unknown", {"a", 0}, id_of(1));
  must(catalog.checkpoint(checkpoint));
  CHECK(must(catalog.group_offsets("g")).size() == 1);
  CHECK(must(catalog.committed("g", {"a", 1}))->offset == 5);
  CHECK(must(catalog.groups()) == std::vector<std::string>{"g", "h"});
  Checkpoint last;
  forget_committed_offset(last.writes, "g", {"a", 1}, id_of(1));
  must(catalog.checkpoint(last));
  CHECK(must(catalog.groups()) == std::vector<std::string>{"h"});
  forget_committed_offset(last.writes, "", {"a", 1}, id_of(1));
  CHECK(last.writes.left_out().size() == 1);
}

TEST_CASE("a catalog keeps the moment that a checkpoint gives it, and has none before that") {
  const MadeCatalog made;
  {
    Catalog catalog = made.open();
    CHECK(must(catalog.moment()).number == 0);
    must(catalog.checkpoint({.moment = Moment{7}}));
    must(catalog.checkpoint({.covered_lsn = 3}));
    CHECK(must(catalog.moment()).number == 7);
  }
  CHECK(must(made.open().moment()).number == 7);
}

TEST_CASE("partition states come back in order, with defaults where none was stored") {
  const TwoTopics made;
  const PartitionState state{10, 20, 8, 4'096, 20, 15};
  {
    Catalog catalog = made.open();
    must(catalog.put_partition_states({{{"a", 2}, state}, {{"b", 0}, state}}));
  }
  const Catalog catalog = made.open();
  CHECK(must(catalog.partition_states("a")) == std::vector<PartitionState>{{}, {}, state});
  CHECK(must(catalog.partition_states("b")) == std::vector<PartitionState>{state});
  CHECK(PartitionState{}.clean_end_offset == -1);
}

TEST_CASE("one unknown partition among many keeps all of them from being stored") {
  const TwoTopics made;
  Catalog catalog = made.open();
  const PartitionState state{1, 1, 1, 1, 1, 1};
  for (const TopicPartition& bad :
       {TopicPartition{"a", 3}, TopicPartition{"a", -1}, TopicPartition{"c", 0}}) {
    const Result<void> put = catalog.put_partition_states({{{"a", 0}, state}, {bad, state}});
    REQUIRE_FALSE(put.ok());
    CHECK(put.error().code() == Errc::unknown_topic_or_partition);
  }
  CHECK(must(catalog.partition_states("a"))[0] == PartitionState{});
}

TEST_CASE(
    "a checkpoint stores states, offsets, LSN and flag together, and leaves states of deleted topics out") {
  const TwoTopics made;
  Checkpoint checkpoint;
  checkpoint.covered_lsn = 77;
  checkpoint.clean_shutdown = true;
  checkpoint.partitions = {{{"a", 1}, {5, 5, 5, 5, 5, 5}}, {{"deleted", 0}, {}}};
  put_committed_offset(checkpoint.writes, "g", {"a", 1}, id_of(1), {4, "x", 9});
  put_committed_offset(checkpoint.writes, "h", {"b", 0}, id_of(2), {2, "", 9});
  {
    Catalog catalog = made.open();
    must(catalog.checkpoint(checkpoint));
  }
  Catalog catalog = made.open();
  CHECK(must(catalog.engine()) == EngineRecord{id_of(1), true, 77});
  CHECK(must(catalog.partition_states("a"))[1].log_start_offset == 5);
  CHECK(must(catalog.group_offsets("g")) ==
        std::map<TopicPartition, CommittedOffset>{{{"a", 1}, {4, "x", 9}}});
  CHECK(must(catalog.committed("h", {"b", 0}))->offset == 2);

  must(catalog.set_clean_shutdown(false));
  CHECK(must(catalog.engine()) == EngineRecord{id_of(1), false, 77});
}

TEST_CASE("offsets are kept per group and partition, with metadata and time") {
  const TwoTopics made;
  {
    Catalog catalog = made.open();
    must(commit_offsets(catalog, "g", {{{"a", 0}, {1, "first", 100}}, {{"a", 2}, {3, "", 100}}}));
    must(commit_offsets(catalog, "g", {{{"a", 0}, {2, "second", 200}}}));
    must(commit_offsets(catalog, "h", {{{"a", 0}, {9, "", 300}}}));
  }
  const Catalog catalog = made.open();
  CHECK(*must(catalog.committed("g", {"a", 0})) == CommittedOffset{2, "second", 200});
  CHECK_FALSE(must(catalog.committed("g", {"a", 1})).has_value());
  CHECK(catalog.committed("g", {"a", 3}).error().code() == Errc::unknown_topic_or_partition);
  CHECK(must(catalog.group_offsets("g")) ==
        std::map<TopicPartition, CommittedOffset>{{{"a", 0}, {2, "second", 200}}, {{"a", 2}, {3, "", 100}}});
  CHECK(must(catalog.group_offsets("nobody")).empty());
}

TEST_CASE("groups are listed once each, also when one name begins with another") {
  const TwoTopics made;
  Catalog catalog = made.open();
  const std::vector<std::string> names{"a", "a\x01x", "ab", std::string(255, 'z')};
  for (const std::string& name : names) {
    must(commit_offsets(catalog, name,
                        {{{"a", 0}, {1, "", 0}}, {{"a", 1}, {1, "", 0}}, {{"b", 0}, {1, "", 0}}}));
  }
  CHECK(must(catalog.groups()) == names);
}

TEST_CASE("metadata of the largest size is stored whole") {
  const TwoTopics made;
  Catalog catalog = made.open();
  must(commit_offsets(catalog, "g", {{{"a", 1}, {1, std::string(4'096, 'm'), 0}}}));
  CHECK(must(catalog.committed("g", {"a", 1}))->metadata.size() == 4'096);
}

TEST_CASE("INV-2: offsets beyond the end of their partition are lowered to it, others stay") {
  const TwoTopics made;
  Catalog catalog = made.open();
  must(commit_offsets(catalog, "g",
                      {{{"a", 0}, {10, "kept", 1}}, {{"a", 1}, {10, "", 1}}, {{"b", 0}, {10, "", 1}}}));
  must(commit_offsets(catalog, "h", {{{"a", 0}, {5, "", 1}}}));
  CHECK(must(catalog.clamp_offsets({{{"a", 0}, 7}, {{"a", 1}, 10}})) == 1);
  CHECK(*must(catalog.committed("g", {"a", 0})) == CommittedOffset{7, "kept", 1});
  CHECK(must(catalog.committed("g", {"a", 1}))->offset == 10);
  CHECK(must(catalog.committed("g", {"b", 0}))->offset == 10);
  CHECK(must(catalog.committed("h", {"a", 0}))->offset == 5);
  CHECK(must(catalog.clamp_offsets({{{"a", 0}, 7}, {{"a", 1}, 10}})) == 0);  // INV-5: again changes nothing
}

TEST_CASE("a writer that is killed has lost nothing it was told was committed") {
  const TwoTopics made;
  for (int round = 0; round < 5; ++round) {
    CAPTURE(round);
    test::ChildProcess child([&](const test::ChildProcess::Voice& voice) {
      Result<Catalog> catalog = Catalog::open(made.path, options());
      if (!catalog) voice.say("!");
      // Ends by SIGKILL only.
      for (Offset i = 1; catalog; ++i) {
        if (!commit_offsets(*catalog, "g", {{{"a", 0}, {i, "", 0}}, {{"a", 1}, {i, "", 0}}})) voice.say("!");
        voice.say(".");
      }
    });
    // The kill falls wherever the child is after so many acknowledged commits.
    const Offset acknowledged = 10 + round * 7;
    CHECK(child.hear(static_cast<std::size_t>(acknowledged)) ==
          std::string(static_cast<std::size_t>(acknowledged), '.'));
    child.kill();
    const Offset all_acknowledged = acknowledged + static_cast<Offset>(child.hear_all().size());
    Catalog catalog = made.open();
    const CommittedOffset first = *must(catalog.committed("g", {"a", 0}));
    CHECK(first.offset >= all_acknowledged);
    CHECK(first.offset <= all_acknowledged + 1);
    CHECK(must(catalog.committed("g", {"a", 1}))->offset == first.offset);
  }
}

TEST_CASE("a checkpoint makes its changes in order: of several for one key or id the last stays") {
  const TwoTopics made;
  Checkpoint checkpoint;
  put_transactional_id(checkpoint.writes, "x", {first_producer_id, 0, 1, 2});
  put_transactional_id(checkpoint.writes, "x", {first_producer_id, 1, 1, 3});
  put_state_changes(checkpoint.writes, {{"s", bytes_of("kept"), bytes_of("1")},
                                        {"s", bytes_of("gone"), bytes_of("1")},
                                        {"s", bytes_of("kept"), std::nullopt},
                                        {"s", bytes_of("kept"), bytes_of("2")},
                                        {"s", bytes_of("gone"), std::nullopt},
                                        {"s", bytes_of("never"), std::nullopt},
                                        {"t", bytes_of("empty"), bytes_of("")}});
  {
    Catalog catalog = made.open();
    must(catalog.checkpoint(checkpoint));
  }
  const Catalog catalog = made.open();
  CHECK(must(catalog.transactional_ids()) ==
        std::map<std::string, TransactionalId>{{"x", {first_producer_id, 1, 1, 3}}});
  CHECK(must(state_value(catalog, "s", bytes_of("kept"))) == bytes_of("2"));
  CHECK_FALSE(must(state_value(catalog, "s", bytes_of("gone"))).has_value());
  CHECK(must(state_value(catalog, "t", bytes_of("empty"))) == bytes_of(""));
  CHECK(must(scan_state(catalog, "s", {}, 10)).size() == 1);
}

TEST_CASE("a checkpoint cut short by the death of its process is there whole or not at all") {
  const TwoTopics made;
  test::ChildProcess child([&](const test::ChildProcess::Voice& voice) {
    Result<Catalog> catalog = Catalog::open(made.path, options());
    if (!catalog) voice.say("!");
    // Ends by SIGKILL only.
    for (std::uint64_t i = 1; catalog; ++i) {
      Checkpoint checkpoint;
      checkpoint.covered_lsn = i;
      put_transactional_id(checkpoint.writes, "x", {static_cast<ProducerId>(i), 0, 0, 0});
      put_state_changes(checkpoint.writes, {{"s", bytes_of("k"), bytes_of(std::to_string(i))}});
      put_committed_offset(checkpoint.writes, "g", {"a", 0}, id_of(1), {static_cast<Offset>(i), "", 0});
      voice.say(catalog->checkpoint(checkpoint) ? "." : "!");
    }
  });
  CHECK(child.hear(25) == std::string(25, '.'));
  child.kill();
  const std::uint64_t acknowledged = 25 + child.hear_all().size();
  const Catalog catalog = made.open();
  const std::uint64_t covered = must(catalog.engine()).covered_lsn;
  CHECK(covered >= acknowledged);
  CHECK(covered <= acknowledged + 1);
  CHECK(must(catalog.transactional_ids()).at("x").producer_id == static_cast<ProducerId>(covered));
  CHECK(must(state_value(catalog, "s", bytes_of("k"))) == bytes_of(std::to_string(covered)));
  CHECK(must(catalog.committed("g", {"a", 0}))->offset == static_cast<Offset>(covered));
}

}  // namespace
}  // namespace seriatim::catalog
