#include "groups/group_offsets_csv.hpp"

#include <charconv>
#include <map>
#include <optional>
#include <utility>

namespace seriatim::cli {
namespace {

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

Error csv_error(std::uint64_t line, const std::string& what) {
  return {Errc::invalid_argument,
          "line " + std::to_string(line) + ": " + what +
              ". A line is topic,partition,offset or group,topic,partition,offset, without a heading"};
}

template <class Number>
std::optional<Number> csv_number(const std::string& text) {
  Number value = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped_at, failure] = std::from_chars(text.data(), end, value);
  if (failure != std::errc() || stopped_at != end) return std::nullopt;
  return value;
}

/// The records of a text, one after the other. A quoted field may have line ends.
class CsvReader {
 public:
  explicit CsvReader(std::string_view text) : rest_(text) {}

  /// The line in which the record of the last `next` begins.
  std::uint64_t line() const noexcept { return line_; }
  /// The fields of the next record; none: the text is at its end.
  Result<std::vector<std::string>> next() {
    std::vector<std::string> fields;
    line_ += lines_passed_;
    lines_passed_ = 0;
    while (!rest_.empty() && (rest_.front() == '\n' || rest_.front() == '\r')) {
      line_ += rest_.front() == '\n' ? 1 : 0;
      rest_.remove_prefix(1);
    }
    while (!rest_.empty()) {
      auto field = rest_.front() == '"' ? quoted() : plain();
      if (!field.ok()) return field.error();
      fields.push_back(std::move(*field));
      if (end_of_record()) return fields;
      if (rest_.front() != ',') return csv_error(line_, "something stands behind a closing quote");
      rest_.remove_prefix(1);
      if (rest_.empty()) fields.emplace_back();
    }
    return fields;
  }

 private:
  bool end_of_record() {
    if (rest_.starts_with("\r\n")) rest_.remove_prefix(1);
    if (rest_.empty()) return true;
    if (rest_.front() != '\n') return false;
    rest_.remove_prefix(1);
    ++lines_passed_;
    return true;
  }
  Result<std::string> plain() {
    std::string field(rest_.substr(0, rest_.find_first_of(",\n")));
    rest_.remove_prefix(field.size());
    if (field.ends_with('\r') && !rest_.starts_with(',')) field.pop_back();
    return field;
  }
  Result<std::string> quoted() {
    std::string field;
    for (std::size_t i = 1; i < rest_.size(); ++i) {
      lines_passed_ += rest_[i] == '\n' ? 1 : 0;
      if (rest_[i] == '"') {
        if (i + 1 == rest_.size() || rest_[i + 1] != '"') {
          rest_.remove_prefix(i + 1);
          return field;
        }
        ++i;
      }
      field += rest_[i];
    }
    return csv_error(line_, "a quote is not closed");
  }

  std::string_view rest_;
  std::uint64_t line_ = 1;
  std::uint64_t lines_passed_ = 0;
};

}  // namespace

std::string csv_line(const std::string* group, const TopicPartition& at, Offset offset) {
  return (group == nullptr ? std::string() : csv_field(*group) + ",") + csv_field(at.topic) + "," +
         std::to_string(at.partition) + "," + std::to_string(offset) + "\n";
}

Result<std::vector<CsvOffset>> parse_csv_offsets(std::string_view text, std::string_view group) {
  std::vector<CsvOffset> offsets;
  std::map<TopicPartition, std::uint64_t> lines;
  CsvReader reader(text);
  for (;;) {
    const auto fields = reader.next();
    if (!fields.ok()) return fields.error();
    if (fields->empty()) break;
    const std::size_t count = fields->size();
    if (count != 3 && count != 4) {
      return csv_error(reader.line(), "it has " + std::to_string(count) + " fields");
    }
    const auto partition = csv_number<PartitionId>((*fields)[count - 2]);
    const auto offset = csv_number<Offset>((*fields)[count - 1]);
    if (!partition) return csv_error(reader.line(), "\"" + (*fields)[count - 2] + "\" is no partition");
    if (!offset) return csv_error(reader.line(), "\"" + (*fields)[count - 1] + "\" is no offset");
    if (count == 4 && fields->front() != group) continue;
    const TopicPartition at{(*fields)[count - 3], *partition};
    const auto [earlier, is_new] = lines.emplace(at, reader.line());
    if (!is_new) {
      return csv_error(reader.line(), "line " + std::to_string(earlier->second) + " gives an offset of " +
                                          at.topic + "-" + std::to_string(at.partition) + " already");
    }
    offsets.push_back({at, *offset, reader.line()});
  }
  if (!offsets.empty()) return offsets;
  return Error(Errc::not_found, "it has no line for group " + std::string(group) +
                                    ". Give the group that its lines name, or a file of another");
}

}  // namespace seriatim::cli
