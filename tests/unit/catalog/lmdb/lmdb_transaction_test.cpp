#include "catalog/lmdb/lmdb_transaction.hpp"

#include <doctest/doctest.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "support/random.hpp"
#include "unit/catalog/made_catalog.hpp"

namespace seriatim::catalog {
namespace {

struct OpenEnvironment : MadeCatalog {
  std::unique_ptr<Environment> environment = must(open_environment(path, options()));
};

std::map<std::string, std::string> contents(const Environment& environment, Database database) {
  std::map<std::string, std::string> pairs;
  must(environment.read([&](ReadTransaction& in) {
    pairs.clear();
    return in.scan(database, {}, [&](std::string_view key, base::ByteSpan value) -> Result<bool> {
      pairs.emplace(key, base::as_text(value));
      return true;
    });
  }));
  return pairs;
}

TEST_CASE("put, get and erase; an absent key is nothing, not an error") {
  const OpenEnvironment made;
  must(made.environment->write([](WriteTransaction& out) -> Result<void> {
    must(out.put(Database::topics, "k", "1"));
    must(out.put(Database::topics, "k", "2"));
    must(out.put(Database::topics, "empty", ""));
    CHECK(base::as_text(**out.get(Database::topics, "k")) == "2");
    CHECK((*out.get(Database::topics, "empty"))->empty());
    CHECK_FALSE(must(out.get(Database::offsets, "k")).has_value());
    CHECK(must(out.erase(Database::topics, "k")));
    CHECK_FALSE(must(out.erase(Database::topics, "k")));
    CHECK_FALSE(must(out.get(Database::topics, "k")).has_value());
    return {};
  }));
}

TEST_CASE("keys that LMDB cannot hold are absent when read and refused when written") {
  const OpenEnvironment made;
  must(made.environment->write([](WriteTransaction& out) -> Result<void> {
    for (const std::string& key : {std::string(), std::string(512, 'k')}) {
      CHECK_FALSE(must(out.get(Database::topics, key)).has_value());
      CHECK_FALSE(must(out.erase(Database::topics, key)));
      CHECK(out.put(Database::topics, key, "v").error().code() == Errc::invalid_argument);
    }
    return out.put(Database::topics, std::string(511, 'k'), "v");
  }));
}

TEST_CASE("a scan begins at the first key not below, goes in order, and ends when told") {
  const OpenEnvironment made;
  must(made.environment->write([](WriteTransaction& out) -> Result<void> {
    for (const char* key : {"b", "d", "a", "c"}) must(out.put(Database::topics, key, "v"));
    return {};
  }));
  const auto scan = [&](std::string_view from, std::size_t at_most) {
    std::vector<std::string> keys;
    must(made.environment->read([&](ReadTransaction& in) {
      keys.clear();
      return in.scan(Database::topics, from, [&](std::string_view key, base::ByteSpan) -> Result<bool> {
        keys.emplace_back(key);
        return keys.size() < at_most;
      });
    }));
    return keys;
  };
  CHECK(scan("", 9) == std::vector<std::string>{"a", "b", "c", "d"});
  CHECK(scan("bb", 9) == std::vector<std::string>{"c", "d"});
  CHECK(scan("", 2) == std::vector<std::string>{"a", "b"});
  CHECK(scan("z", 9).empty());
}

TEST_CASE("an error of the body, or of a visitor, is the answer, and nothing is stored") {
  const OpenEnvironment made;
  const Result<void> written = made.environment->write([](WriteTransaction& out) -> Result<void> {
    must(out.put(Database::topics, "k", "v"));
    return out.scan(Database::topics, {}, [](std::string_view, base::ByteSpan) -> Result<bool> {
      return Error(Errc::policy_violation, "no more");
    });
  });
  REQUIRE_FALSE(written.ok());
  CHECK(written.error().code() == Errc::policy_violation);
  CHECK(contents(*made.environment, Database::topics).empty());
}

TEST_CASE("random operations leave what a map would hold, also after reopening, and pages stay sound") {
  const test::TempDir dir;
  make_catalog(dir / "catalog");
  test::Random random("random operations leave what a map would hold");
  std::map<std::string, std::string> model;
  for (int round = 0; round < 12; ++round) {
    // Opening walks all pages: what LMDB does must agree with what the walk takes for sound.
    const std::unique_ptr<Environment> environment = must(open_environment(dir / "catalog", options()));
    REQUIRE(contents(*environment, Database::offsets) == model);
    for (int commit = 0; commit < 4; ++commit) {
      std::map<std::string, std::string> changed = model;
      must(environment->write([&](WriteTransaction& out) -> Result<void> {
        changed = model;
        for (int i = 0; i < 150; ++i) {
          const std::string key = random.text(static_cast<std::size_t>(random.between(1, 3)));
          if (random.one_in(3)) {
            CHECK(must(out.erase(Database::offsets, key)) == (changed.erase(key) > 0));
          } else {
            // Some values need overflow pages.
            const auto bytes = static_cast<std::size_t>(random.one_in(20) ? random.between(2'000, 20'000)
                                                                          : random.between(0, 300));
            changed[key] = random.text(bytes);
            must(out.put(Database::offsets, key, changed[key]));
          }
        }
        return {};
      }));
      model = std::move(changed);
    }
    if (random.one_in(4)) {
      must(environment->write([&](WriteTransaction& out) -> Result<void> {
        for (const auto& [key, value] : model) must(out.erase(Database::offsets, key));
        return {};
      }));
      model.clear();
    }
  }
}

}  // namespace
}  // namespace seriatim::catalog
