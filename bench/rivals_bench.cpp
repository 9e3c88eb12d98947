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
                     enter_committer("sqlite", [](const std::filesystem::path& directory, int threads) {
                       return std::make_unique<SqliteConnections>(directory, threads);
                     });

}  // namespace
}  // namespace seriatim::bench
