// As much of SQLite as two examples need.
#pragma once

#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include <sqlite3.h>

/// A database that is durable with every transaction. Every failure is an exception.
class Database {
 public:
  explicit Database(const std::string& path) {
    if (sqlite3_open(path.c_str(), &handle_) != SQLITE_OK) fail();
    sqlite3_busy_timeout(handle_, 10'000);
    run("PRAGMA synchronous=FULL");
  }
  ~Database() { sqlite3_close(handle_); }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  using Row = std::vector<std::string>;
  /// All rows of a statement whose parameters are `values`.
  std::vector<Row> run(const std::string& sql, const Row& values = {}) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(handle_, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK) fail();
    for (std::size_t i = 0; i < values.size(); ++i) {
      sqlite3_bind_text(statement, static_cast<int>(i + 1), values[i].c_str(), -1, nullptr);
    }
    std::vector<Row> rows;
    int step = 0;
    while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
      Row& row = rows.emplace_back();
      for (int i = 0; i < sqlite3_column_count(statement); ++i)
        row.emplace_back(reinterpret_cast<const char*>(sqlite3_column_text(statement, i)));
    }
    sqlite3_finalize(statement);
    if (step != SQLITE_DONE) fail();
    return rows;
  }
  /// Statements that become true together.
  void transact(const std::function<void()>& statements) {
    run("BEGIN IMMEDIATE");
    statements();
    run("COMMIT");
  }

 private:
  [[noreturn]] void fail() const { throw std::runtime_error(sqlite3_errmsg(handle_)); }
  sqlite3* handle_ = nullptr;
};
