#include "catalog/record_store.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "catalog/records/catalog_schema.hpp"
#include "catalog/records/value_codec.hpp"
#include "unit/catalog/made_catalog.hpp"

namespace seriatim::catalog {
namespace {

TEST_CASE("erase_prefix takes what begins with the prefix and nothing beside it") {
  const test::TempDir dir;
  make_catalog(dir / "catalog");
  const std::unique_ptr<Environment> environment = must(open_environment(dir / "catalog", options()));
  must(environment->write([](WriteTransaction& out) -> Result<void> {
    for (const char* key : {"a", "aa", "ab", "ab1", "abz", "ac", "b"}) {
      if (Result<void> put = out.put(Database::offsets, key, "v"); !put) return put;
    }
    return erase_prefix(out, Database::offsets, "ab");
  }));
  std::vector<std::string> left;
  must(environment->read([&](ReadTransaction& in) {
    return in.scan(Database::offsets, {}, [&](std::string_view key, base::ByteSpan) -> Result<bool> {
      left.emplace_back(key);
      return true;
    });
  }));
  CHECK(left == std::vector<std::string>{"a", "aa", "ac", "b"});
}

TEST_CASE("a lookup knows partitions of existing topics only") {
  const test::TempDir dir;
  make_catalog(dir / "catalog");
  {
    Catalog catalog = must(Catalog::open(dir / "catalog", options()));
    must(catalog.create_topic(topic_record("t", 4, 2)));
  }
  const std::unique_ptr<Environment> environment = must(open_environment(dir / "catalog", options()));
  must(environment->read([](ReadTransaction& in) -> Result<void> {
    TopicLookup topics(in);
    CHECK(must(topics.id_of({"t", 0})) == id_of(4));
    CHECK(must(topics.id_of({"t", 1})) == id_of(4));
    CHECK(topics.id_of({"t", 2}).error().message().find("partitions 0 to 1, not 2") != std::string::npos);
    CHECK(topics.id_of({"u", 0}).error().code() == Errc::unknown_topic_or_partition);
    return {};
  }));
}

TEST_CASE("a catalog without its engine record does not open") {
  const test::TempDir dir;
  make_catalog(dir / "catalog");
  {
    const std::unique_ptr<Environment> environment = must(open_environment(dir / "catalog", options()));
    must(environment->write([](WriteTransaction& out) -> Result<void> {
      must(out.erase(Database::engine, engine_key));
      return {};
    }));
  }
  const Result<Catalog> opened = Catalog::open(dir / "catalog", options());
  REQUIRE_FALSE(opened.ok());
  CHECK(opened.error().code() == Errc::corrupt_metadata);
  CHECK(opened.error().message().find("engine record is missing") != std::string::npos);
}

TEST_CASE("state that was never stored as it stands is damage, although its checksum is good") {
  const test::TempDir dir;
  make_catalog(dir / "catalog");
  {
    const std::unique_ptr<Environment> environment = must(open_environment(dir / "catalog", options()));
    must(environment->write([](WriteTransaction& out) -> Result<void> {
      const std::string large = state_key("s", "large");
      must(
          out.put(Database::state, large, encode_value(Database::state, large, std::string(1'048'577, 'v'))));
      return out.put(Database::state, "nameless", encode_value(Database::state, "nameless", ""));
    }));
  }
  const Catalog catalog = must(Catalog::open(dir / "catalog", options()));
  const Result<std::optional<std::vector<std::byte>>> value =
      state_value(catalog, "s", base::as_bytes("large"));
  REQUIRE_FALSE(value.ok());
  CHECK(value.error().code() == Errc::corrupt_metadata);
  CHECK(value.error().message().find("database \"state\"") != std::string::npos);
  CHECK(scan_state(catalog, "s", {}, 1).error().code() == Errc::corrupt_metadata);
  CHECK(state_names(catalog).error().code() == Errc::corrupt_metadata);
  CHECK(state_names(catalog).error().message().find("key \"nameless\"") != std::string::npos);
}

}  // namespace
}  // namespace seriatim::catalog
