#include "directory/topics/topics.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "os/file/posix_vfs.hpp"
#include "unit/api/engine_fixture.hpp"
#include "unit/catalog/made_catalog.hpp"

namespace seriatim::directory {
namespace {

using test::code_of;
using test::must;

/// Topics over a catalog, without an engine around them.
struct MadeTopics {
  catalog::MadeCatalog made{};
  std::string logs = made.dir / "log";
  std::optional<catalog::Catalog> catalog{made.open()};
  os::FdCache files{os::posix_vfs(), 4};
  Reserve reserve{os::posix_vfs(), made.dir.path()};
  std::vector<std::string> opened{};
  std::vector<catalog::Id> forgotten{};
  int told_groups = 0;
  std::vector<std::string> reported{};
  bool is_closed = false;
  Topics topics;

  explicit MadeTopics(bool is_read_only = false) : topics(environment(is_read_only)) {
    std::filesystem::create_directory(logs);
  }

  TopicsEnvironment environment(bool is_read_only) {
    return {.catalog = catalog,
            .vfs = os::posix_vfs(),
            .files = files,
            .clock = base::system_clock(),
            .reserve = reserve,
            .directory = made.dir.path(),
            .log_directory = logs,
            .is_read_only = is_read_only,
            .check_usable = [this]() -> Result<> {
              return is_closed ? Result<>(Error(Errc::closed, "closed")) : Result<>();
            },
            .open_partition = [this](const PartitionPlace& place) -> Result<partition::PartitionLogPtr> {
              opened.push_back(place.path);
              return Error(Errc::io_error, "this test opens none");
            },
            .forget_topic = [this](const catalog::Id& id) { forgotten.push_back(id); },
            .tell_groups = [this] { ++told_groups; },
            .report = [this](LogLevel, std::string_view line) { reported.emplace_back(line); }};
  }
  void create(const std::string& name, PartitionId count = 1) {
    CHECK(must(topics.create({.name = name, .partition_count = count}, {})) == TopicCreation::created);
  }
};

TEST_CASE("a topic is found until it is removed, and the nearest name is told for one that is not there") {
  MadeTopics made;
  const auto version = made.topics.version();
  made.create("orders", 2);
  CHECK(made.topics.version() > version);
  const auto id = must(made.topics.find("orders"))->id;
  const auto missing = made.topics.find("order");
  CHECK(code_of(missing) == Errc::unknown_topic_or_partition);
  CHECK(missing.error().message().find("did you mean orders") != std::string::npos);
  std::filesystem::create_directory(made.logs + "/orders-1");
  must(made.topics.remove("orders"));
  CHECK(made.forgotten == std::vector<catalog::Id>{id});
  CHECK(made.told_groups == 2);
  CHECK(code_of(made.topics.find("orders")) == Errc::unknown_topic_or_partition);
  CHECK(code_of(made.topics.remove("orders")) == Errc::unknown_topic_or_partition);
  CHECK(std::filesystem::is_empty(made.logs));
  CHECK(must(made.catalog->deleted_topics()).empty());
}

TEST_CASE("no partition is opened before it is used, nor one of a topic that has taken the name since") {
  MadeTopics made;
  made.create("t", 2);
  CHECK(made.opened.empty());
  const TopicPtr before = must(made.topics.find("t"));
  CHECK(code_of(made.topics.partition_log(before, 1)) == Errc::io_error);
  CHECK(made.opened == std::vector<std::string>{made.logs + "/t-1"});
  CHECK(code_of(made.topics.partition_log(before, 2)) == Errc::unknown_topic_or_partition);
  must(made.topics.remove("t"));
  made.create("t", 2);
  CHECK(code_of(before->log_end_offset(0)) == Errc::unknown_topic_or_partition);
  CHECK(made.opened.size() == 1);
  CHECK(made.topics.close(Error(Errc::closed, "closed")).empty());
  CHECK(code_of(must(made.topics.find("t"))->log_end_offset(0)) == Errc::closed);
}

TEST_CASE("changes are in the catalog and in memory, and what is not legal changes neither") {
  MadeTopics made;
  made.create("t");
  must(made.topics.add_partitions("t", 3));
  CHECK(code_of(made.topics.add_partitions("t", 3)) == Errc::invalid_partitions);
  must(made.topics.set_config("t", {{"retention.ms", "1000"}, {"segment.bytes", "2000000"}}));
  CHECK_FALSE(made.topics.set_config("t", {{"retention.ms", "soon"}}).ok());
  must(made.topics.reset_config("t", {"segment.bytes"}));
  CHECK_FALSE(made.topics.reset_config("t", {"no.such.setting"}).ok());
  const auto stored = must(made.catalog->topic("t"));
  CHECK(stored.partition_count == 3);
  CHECK(stored.config == std::map<std::string, std::string>{{"retention.ms", "1000"}});
  const auto known = must(made.topics.find("t"));
  CHECK(known->partition_count() == 3);
  CHECK(known->overrides == ConfigMap{{"retention.ms", "1000"}});
}

TEST_CASE(
    "topics that only the catalog has are taken in, at once or, by a read-only engine, when asked for") {
  MadeTopics writer;
  must(writer.catalog->create_topic(catalog::topic_record("t", 7, 2)));
  CHECK(code_of(writer.topics.find("t")) == Errc::unknown_topic_or_partition);
  must(writer.topics.read_catalog());
  CHECK(must(writer.topics.find("t"))->partition_count() == 2);

  MadeTopics reader(true);
  CHECK(code_of(reader.topics.find("t")) == Errc::unknown_topic_or_partition);
  must(reader.catalog->create_topic(catalog::topic_record("t", 7, 2)));
  CHECK(must(reader.topics.find("t"))->partition_count() == 2);
  must(reader.catalog->set_partition_count("t", 4));
  CHECK(must(reader.topics.find("t"))->partition_count() == 4);
  must(reader.catalog->mark_deleted("t"));
  CHECK(code_of(reader.topics.find("t")) == Errc::unknown_topic_or_partition);
}

TEST_CASE("an engine that may not be used finds no topic") {
  for (const bool is_read_only : {false, true}) {
    MadeTopics made(is_read_only);
    must(made.catalog->create_topic(catalog::topic_record("t", 7)));
    must(made.topics.read_catalog());
    CHECK(made.topics.find("t").ok());
    made.is_closed = true;
    CHECK(code_of(made.topics.find("t")) == Errc::closed);
  }
}

}  // namespace
}  // namespace seriatim::directory
