// Durable commits of the databases that applications use for the same: RocksDB with a synced write-ahead log,
// SQLite in WAL mode with synchronous = FULL. The same disk, threads and bytes as durable_bench.cpp.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <rocksdb/db.h>

#include "bench_support.hpp"
#include "commit_load.hpp"
#include "sqlite_connection.hpp"

namespace seriatim::bench {
namespace {

constexpr std::size_t value_bytes = 100;
constexpr int tables = 4;  // of one transaction

void check(const rocksdb::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "RocksDB: %s\n", status.ToString().c_str());
  std::exit(1);
}

std::unique_ptr<rocksdb::DB> open_rocksdb(const std::filesystem::path& path) {
  rocksdb::Options options;
  options.create_if_missing = true;
  rocksdb::DB* opened = nullptr;
  check(rocksdb::DB::Open(options, path.string(), &opened));
  return std::unique_ptr<rocksdb::DB>(opened);
}

rocksdb::WriteOptions synced() {
  rocksdb::WriteOptions options;
  options.sync = true;
  return options;
}

class RocksDb final : public Committer {
 public:
  explicit RocksDb(const std::filesystem::path& directory) : db_(open_rocksdb(directory / "db")) {}
  void commit(int) override {
    const std::uint64_t key = next_key_.fetch_add(1);
    check(db_->Put(synced(), {reinterpret_cast<const char*>(&key), sizeof key}, value_));
  }

 private:
  std::unique_ptr<rocksdb::DB> db_;
  std::atomic<std::uint64_t> next_key_{0};
  std::string value_ = payload(value_bytes);
};

/// One record to each of four column families and a position to a fifth, in one batch.
class RocksDbTransactions final : public Committer {
 public:
  explicit RocksDbTransactions(const std::filesystem::path& directory) : db_(open_rocksdb(directory / "db")) {
    for (int i = 0; i <= tables; ++i) {
      rocksdb::ColumnFamilyHandle* family = nullptr;
      check(db_->CreateColumnFamily({}, "family-" + std::to_string(i), &family));
      families_.emplace_back(family);
    }
  }
  void commit(int thread) override {
    rocksdb::WriteBatch batch;
    const std::uint64_t key = next_key_.fetch_add(1);
    const rocksdb::Slice offset(reinterpret_cast<const char*>(&key), sizeof key);
    for (int i = 0; i < tables; ++i)
      check(batch.Put(families_[static_cast<std::size_t>(i)].get(), offset, value_));
    check(batch.Put(families_[tables].get(), "group-" + std::to_string(thread), offset));
    check(db_->Write(synced(), &batch));
  }

 private:
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<std::unique_ptr<rocksdb::ColumnFamilyHandle>> families_;
  std::atomic<std::uint64_t> next_key_{0};
  std::string value_ = payload(value_bytes);
};

/// One record in one table.
class SqliteInsert {
 public:
  explicit SqliteInsert(const std::filesystem::path& path) : connection_(path) {
    connection_.run("CREATE TABLE IF NOT EXISTS log (offset INTEGER PRIMARY KEY, value BLOB)");
    insert_ = connection_.prepare("INSERT INTO log (value) VALUES (?)");
  }
  void commit(int, const std::string& value) { connection_.insert(insert_, value); }

 private:
  SqliteConnection connection_;
  sqlite3_stmt* insert_ = nullptr;
};

/// One record to each of four tables and a position to a fifth, in one transaction.
class SqliteTransaction {
 public:
  explicit SqliteTransaction(const std::filesystem::path& path) : connection_(path) {
    connection_.run("CREATE TABLE IF NOT EXISTS positions (name TEXT PRIMARY KEY, position INTEGER)");
    for (int i = 0; i < tables; ++i) {
      const std::string table = "log" + std::to_string(i);
      connection_.run(
          ("CREATE TABLE IF NOT EXISTS " + table + " (offset INTEGER PRIMARY KEY, value BLOB)").c_str());
      inserts_.push_back(connection_.prepare("INSERT INTO " + table + " (value) VALUES (?)"));
    }
    replace_ = connection_.prepare("REPLACE INTO positions VALUES (?, ?)");
  }
  void commit(int thread, const std::string& value) {
    const std::string group = "group-" + std::to_string(thread);
    connection_.run("BEGIN IMMEDIATE");
    for (sqlite3_stmt* const insert : inserts_) connection_.insert(insert, value);
    connection_.check(
        sqlite3_bind_text(replace_, 1, group.data(), static_cast<int>(group.size()), SQLITE_STATIC));
    connection_.check(sqlite3_bind_int64(replace_, 2, ++position_));
    connection_.step(replace_);
    connection_.run("COMMIT");
  }

 private:
  SqliteConnection connection_;
  std::vector<sqlite3_stmt*> inserts_;
  sqlite3_stmt* replace_ = nullptr;
  std::int64_t position_ = 0;
};

/// @tparam Writer  one for each thread.
template <class Writer>
class Sqlite final : public Committer {
 public:
  Sqlite(const std::filesystem::path& directory, int threads) {
    for (int i = 0; i < threads; ++i) writers_.push_back(std::make_unique<Writer>(directory / "log.sqlite"));
  }
  void commit(int thread) override { writers_[static_cast<std::size_t>(thread)]->commit(thread, value_); }

 private:
  std::vector<std::unique_ptr<Writer>> writers_;
  std::string value_ = payload(value_bytes);
};

const bool entered = enter_committer("rocksdb", [](const std::filesystem::path& directory,
                                                   int) { return std::make_unique<RocksDb>(directory); }) &&
                     enter_committer("sqlite",
                                     [](const std::filesystem::path& directory, int threads) {
                                       return std::make_unique<Sqlite<SqliteInsert>>(directory, threads);
                                     }) &&
                     enter_committer(
                         "rocksdb_transaction",
                         [](const std::filesystem::path& directory, int) {
                           return std::make_unique<RocksDbTransactions>(directory);
                         },
                         1, 16) &&
                     enter_committer(
                         "sqlite_transaction",
                         [](const std::filesystem::path& directory, int threads) {
                           return std::make_unique<Sqlite<SqliteTransaction>>(directory, threads);
                         },
                         1, 16);

}  // namespace
}  // namespace seriatim::bench
