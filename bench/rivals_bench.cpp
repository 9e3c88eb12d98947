// Durable commits of the databases that applications use for the same: RocksDB with a synced write-ahead log,
// SQLite in WAL mode with synchronous = FULL. The same disk, threads and bytes as durable_bench.cpp.
#include <benchmark/benchmark.h>

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

class RocksDb {
 public:
  explicit RocksDb(const std::filesystem::path& path) {
    rocksdb::Options options;
    options.create_if_missing = true;
    rocksdb::DB* opened = nullptr;
    check(rocksdb::DB::Open(options, path.string(), &opened));
    db_.reset(opened);
  }
  void put(const std::string& value) {
    rocksdb::WriteOptions options;
    options.sync = true;
    const std::uint64_t key = next_key_.fetch_add(1);
    check(db_->Put(options, {reinterpret_cast<const char*>(&key), sizeof key}, value));
  }

 private:
  std::unique_ptr<rocksdb::DB> db_;
  std::atomic<std::uint64_t> next_key_{0};
};

void rocksdb_commit(benchmark::State& state) {
  const ScratchDirectory scratch;
  RocksDb db(scratch.path() / "rocksdb");
  const std::string value = payload(value_bytes);
  measure_commits(state, [&](int) { db.put(value); });
}
BENCHMARK(rocksdb_commit)->Arg(1)->Arg(8)->Arg(64)->Iterations(1)->UseManualTime();

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

void sqlite_commit(benchmark::State& state) {
  const ScratchDirectory scratch;
  std::vector<std::unique_ptr<Sqlite>> connections;
  for (int i = 0; i < static_cast<int>(state.range(0)); ++i)
    connections.push_back(std::make_unique<Sqlite>(scratch.path() / "log.sqlite"));
  const std::string value = payload(value_bytes);
  measure_commits(state, [&](int thread) { connections[static_cast<std::size_t>(thread)]->insert(value); });
}
BENCHMARK(sqlite_commit)->Arg(1)->Arg(8)->Arg(64)->Iterations(1)->UseManualTime();

}  // namespace
}  // namespace seriatim::bench
