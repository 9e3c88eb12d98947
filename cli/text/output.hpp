// Rows as a table for people, or as JSON, JSON lines or TSV for programs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <seriatim/record.hpp>

#include "text/json_text.hpp"
#include "text/output_stream.hpp"

namespace seriatim::cli {

enum class OutputFormat { table, json, jsonl, tsv };

/// The kind of values in a column, which decides how a terminal shows it. Programs always get plain numbers.
enum class ColumnKind {
  text,
  number,
  bytes,  ///< "1.2 MiB" on a terminal.
  time,   ///< Milliseconds since 1970; RFC 3339 in a table.
};

struct Column {
  std::string name{};  ///< Lower case with underscores: the field's name in JSON.
  ColumnKind kind = ColumnKind::text;
};

/// Rows of one shape. A cell is a string, a number, a boolean or null.
class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  /// @param cells  as many as there are columns.
  void add(std::vector<Json> cells) { rows_.push_back(std::move(cells)); }
  std::size_t row_count() const noexcept { return rows_.size(); }
  /// Writes all rows, with a header line in `table` and `tsv`.
  void print(OutputStream& out, OutputFormat format) const;
  /// The rows as an array of objects.
  Json to_json() const;

 private:
  void print_aligned(OutputStream& out) const;
  void print_tsv(OutputStream& out) const;
  Json row_to_json(const std::vector<Json>& row) const;

  std::vector<Column> columns_;
  std::vector<std::vector<Json>> rows_{};
};

/// Puts `bytes` into an object as `name`, or as `name_b64` if they are not UTF-8.
void put_bytes(Json& object, std::string_view name, std::string_view bytes);
/// The same of bytes that may be null.
void put_nullable_bytes(Json& object, std::string_view name, BytesView bytes);
/// Writes an object or array: indented for `json`, on one line for `jsonl`; text that is not UTF-8 as
/// `json_text` says.
void print_json(OutputStream& out, OutputFormat format, const Json& value);

}  // namespace seriatim::cli
