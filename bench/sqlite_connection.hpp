// A connection to an SQLite database in WAL mode with synchronous = FULL. Any error ends the program
// with a message.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <sqlite3.h>

namespace seriatim::bench {

/// Threads: one; each has a connection of its own.
class SqliteConnection {
 public:
  explicit SqliteConnection(const std::filesystem::path& path) {
    check(sqlite3_open(path.c_str(), &db_));
    check(sqlite3_busy_timeout(db_, 60'000));
    run("PRAGMA journal_mode = WAL");
    run("PRAGMA synchronous = FULL");
  }
  ~SqliteConnection() {
    for (sqlite3_stmt* const statement : statements_) sqlite3_finalize(statement);
    sqlite3_close(db_);
  }
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;

  void run(const char* sql) { check(sqlite3_exec(db_, sql, nullptr, nullptr, nullptr)); }
  /// Valid as long as the connection.
  sqlite3_stmt* prepare(const std::string& sql) {
    check(sqlite3_prepare_v2(db_, sql.c_str(), -1, &statements_.emplace_back(nullptr), nullptr));
    return statements_.back();
  }
  /// Checks the answer of `sqlite3_bind_...`.
  void check(int code) {
    if (code != SQLITE_OK) fail();
  }
  /// Runs a statement that has no rows, which may be bound anew then.
  void step(sqlite3_stmt* statement) {
    if (sqlite3_step(statement) != SQLITE_DONE) fail();
    check(sqlite3_reset(statement));
  }
  /// A statement whose only parameter is `value`.
  void insert(sqlite3_stmt* statement, const std::string& value) {
    check(sqlite3_bind_blob(statement, 1, value.data(), static_cast<int>(value.size()), SQLITE_STATIC));
    step(statement);
  }

 private:
  [[noreturn]] void fail() {
    std::fprintf(stderr, "SQLite: %s\n", sqlite3_errmsg(db_));
    std::exit(1);
  }

  sqlite3* db_ = nullptr;
  std::vector<sqlite3_stmt*> statements_;
};

}  // namespace seriatim::bench
