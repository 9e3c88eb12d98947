#include "catalog/catalog.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "catalog/lmdb/lmdb_env.hpp"
#include "catalog/records/catalog_schema.hpp"
#include "catalog/records/value_codec.hpp"
#include "unit/catalog/made_catalog.hpp"

namespace seriatim::catalog {
namespace {

TEST_CASE("a topic is there after it is created, also after reopening") {
  const MadeCatalog made;
  TopicRecord orders = topic_record("orders", 1, 3);
  orders.config = {{"retention.ms", "-1"}, {"segment.bytes", "65536"}};
  {
    Catalog catalog = made.open();
    must(catalog.create_topic(orders));
    must(catalog.create_topic(topic_record("a", 2)));
    CHECK(must(catalog.topic("orders")) == orders);
  }
  const Catalog catalog = made.open();
  CHECK(must(catalog.topic("orders")) == orders);
  const std::vector<TopicRecord> all = must(catalog.topics());
  REQUIRE(all.size() == 2);
  CHECK(all[0].name == "a");
  CHECK(all[1] == orders);
}

TEST_CASE("what is not a legal topic is refused, and nothing is stored") {
  const MadeCatalog made;
  Catalog catalog = made.open();
  must(catalog.create_topic(topic_record("there", 1)));
  struct Row {
    TopicRecord topic;
    Errc code;
  };
  const std::vector<Row> rows{{topic_record("there", 2), Errc::topic_already_exists},
                              {topic_record("a/b", 2), Errc::invalid_topic},
                              {topic_record("", 2), Errc::invalid_topic},
                              {topic_record("t", 2, 0), Errc::invalid_partitions},
                              {topic_record("t", 2, 10'001), Errc::invalid_partitions}};
  for (const Row& row : rows) {
    CAPTURE(row.topic.name);
    const Result<void> created = catalog.create_topic(row.topic);
    REQUIRE_FALSE(created.ok());
    CHECK(created.error().code() == row.code);
  }
  TopicRecord no_id = topic_record("t", 2);
  no_id.topic_id = Id{};
  CHECK(catalog.create_topic(no_id).error().code() == Errc::invalid_argument);
  CHECK(must(catalog.topics()).size() == 1);
}

TEST_CASE("an unknown topic is said to be unknown by every method that takes one") {
  const MadeCatalog made;
  Catalog catalog = made.open();
  const auto is_unknown = [](const auto& result) {
    return !result.ok() && result.error().code() == Errc::unknown_topic_or_partition;
  };
  CHECK(is_unknown(catalog.topic("nope")));
  CHECK(is_unknown(catalog.topic("")));
  CHECK(is_unknown(catalog.topic(std::string(600, 'x'))));
  CHECK(is_unknown(catalog.mark_deleted("nope")));
  CHECK(is_unknown(catalog.delete_topic("nope")));
  CHECK(is_unknown(catalog.set_partition_count("nope", 2)));
  CHECK(is_unknown(catalog.set_config_overrides("nope", {})));
  CHECK(is_unknown(catalog.partition_states("nope")));
  CHECK(is_unknown(catalog.put_partition_states({{{"nope", 0}, {}}})));
  CHECK(is_unknown(catalog.committed("g", {"nope", 0})));
  CHECK(is_unknown(catalog.clamp_offsets({{{"nope", 0}, 1}})));
}

TEST_CASE("partitions can be added and never taken away") {
  const MadeCatalog made;
  Catalog catalog = made.open();
  must(catalog.create_topic(topic_record("t", 1, 3)));
  must(catalog.set_partition_count("t", 3));
  must(catalog.set_partition_count("t", 5));
  CHECK(must(catalog.topic("t")).partition_count == 5);
  for (const std::int32_t count : {4, 0, -1, 10'001}) {
    const Result<void> set = catalog.set_partition_count("t", count);
    REQUIRE_FALSE(set.ok());
    CHECK(set.error().code() == Errc::invalid_partitions);
  }
  CHECK(must(catalog.topic("t")).partition_count == 5);
}

TEST_CASE("config overrides are replaced as a whole") {
  const MadeCatalog made;
  Catalog catalog = made.open();
  TopicRecord topic = topic_record("t", 1, 3);
  topic.config = {{"retention.ms", "1"}};
  must(catalog.create_topic(topic));
  must(catalog.set_config_overrides("t", {{"segment.bytes", "2048"}}));
  topic.config = {{"segment.bytes", "2048"}};
  CHECK(must(catalog.topic("t")) == topic);
}

TEST_CASE("a deleted topic frees its name at once and is remembered until its files are gone") {
  const MadeCatalog made;
  {
    Catalog catalog = made.open();
    must(catalog.create_topic(topic_record("t", 1, 2)));
    must(catalog.create_topic(topic_record("other", 2, 2)));
    must(catalog.put_partition_states({{{"t", 1}, {7, 7, 7, 7, 7, 7}}, {{"other", 0}, {5, 5, 5, 5, 5, 5}}}));
    must(commit_offsets(catalog, "g", {{{"t", 1}, {7, "", 0}}, {{"other", 1}, {3, "", 0}}}));
    must(catalog.mark_deleted("t"));
    CHECK_FALSE(catalog.topic("t").ok());
  }
  Catalog catalog = made.open();
  REQUIRE(must(catalog.deleted_topics()).size() == 1);
  CHECK(must(catalog.deleted_topics())[0] == topic_record("t", 1, 2));
  CHECK(must(catalog.group_offsets("g")).size() == 1);

  // A new topic of the same name inherits nothing, and may not take the id of the old one.
  CHECK(catalog.create_topic(topic_record("t", 1, 2)).error().code() == Errc::invalid_argument);
  must(catalog.create_topic(topic_record("t", 3, 2)));
  CHECK(must(catalog.partition_states("t")) == std::vector<PartitionState>(2));
  CHECK_FALSE(must(catalog.committed("g", {"t", 1})).has_value());
  CHECK(must(catalog.partition_states("other"))[0].log_start_offset == 5);
  CHECK(must(catalog.committed("g", {"other", 1}))->offset == 3);

  must(catalog.forget_deleted(id_of(1)));
  must(catalog.forget_deleted(id_of(1)));
  CHECK(must(catalog.deleted_topics()).empty());
  CHECK(must(catalog.topic("t")).topic_id == id_of(3));
}

TEST_CASE("a topic without files can be deleted in one step") {
  const MadeCatalog made;
  Catalog catalog = made.open();
  must(catalog.create_topic(topic_record("t", 1)));
  must(commit_offsets(catalog, "g", {{{"t", 0}, {7, "", 0}}}));
  must(catalog.delete_topic("t"));
  CHECK(must(catalog.topics()).empty());
  CHECK(must(catalog.deleted_topics()).empty());
  CHECK(must(catalog.groups()).empty());
}

// One stored value, and whether each flipped bit of it is noticed.
void check_every_flip(const std::string& path, Database database, const std::string& key) {
  const std::unique_ptr<Environment> environment = must(open_environment(path, options()));
  std::string stored;
  must(environment->read([&](ReadTransaction& in) -> Result<void> {
    const Result<std::optional<base::ByteSpan>> value = in.get(database, key);
    if (!value) return value.error();
    stored = base::as_text(**value);
    return {};
  }));
  const std::string file = path + "/data.mdb";
  // Left over in pages no longer in use, it may be there more than once: all of them are flipped.
  const std::string whole_file = read_all(file);
  std::vector<std::size_t> positions;
  for (std::size_t at = whole_file.find(stored); at != std::string::npos;
       at = whole_file.find(stored, at + 1))
    positions.push_back(at);
  REQUIRE_FALSE(positions.empty());
  // Through LMDB's own map, which sees the file's bytes at once: rot that comes after the check at open.
  for (std::size_t bit = 0; bit < stored.size() * 8; ++bit) {
    CAPTURE(bit);
    const char whole = stored[bit / 8];
    const auto flipped = static_cast<char>(whole ^ (1 << (bit % 8)));
    for (const std::size_t position : positions) patch(file, position + bit / 8, flipped);
    const Result<void> read = environment->read([&](ReadTransaction& in) -> Result<void> {
      const Result<std::optional<base::ByteSpan>> value = in.get(database, key);
      if (!value) return value.error();
      const Result<base::ByteSpan> payload = decode_value(database, key, **value);
      if (!payload) return payload.error();
      return {};
    });
    for (const std::size_t position : positions) patch(file, position + bit / 8, whole);
    REQUIRE_FALSE(read.ok());
    CHECK(read.error().code() == Errc::corrupt_metadata);
  }
}

TEST_CASE(
    "every flipped bit of a stored value is reported with database and key, and only that value is lost") {
  const MadeCatalog made;
  {
    Catalog catalog = made.open();
    must(catalog.create_topic(topic_record("t", 1)));
    must(catalog.create_topic(topic_record("u", 2)));
    must(catalog.put_named_producer("p", {first_producer_id, 1, 2, 3}));
    must(catalog.reserve_producer_ids(1'000));
    Checkpoint checkpoint;
    put_transactional_id(checkpoint.writes, "x", {first_producer_id, 1, 2, 3});
    put_state_changes(checkpoint.writes, {{"s", bytes_of("k"), bytes_of("value of a state")}});
    must(catalog.checkpoint(checkpoint));
  }
  const std::vector<std::pair<Database, std::string>> places{
      {Database::topics, "t"},
      {Database::engine, std::string(producer_ids_key)},
      {Database::producers, "p"},
      {Database::transactional_ids, "x"},
      {Database::state, state_key("s", "k")}};
  for (const auto& place : places) {
    CAPTURE(name_of(place.first));
    check_every_flip(made.path, place.first, place.second);
  }
}

TEST_CASE("a damaged value keeps the catalog closed, unless it is opened to look at what is left") {
  const MadeCatalog made;
  {
    Catalog catalog = made.open();
    must(catalog.create_topic(topic_record("victim", 1)));
    must(catalog.create_topic(topic_record("other", 2)));
  }
  {
    const std::unique_ptr<Environment> environment = must(open_environment(made.path, options()));
    must(environment->write([](WriteTransaction& out) {
      std::string value = encode_value(Database::topics, "victim", encode(topic_record("victim", 1)));
      value.back() = static_cast<char>(value.back() ^ 1);
      return out.put(Database::topics, "victim", value);
    }));
  }
  const auto is_named = [&](const Error& error) {
    CAPTURE(error.message());
    CHECK(error.code() == Errc::corrupt_metadata);
    CHECK(error.message().find(made.path) != std::string::npos);
    CHECK(error.message().find("database \"topics\", key \"victim\"") != std::string::npos);
  };
  const Result<Catalog> closed = Catalog::open(made.path, options());
  REQUIRE_FALSE(closed.ok());
  is_named(closed.error());
  CHECK(closed.error().message().find("of 1 damaged values, the first") == 0);

  CatalogOptions allowing = options();
  allowing.allow_damage = true;
  const Catalog catalog = must(Catalog::open(made.path, allowing));
  REQUIRE(catalog.damage().size() == 1);
  is_named(catalog.damage()[0]);
  const Result<TopicRecord> damaged = catalog.topic("victim");
  REQUIRE_FALSE(damaged.ok());
  is_named(damaged.error());
  CHECK(must(catalog.topic("other")).name == "other");
}

TEST_CASE("a catalog of a newer version is refused as such at open") {
  const MadeCatalog made;
  {
    const std::unique_ptr<Environment> environment = must(open_environment(made.path, options()));
    must(environment->write([](WriteTransaction& out) {
      return out.put(Database::engine, engine_key,
                     encode_value(Database::engine, engine_key, "from the future", 2));
    }));
  }
  const std::string before = read_all(made.path + "/data.mdb");
  const Result<Catalog> opened = Catalog::open(made.path, options());
  REQUIRE_FALSE(opened.ok());
  CHECK(opened.error().code() == Errc::unsupported_version);
  CHECK(opened.error().message().find("nothing is damaged") != std::string::npos);
  CHECK(read_all(made.path + "/data.mdb") == before);
}

TEST_CASE("one value of a newer version among old ones is refused at open, as such") {
  const MadeCatalog made;
  {
    const std::unique_ptr<Environment> environment = must(open_environment(made.path, options()));
    must(environment->write([](WriteTransaction& out) {
      return out.put(Database::topics, "t", encode_value(Database::topics, "t", "from the future", 2));
    }));
  }
  CatalogOptions allowing = options();
  allowing.allow_damage = true;
  for (const CatalogOptions& with : {options(), allowing}) {
    const Result<Catalog> opened = Catalog::open(made.path, with);
    REQUIRE_FALSE(opened.ok());
    CHECK(opened.error().code() == Errc::unsupported_version);
    CHECK(opened.error().message().find("database \"topics\", key \"t\"") != std::string::npos);
  }
}

TEST_CASE("ten thousand topics are created, listed and found again") {
  const MadeCatalog made;
  constexpr std::uint32_t topics = 10'000;
  {
    // In one transaction: ten thousand syncs would test the disk.
    const std::unique_ptr<Environment> environment = must(open_environment(made.path, options()));
    must(environment->write([](WriteTransaction& out) -> Result<void> {
      for (std::uint32_t i = 0; i < topics; ++i) {
        const TopicRecord topic = topic_record("topic-" + std::to_string(i), i + 1, 3);
        const std::string value = encode_value(Database::topics, topic.name, encode(topic));
        if (Result<void> put = out.put(Database::topics, topic.name, value); !put) return put;
      }
      return {};
    }));
  }
  Catalog catalog = made.open();
  CHECK(must(catalog.topics()).size() == topics);
  CHECK(must(catalog.topic("topic-9999")) == topic_record("topic-9999", 10'000, 3));
  std::vector<std::pair<TopicPartition, PartitionState>> states;
  for (std::uint32_t i = 0; i < topics; ++i) {
    for (const PartitionId partition : {0, 1, 2}) {
      states.emplace_back(TopicPartition{"topic-" + std::to_string(i), partition},
                          PartitionState{i, i, 0, 0, -1, 0});
    }
  }
  must(catalog.put_partition_states(states));
  CHECK(must(catalog.partition_states("topic-1234"))[2].log_start_offset == 1'234);
}

TEST_CASE(
    "a closed catalog answers closed, beside running calls too, and can be opened anew while it exists") {
  const MadeCatalog made;
  Catalog catalog = made.open();
  must(catalog.create_topic(topic_record("t", 1)));
  std::atomic<int> wrong{0};
  std::vector<std::thread> readers;
  for (int reader = 0; reader < 2; ++reader) {
    readers.emplace_back([&] {
      for (Result<TopicRecord> read = catalog.topic("t");; read = catalog.topic("t")) {
        if (read) continue;
        if (read.error().code() != Errc::closed) ++wrong;
        return;
      }
    });
  }
  catalog.close();
  for (std::thread& reader : readers) reader.join();
  CHECK(wrong == 0);
  catalog.close();
  CHECK(catalog.create_topic(topic_record("u", 2)).error().code() == Errc::closed);
  CHECK(catalog.usage().error().code() == Errc::closed);
  const Catalog again = made.open();
  CHECK(must(again.topics()).size() == 1);
}

TEST_CASE("readers and writers in many threads see whole states only") {
  const MadeCatalog made;
  Catalog catalog = made.open();
  must(catalog.create_topic(topic_record("t", 1, 2)));
  must(commit_offsets(catalog, "g", {{{"t", 0}, {0, "", 0}}, {{"t", 1}, {0, "", 0}}}));
  std::atomic<bool> is_done{false};
  std::atomic<int> torn{0};
  std::atomic<int> failed{0};
  std::vector<std::thread> threads;
  for (int reader = 0; reader < 3; ++reader) {
    threads.emplace_back([&] {
      while (!is_done) {
        const auto offsets = catalog.group_offsets("g");
        if (!offsets || offsets->size() != 2) {
          ++failed;
        } else if (offsets->at({"t", 0}).offset != offsets->at({"t", 1}).offset) {
          ++torn;
        }
      }
    });
  }
  for (int writer = 0; writer < 2; ++writer) {
    threads.emplace_back([&, writer] {
      for (Offset i = 1; i <= 50; ++i) {
        const Offset offset = i * 2 + writer;
        if (!commit_offsets(catalog, "g", {{{"t", 0}, {offset, "", 0}}, {{"t", 1}, {offset, "", 0}}}))
          ++failed;
      }
    });
  }
  threads[3].join();
  threads[4].join();
  is_done = true;
  for (int reader = 0; reader < 3; ++reader) threads[static_cast<std::size_t>(reader)].join();
  CHECK(torn == 0);
  CHECK(failed == 0);
}

}  // namespace
}  // namespace seriatim::catalog
