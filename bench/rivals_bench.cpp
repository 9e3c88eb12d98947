// Durable commits of the databases that applications use for the same: RocksDB with a synced write-ahead log,
// SQLite in WAL mode with synchronous = FULL. The same disk, threads and bytes as durable_bench.cpp.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <rocksdb/db.h>
#include <sqlite3.h>

#include "bench_support.hpp"
#include "commit_load.hpp"

namespace seriatim::bench {
namespace {

constexpr std::size_t value_bytes = 100;
constexpr int tables = 4;  // of one transaction

void check(const rocksdb::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "RocksDB: %s\n", status.ToString().c_str());
  std::exit(1);
}

class RocksDb final : public Committer {
 public:
  explicit RocksDb(const std::filesystem::path& directory) {
    rocksdb::Options options;
    options.create_if_missing = true;
    rocksdb::DB* opened = nullptr;
    check(rocksdb::DB::Open(options, (directory / "db").string(), &opened));
    db_.reset(opened);
  }
  void commit(int) override {
    rocksdb::WriteOptions options;
    options.sync = true;
    const std::uint64_t key = next_key_.fetch_add(1);
    check(db_->Put(options, {reinterpret_cast<const char*>(&key), sizeof key}, value_));
  }

 private:
  std::unique_ptr<rocksdb::DB> db_;
  std::atomic<std::uint64_t> next_key_{0};
  std::string value_ = payload(value_bytes);
};

/// One record to each of four column families and a position to a fifth, in one batch.
class RocksDbTransactions final : public Committer {
 public:
  explicit RocksDbTransactions(const std::filesystem::path& directory) {
    rocksdb::Options options;
    options.create_if_missing = true;
    rocksdb::DB* opened = nullptr;
    check(rocksdb::DB::Open(options, (directory / "db").string(), &opened));
    db_.reset(opened);
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
    rocksdb::WriteOptions options;
    options.sync = true;
    check(db_->Write(options, &batch));
  }

