#include "text/output.hpp"

#include <algorithm>

#include "text/quantity.hpp"
#include "text/readable_time.hpp"
#include "text/text_encoding.hpp"

namespace seriatim::cli {
namespace {

std::string shown(const Json& cell, ColumnKind kind, bool for_terminal) {
  if (cell.is_null()) return "-";
  if (kind == ColumnKind::time)
    return readable_time(Timestamp(std::chrono::milliseconds(cell.get<std::int64_t>())));
  if (kind == ColumnKind::bytes && for_terminal) return readable_size(cell.get<double>());
  if (cell.is_string()) return printable(cell.get_ref<const std::string&>());
  return json_text(cell);
}

std::string heading(const Column& column) {
  std::string text = column.name;
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return text;
}

// Columns as a terminal counts them: code points, since none of our texts combines characters.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string tsv_cell(const Json& cell) {
  if (cell.is_null()) return "\\N";
  if (!cell.is_string()) return json_text(cell);
  std::string text;
  for (const char c : cell.get_ref<const std::string&>()) {
    switch (c) {
      case '\t':
        text += "\\t";
        break;
      case '\n':
        text += "\\n";
        break;
      case '\r':
        text += "\\r";
        break;
      case '\\':
        text += "\\\\";
        break;
      default:
        text += c;
    }
  }
  return text;
}

}  // namespace

void put_bytes(Json& object, std::string_view name, std::string_view bytes) {
  if (is_utf8(bytes)) {
    object[std::string(name)] = std::string(bytes);
  } else {
    object[std::string(name) + "_b64"] = base64(bytes);
  }
}

void put_nullable_bytes(Json& object, std::string_view name, BytesView bytes) {
  if (bytes.is_null()) {
    object[std::string(name)] = nullptr;
  } else {
    put_bytes(object, name, bytes.text());
  }
}

void print_json(OutputStream& out, OutputFormat format, const Json& value) {
  out.write(json_text(value, format == OutputFormat::json ? 2 : -1));
  out.write("\n");
}

void Table::print(OutputStream& out, OutputFormat format) const {
  switch (format) {
    case OutputFormat::table:
      return print_aligned(out);
    case OutputFormat::tsv:
      return print_tsv(out);
    case OutputFormat::json:
      return print_json(out, format, to_json());
    case OutputFormat::jsonl:
      for (const auto& row : rows_) print_json(out, format, row_to_json(row));
  }
}

Json Table::to_json() const {
  Json rows = Json::array();
  for (const auto& row : rows_) rows.push_back(row_to_json(row));
  return rows;
}

Json Table::row_to_json(const std::vector<Json>& row) const {
  Json object = Json::object();
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (row[i].is_string()) {
      put_bytes(object, columns_[i].name, row[i].get_ref<const std::string&>());
    } else {
      object[columns_[i].name] = row[i];
    }
  }
  return object;
}

void Table::print_aligned(OutputStream& out) const {
  const bool for_terminal = out.is_terminal();
  std::vector<std::vector<std::string>> lines(1);
  for (const Column& column : columns_) lines[0].push_back(heading(column));
  for (const auto& row : rows_) {
    std::vector<std::string>& line = lines.emplace_back();
    for (std::size_t i = 0; i < columns_.size(); ++i)
      line.push_back(shown(row[i], columns_[i].kind, for_terminal));
  }
  std::vector<std::size_t> widths(columns_.size());
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], width_of(line[i]));
  }
  for (const auto& line : lines) {
    std::string text;
    for (std::size_t i = 0; i < line.size(); ++i) {
      const std::string padding(widths[i] - width_of(line[i]), ' ');
      const bool to_the_right =
          columns_[i].kind == ColumnKind::number || columns_[i].kind == ColumnKind::bytes;
      text += (i == 0 ? "" : "  ") + (to_the_right ? padding + line[i] : line[i] + padding);
    }
    text.erase(text.find_last_not_of(' ') + 1);
    out.write(text + "\n");
  }
}

void Table::print_tsv(OutputStream& out) const {
  std::string text;
  for (std::size_t i = 0; i < columns_.size(); ++i) text += (i == 0 ? "" : "\t") + columns_[i].name;
  for (const auto& row : rows_) {
    text += '\n';
    for (std::size_t i = 0; i < columns_.size(); ++i) text += (i == 0 ? "" : "\t") + tsv_cell(row[i]);
  }
  out.write(text + "\n");
}

}  // namespace seriatim::cli
