#include "catalog/records/table_writes.hpp"

#include <doctest/doctest.h>

#include <string>

#include "catalog/records/value_codec.hpp"
#include "support/must.hpp"
#include "unit/catalog/made_catalog.hpp"

namespace seriatim::catalog {
namespace {

/// The payloads that are stored in the database, by key.
std::map<std::string, std::string> stored_in(const MadeCatalog& made, Database table) {
  std::map<std::string, std::string> found;
  const Catalog catalog = made.open();
  must(catalog.read([&](const ReadTransaction& in) {
    found.clear();
    return in.scan(table, {}, [&](std::string_view key, base::ByteSpan value) -> Result<bool> {
      const Result<base::ByteSpan> payload = decode_value(table, key, value);
      if (!payload) return payload.error();
      found[std::string(key)] = base::as_text(*payload);
      return true;
    });
  }));
  return found;
}

TEST_CASE("writes are made in their order, whatever they tell of") {
  const MadeCatalog made;
  Checkpoint checkpoint{.covered_lsn = 3};
  TableWrites& writes = checkpoint.writes;
  CHECK(writes.empty());
  for (const char* key : {"a", "ab", "abc", "b"}) writes.put(Database::state, key, "first");
  writes.erase_all(Database::state, "ab");
  writes.put(Database::state, "ab", "second");
  writes.erase(Database::state, "b");
  writes.erase(Database::state, "never");
  CHECK_FALSE(writes.empty());
  must(made.open().checkpoint(checkpoint));
  CHECK(stored_in(made, Database::state) ==
        std::map<std::string, std::string>{{"a", "first"}, {"ab", "second"}});
  CHECK(must(made.open().engine()).covered_lsn == 3);
}

TEST_CASE("a write that LMDB would refuse is left out and told, and all others are stored") {
  const MadeCatalog made;
  Checkpoint checkpoint;
  TableWrites& writes = checkpoint.writes;
  writes.put(Database::state, std::string(511, 'k'), std::string(1'048'576, 'v'));
  writes.put(Database::state, std::string(512, 'k'), "v");
  writes.put(Database::state, "", "v");
  writes.put(Database::state, "large", std::string(1'048'577, 'v'));
  writes.erase(Database::state, "");
  // Every key begins with nothing.
  writes.erase_all(Database::state, "");
  REQUIRE(writes.left_out().size() == 5);
  for (const Error& error : writes.left_out()) {
    CHECK(error.message().find("left out of the checkpoint") != std::string::npos);
    CHECK(error.message().find("\"state\"") != std::string::npos);
  }
  CHECK(writes.left_out()[2].message().find("\"large\"") != std::string::npos);
  must(made.open().checkpoint(checkpoint));
  CHECK(stored_in(made, Database::state).size() == 1);
}

}  // namespace
}  // namespace seriatim::catalog
