// Names that begin with "__": the library's own. Applications create nothing under them, and keep what they
// had.
#include <doctest/doctest.h>

#include <string>

#include "directory/files/format_file.hpp"
#include "unit/api/transaction_fixture.hpp"

namespace seriatim::test {
namespace {

// As an older library let applications do it.
void create_as_before(const Engine& engine, const std::string& name) {
  auto& impl = *::seriatim::detail::EngineImpl::of(engine);
  const catalog::TopicRecord record{.name = name, .topic_id = directory::random_id(), .partition_count = 1};
  const base::MutexLock lock(impl.topics.mutex());
  must(impl.topics.take_in(record, [&] { return impl.catalog->create_topic(record); }));
}

}  // namespace

TEST_CASE("a topic whose name begins with two underscores is refused with the reason, and nothing is made") {
  const OpenedEngine opened;
  const Admin admin = opened.engine.admin();
  for (const char* name : {"__", "__orders", "__consumer_offsets"}) {
    for (const bool if_not_exists : {false, true}) {
      const auto outcome = admin.create_topic({.name = name, .if_not_exists = if_not_exists});
      CHECK(code_of(outcome) == Errc::invalid_topic);
      CHECK(message_of(outcome).find(name) != std::string::npos);
      CHECK(message_of(outcome).find("choose one that begins otherwise") != std::string::npos);
    }
  }
  for (const char* name : {"_", "_orders", "or__ders"}) must(admin.create_topic({.name = name}));
  CHECK(must(admin.list_topics()) == std::vector<std::string>{"_", "_orders", "or__ders", "t"});
}

TEST_CASE("a topic of such a name that exists opens and works") {
  const TempDir dir;
  {
    const Engine engine = open_engine(dir / "data");
    create_as_before(engine, "__old");
    must(must(engine.producer()).send_sync({.topic = "__old", .value = "before"}));
    must(engine.close());
  }
  const Engine engine = open_engine(dir / "data");
  must(must(engine.producer()).send_sync({.topic = "__old", .value = "after"}));
  CHECK(read_values(engine, "__old") == std::vector<std::string>{"before", "after"});
  const Admin admin = engine.admin();
  CHECK(must(admin.create_topic({.name = "__old", .if_not_exists = true})) == TopicCreation::existed_before);
  must(admin.create_partitions("__old", 2));
  must(admin.alter_config("__old", {{"retention.ms", "1d"}}));
  must(admin.delete_topic("__old"));
  CHECK(code_of(admin.create_topic({.name = "__old"})) == Errc::invalid_topic);
}

TEST_CASE("a state table of such a name cannot be begun by an application, but read") {
  const OpenedEngine opened;
  TransactionalProducer producer = transactional(opened.engine);
  {
    Transaction transaction = must(producer.begin());
    auto table = transaction.state("__mine");
    const auto put = table.put("k", "v");
    CHECK(code_of(put) == Errc::invalid_argument);
    CHECK(message_of(put).find("__mine") != std::string::npos);
    CHECK(message_of(put).find("choose one that begins otherwise") != std::string::npos);
    CHECK_FALSE(must(table.get("k")).has_value());
    must(table.erase("k"));
    must(transaction.state("mine").put("k", "v"));  // The transaction goes on.
    must(transaction.commit());
  }
  CHECK(must(opened.engine.admin().list_states()) == std::vector<std::string>{"mine"});
  CHECK(must(must(opened.engine.state("__mine")).scan({}, 10)).empty());
}

TEST_CASE("a transactional id of such a name is not for applications") {
  const OpenedEngine opened;
  for (const char* id : {"__", "__share_dead_letters"}) {
    const auto refused = opened.engine.transactional_producer({.transactional_id = id});
    CHECK(code_of(refused) == Errc::invalid_argument);
    CHECK(message_of(refused).find(id) != std::string::npos);
    CHECK(message_of(refused).find("choose one that begins otherwise") != std::string::npos);
  }
  must(opened.engine.transactional_producer({.transactional_id = "_x"}));
}

}  // namespace seriatim::test