 private:
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<std::unique_ptr<rocksdb::ColumnFamilyHandle>> families_;
  std::atomic<std::uint64_t> next_key_{0};
  std::string value_ = payload(value_bytes);
};

/// A connection, as each thread has one of its own.
class Sqlite {
 public:
  explicit Sqlite(const std::filesystem::path& path) {
    check(sqlite3_open(path.c_str(), &db_));
    check(sqlite3_busy_timeout(db_, 60'000));
    run("PRAGMA journal_mode = WAL");
    run("PRAGMA synchronous = FULL");
    run("CREATE TABLE IF NOT EXISTS log (offset INTEGER PRIMARY KEY, value BLOB)");
    check(sqlite3_prepare_v2(db_, "INSERT INTO log (value) VALUES (?)", -1, &insert_, nullptr));
  }
  ~Sqlite() {
    sqlite3_finalize(insert_);
    sqlite3_close(db_);
  }
  Sqlite(const Sqlite&) = delete;
  Sqlite& operator=(const Sqlite&) = delete;

  void insert(const std::string& value) {
    check(sqlite3_bind_blob(insert_, 1, value.data(), static_cast<int>(value.size()), SQLITE_STATIC));
    if (sqlite3_step(insert_) != SQLITE_DONE) fail();
    check(sqlite3_reset(insert_));
  }

 private:
  [[noreturn]] void fail() {
    std::fprintf(stderr, "SQLite: %s\n", sqlite3_errmsg(db_));
    std::exit(1);
  }
  void check(int code) {
    if (code != SQLITE_OK) fail();
  }
  void run(const char* sql) { check(sqlite3_exec(db_, sql, nullptr, nullptr, nullptr)); }

  sqlite3* db_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
};

/// One record to each of four tables and a position to a fifth, in one transaction.
class SqliteTransaction {
 public:
  explicit SqliteTransaction(const std::filesystem::path& path) {
    check(sqlite3_open(path.c_str(), &db_));
    check(sqlite3_busy_timeout(db_, 60'000));
    run("PRAGMA journal_mode = WAL");
    run("PRAGMA synchronous = FULL");
    run("CREATE TABLE IF NOT EXISTS positions (name TEXT PRIMARY KEY, position INTEGER)");
    for (int i = 0; i < tables; ++i) {
      const std::string table = "log" + std::to_string(i);
      run(("CREATE TABLE IF NOT EXISTS " + table + " (offset INTEGER PRIMARY KEY, value BLOB)").c_str());
      prepare("INSERT INTO " + table + " (value) VALUES (?)");
    }
    prepare("REPLACE INTO positions VALUES (?, ?)");
  }
  ~SqliteTransaction() {
    for (sqlite3_stmt* const statement : statements_) sqlite3_finalize(statement);
    sqlite3_close(db_);
  }
  SqliteTransaction(const SqliteTransaction&) = delete;
  SqliteTransaction& operator=(const SqliteTransaction&) = delete;

  void commit(const std::string& group, const std::string& value) {
    run("BEGIN IMMEDIATE");
    for (int i = 0; i < tables; ++i) {
      sqlite3_stmt* const insert = statements_[static_cast<std::size_t>(i)];
      check(sqlite3_bind_blob(insert, 1, value.data(), static_cast<int>(value.size()), SQLITE_STATIC));
      step(insert);
    }
    sqlite3_stmt* const replace = statements_.back();
    check(sqlite3_bind_text(replace, 1, group.data(), static_cast<int>(group.size()), SQLITE_STATIC));
    check(sqlite3_bind_int64(replace, 2, ++position_));
    step(replace);
    run("COMMIT");
  }

 private:
  [[noreturn]] void fail() {
    std::fprintf(stderr, "SQLite: %s\n", sqlite3_errmsg(db_));
    std::exit(1);
  }
  void check(int code) {
    if (code != SQLITE_OK) fail();
  }
  void run(const char* sql) { check(sqlite3_exec(db_, sql, nullptr, nullptr, nullptr)); }
  void prepare(const std::string& sql) {
    check(sqlite3_prepare_v2(db_, sql.c_str(), -1, &statements_.emplace_back(nullptr), nullptr));
  }
  void step(sqlite3_stmt* statement) {
    if (sqlite3_step(statement) != SQLITE_DONE) fail();
    check(sqlite3_reset(statement));
  }

  sqlite3* db_ = nullptr;
  std::vector<sqlite3_stmt*> statements_;
  std::int64_t position_ = 0;
};

class SqliteTransactions final : public Committer {
 public:
  SqliteTransactions(const std::filesystem::path& directory, int threads) {
    for (int i = 0; i < threads; ++i)
      connections_.push_back(std::make_unique<SqliteTransaction>(directory / "log.sqlite"));
  }
  void commit(int thread) override {
    connections_[static_cast<std::size_t>(thread)]->commit("group-" + std::to_string(thread), value_);
  }

 private:
  std::vector<std::unique_ptr<SqliteTransaction>> connections_;
  std::string value_ = payload(value_bytes);
};

class SqliteConnections final : public Committer {
 public:
  SqliteConnections(const std::filesystem::path& directory, int threads) {
    for (int i = 0; i < threads; ++i)
      connections_.push_back(std::make_unique<Sqlite>(directory / "log.sqlite"));
  }
  void commit(int thread) override { connections_[static_cast<std::size_t>(thread)]->insert(value_); }

 private:
  std::vector<std::unique_ptr<Sqlite>> connections_;
  std::string value_ = payload(value_bytes);
};

const bool entered = enter_committer("rocksdb", [](const std::filesystem::path& directory,
                                                   int) { return std::make_unique<RocksDb>(directory); }) &&
                     enter_committer("sqlite",
                                     [](const std::filesystem::path& directory, int threads) {
                                       return std::make_unique<SqliteConnections>(directory, threads);
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
                           return std::make_unique<SqliteTransactions>(directory, threads);
                         },
                         1, 16);

}  // namespace
}  // namespace seriatim::bench
