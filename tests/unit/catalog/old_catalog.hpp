// A catalog as programs made it that knew fewer databases: written with LMDB alone.
#pragma once

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "catalog/lmdb/lmdb_call.hpp"
#include "catalog/records/catalog_schema.hpp"
#include "catalog/records/value_codec.hpp"
#include "unit/catalog/made_catalog.hpp"

namespace seriatim::catalog {

/// The databases of the first catalogs.
inline std::vector<std::string> first_databases() {
  return {database_names.begin(), database_names.begin() + first_database_count};
}

/// Makes a catalog of these databases, with topic "t", one committed offset and, to make it large, that many
/// bytes of a setting. Values that do not fit into the databases are left out.
inline void make_old_catalog(const std::string& directory, const std::vector<std::string>& databases,
                             std::size_t setting_bytes = 0) {
  std::filesystem::create_directory(directory);
  MDB_env* env = nullptr;
  REQUIRE(mdb_env_create(&env) == 0);
  REQUIRE(mdb_env_set_maxdbs(env, static_cast<MDB_dbi>(databases.size())) == 0);
  REQUIRE(mdb_env_open(env, directory.c_str(), 0, 0640) == 0);
  MDB_txn* transaction = nullptr;
  REQUIRE(mdb_txn_begin(env, nullptr, 0, &transaction) == 0);
  std::vector<MDB_dbi> handles(databases.size());
  for (std::size_t i = 0; i < databases.size(); ++i)
    REQUIRE(mdb_dbi_open(transaction, databases[i].c_str(), MDB_CREATE, &handles[i]) == 0);
  REQUIRE(mdb_txn_commit(transaction) == 0);

  REQUIRE(mdb_txn_begin(env, nullptr, 0, &transaction) == 0);
  const auto put = [&](Database database, std::string_view key, const std::string& payload) {
    std::string value = encode_value(database, key, payload);
    MDB_val at{key.size(), const_cast<char*>(key.data())};
    MDB_val bytes{value.size(), value.data()};
    for (std::size_t i = 0; i < databases.size(); ++i) {
      if (databases[i] == name_of(database)) REQUIRE(mdb_put(transaction, handles[i], &at, &bytes, 0) == 0);
    }
  };
  TopicRecord topic = topic_record("t", 1, 2);
  topic.config["note"] = std::string(setting_bytes, 'n');
  std::string number(sizeof(std::uint64_t), '\0');
  base::store_be(reinterpret_cast<std::byte*>(number.data()), std::uint64_t{mdb_txn_id(transaction)});
  put(Database::engine, engine_key, encode(EngineRecord{id_of(1), true, 77}));
  put(Database::engine, transaction_key, number);
  put(Database::topics, "t", encode(topic));
  put(Database::offsets, offset_key("g", id_of(1), 1), encode(CommittedOffset{5, "m", 6}));
  REQUIRE(mdb_txn_commit(transaction) == 0);
  mdb_env_close(env);
}

/// The contents of such a catalog are as they were made.
inline void check_old_contents(const Catalog& catalog) {
  CHECK(must(catalog.topics()).size() == 1);
  CHECK(must(catalog.topic("t")).topic_id == id_of(1));
  CHECK(must(catalog.engine()) == EngineRecord{id_of(1), true, 77});
  CHECK(*must(catalog.committed("g", {"t", 1})) == CommittedOffset{5, "m", 6});
  CHECK(must(catalog.groups()) == std::vector<std::string>{"g"});
  CHECK(must(catalog.deleted_topics()).empty());
}

/// It has no producers, transactional ids or state.
inline void check_no_newer_contents(const Catalog& catalog) {
  CHECK(must(catalog.named_producers()).empty());
  CHECK_FALSE(must(catalog.named_producer("p")).has_value());
  CHECK(must(catalog.transactional_ids()).empty());
  CHECK(must(state_names(catalog)).empty());
  CHECK_FALSE(must(state_value(catalog, "s", base::as_bytes("k"))).has_value());
  CHECK(must(scan_state(catalog, "s", {}, 10)).empty());
  CHECK(must(catalog.producer_id_end()) == first_producer_id);
}

}  // namespace seriatim::catalog
