#include "catalog/records/topic_config_rules.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <variant>

#include "base/assert.hpp"
#include "base/text.hpp"
#include "catalog/records/topic_name.hpp"

namespace seriatim::catalog {
namespace {

constexpr std::int64_t int32_max = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t int64_max = std::numeric_limits<std::int64_t>::max();

// A choice's texts, by the value of its enumerator. The first is the one that is printed; all are read.
struct Spelling {
  std::string_view text;
  std::uint8_t value;
};

constexpr std::array timestamp_spellings{Spelling{"CreateTime", 0}, Spelling{"LogAppendTime", 1},
                                         Spelling{"create_time", 0}, Spelling{"log_append_time", 1}};
constexpr std::array compression_spellings{
    Spelling{"producer", 0}, Spelling{"uncompressed", 1}, Spelling{"gzip", 2}, Spelling{"snappy", 3},
    Spelling{"lz4", 4},      Spelling{"zstd", 5},         Spelling{"none", 1}};
constexpr std::array cleanup_spellings{Spelling{"delete", 0}, Spelling{"compact", 1},
                                       Spelling{"compact,delete", 2}, Spelling{"delete,compact", 2},
                                       Spelling{"compact_and_delete", 2}};

enum class Kind : std::uint8_t { size, duration, count, ratio, choice, list };

struct Integer {
  std::int64_t TopicConfig::*field;
  std::int64_t min;
  std::int64_t max;
};

struct Ratio {
  double TopicConfig::*field;
};

// An enumeration behind a number, so that one rule serves all of them.
struct Choice {
  std::uint8_t (*load)(const TopicConfig&);
  void (*store)(TopicConfig&, std::uint8_t);
  std::span<const Spelling> spellings;
};

// Names of groups.
struct GroupNames {
  std::vector<std::string> TopicConfig::*field;
};

template <auto field>
constexpr Choice choice(std::span<const Spelling> spellings) {
  using Enumeration = std::remove_cvref_t<decltype(TopicConfig{}.*field)>;
  return {[](const TopicConfig& config) { return static_cast<std::uint8_t>(config.*field); },
          [](TopicConfig& config, std::uint8_t value) { config.*field = static_cast<Enumeration>(value); },
          spellings};
}

struct Rule {
  std::string_view name;
  Kind kind;
  std::variant<Integer, Ratio, Choice, GroupNames> field;
  std::string_view description;
};

// Kafka's own minimum of segment.bytes is 1 MiB (14 bytes before 4.0). 1 KiB lets tests and demonstrations
// roll after a few records, and still holds the largest fixed part of a batch many times.
const std::array<Rule, 17>& rules() {
  static const std::array<Rule, 17> table{{
      {"segment.bytes", Kind::size, Integer{&TopicConfig::segment_bytes, 1'024, int32_max},
       "size at which a segment file is closed and the next one begun"},
      {"segment.ms", Kind::duration, Integer{&TopicConfig::segment_ms, 1, int64_max},
       "age, in record time, at which a segment is closed although it is not full"},
      {"index.interval.bytes", Kind::size, Integer{&TopicConfig::index_interval_bytes, 0, int32_max},
       "log bytes between two entries of the sparse indexes"},
      {"segment.index.bytes", Kind::size, Integer{&TopicConfig::segment_index_bytes, 12, int32_max},
       "largest size of one index file; a full index closes the segment"},
      {"retention.ms", Kind::duration, Integer{&TopicConfig::retention_ms, -1, int64_max},
       "records older than this go, in whole segments; -1 keeps them for ever"},
      {"retention.bytes", Kind::size, Integer{&TopicConfig::retention_bytes, -1, int64_max},
       "size per partition above which the oldest segments go; -1 is unlimited"},
      {"retention.consumed.groups", Kind::list, GroupNames{&TopicConfig::retention_consumed_groups},
       "groups: segments that all of them have read go early"},
      {"retention.unread.groups", Kind::list, GroupNames{&TopicConfig::retention_unread_groups},
       "groups: retention keeps what one of them has not read"},
      {"max.message.bytes", Kind::size, Integer{&TopicConfig::max_message_bytes, 0, int32_max},
       "largest batch, as stored, that an append accepts"},
      {"message.timestamp.type", Kind::choice,
       choice<&TopicConfig::message_timestamp_type>(timestamp_spellings), "whose clock stamps the records"},
      {"compression.type", Kind::choice, choice<&TopicConfig::compression_type>(compression_spellings),
       "how batches are stored"},
      {"cleanup.policy", Kind::choice, choice<&TopicConfig::cleanup_policy>(cleanup_spellings),
       "what happens to old records"},
      {"delete.retention.ms", Kind::duration, Integer{&TopicConfig::delete_retention_ms, 0, int64_max},
       "how long compaction keeps a tombstone, so that readers can still see it"},
      {"min.compaction.lag.ms", Kind::duration, Integer{&TopicConfig::min_compaction_lag_ms, 0, int64_max},
       "age below which a record is never compacted away"},
      {"min.cleanable.dirty.ratio", Kind::ratio, Ratio{&TopicConfig::min_cleanable_dirty_ratio},
       "share of not yet compacted bytes from which compaction runs"},
      {"flush.messages", Kind::count, Integer{&TopicConfig::flush_messages, 1, int64_max},
       "records after which acks=leader data is synced"},
      {"flush.ms", Kind::duration, Integer{&TopicConfig::flush_ms, 0, int64_max},
       "milliseconds after which acks=leader data is synced"},
  }};
  return table;
}

std::string_view type_name(Kind kind) {
  switch (kind) {
    case Kind::size:
      return "size";
    case Kind::duration:
      return "duration";
    case Kind::count:
      return "count";
    case Kind::ratio:
      return "ratio";
    case Kind::choice:
      return "choice";
    case Kind::list:
      return "list";
  }
  SERIATIM_ASSERT(false);
}

// The values that are allowed, for the end of an error message.
std::string allowed_text(const Rule& rule) {
  if (const auto* integer = std::get_if<Integer>(&rule.field)) {
    return std::to_string(integer->min) + " .. " + std::to_string(integer->max);
  }
  if (std::holds_alternative<Ratio>(rule.field)) return "0 .. 1";
  if (std::holds_alternative<GroupNames>(rule.field))
    return "names of groups, of 1 to 255 bytes, separated by commas, each once";
  std::string texts;
  std::uint8_t next = 0;
  for (const Spelling& spelling : std::get<Choice>(rule.field).spellings) {
    if (spelling.value != next) continue;  // the first spelling of each value only
    if (next++ > 0) texts += " | ";
    texts += spelling.text;
  }
  return texts;
}

std::string_view example_of(Kind kind) {
  if (kind == Kind::size) return ", in bytes or with a unit, such as 64MiB";
  if (kind == Kind::duration) return ", in milliseconds or with a unit, such as 7d";
  return "";
}

Error refused(const Rule& rule, std::string_view value, std::string_view why) {
  return {Errc::invalid_config, std::string(rule.name) + ": \"" + std::string(value) + "\" " +
                                    std::string(why) + "; allowed is " + allowed_text(rule) +
                                    std::string(example_of(rule.kind))};
}

Result<const Rule*> find_rule(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Rule& rule : rules()) {
    if (rule.name == name) return &rule;
    names.push_back(rule.name);
  }
  std::string message = "no topic setting is called \"" + std::string(name) + "\"; ";
  const std::string_view near = base::nearest(name, names);
  if (!near.empty())
    return Error(Errc::invalid_config, message + "did you mean \"" + std::string(near) + "\"?");
  message += "there are ";
  for (const std::string_view one : names) message.append(one == names.front() ? "" : ", ").append(one);
  return Error(Errc::invalid_config, std::move(message));
}

// The whole of `text` as a number, in the C locale whatever the application's is.
template <class Number>
bool parse_number(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

Result<std::int64_t> parse_integer(const Rule& rule, std::string_view value) {
  // Plain numbers may be negative here: Kafka's -1 is no size, but says that there is no limit.
  std::int64_t number = 0;
  if (parse_number(value, number)) return number;
  if (rule.kind == Kind::count) return refused(rule, value, "is not a whole number");
  Result<std::int64_t> parsed =
      rule.kind == Kind::size ? base::parse_size(value) : base::parse_duration_ms(value);
  if (parsed) return parsed;
  return Error(Errc::invalid_config, std::string(rule.name) + ": " + parsed.error().message() +
                                         " Allowed is " + allowed_text(rule) + ".");
}

Result<void> set_integer(const Rule& rule, TopicConfig& config, std::string_view value) {
  const auto& integer = std::get<Integer>(rule.field);
  const Result<std::int64_t> number = parse_integer(rule, value);
  if (!number) return number.error();
  if (*number < integer.min || *number > integer.max) return refused(rule, value, "is out of range");
  config.*integer.field = *number;
  return {};
}

Result<void> set_ratio(const Rule& rule, TopicConfig& config, std::string_view value) {
  double number = 0;
  if (!parse_number(value, number)) return refused(rule, value, "is not a number");
  if (!(number >= 0 && number <= 1)) return refused(rule, value, "is out of range");
  config.*std::get<Ratio>(rule.field).field = number;
  return {};
}

Result<void> set_choice(const Rule& rule, TopicConfig& config, std::string_view value) {
  const auto& field = std::get<Choice>(rule.field);
  for (const Spelling& spelling : field.spellings) {
    if (spelling.text != value) continue;
    field.store(config, spelling.value);
    return {};
  }
  return refused(rule, value, "is not one of the choices");
}

std::string_view without_spaces(std::string_view text) {
  const std::size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') + 1 - first);
}

Result<void> set_groups(const Rule& rule, TopicConfig& config, std::string_view value) {
  std::vector<std::string> names;
  const bool is_empty = without_spaces(value).empty();
  for (std::size_t from = 0; !is_empty && from <= value.size();) {
    const std::size_t comma = std::min(value.find(',', from), value.size());
    const std::string name(without_spaces(value.substr(from, comma - from)));
    if (!check_group_name(name)) return refused(rule, value, "has a name that no group can have");
    if (std::find(names.begin(), names.end(), name) != names.end())
      return refused(rule, value, "names a group twice");
    names.push_back(name);
    from = comma + 1;
  }
  config.*std::get<GroupNames>(rule.field).field = std::move(names);
  return {};
}

std::string text_of(const Rule& rule, const TopicConfig& config) {
  if (const auto* integer = std::get_if<Integer>(&rule.field)) return std::to_string(config.*integer->field);
  if (const auto* ratio = std::get_if<Ratio>(&rule.field)) {
    std::array<char, 32>
        text;  // the shortest form that reads back as the same double has at most 24 characters
    const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), config.*ratio->field);
    SERIATIM_ASSERT(error == std::errc());
    return {text.data(), end};
  }
  if (const auto* groups = std::get_if<GroupNames>(&rule.field)) {
    std::string text;
    for (const std::string& name : config.*groups->field) text += (text.empty() ? "" : ",") + name;
    return text;
  }
  const auto& field = std::get<Choice>(rule.field);
  const std::uint8_t value = field.load(config);
  for (const Spelling& spelling : field.spellings) {
    if (spelling.value == value) return std::string(spelling.text);
  }
  return std::to_string(value);  // a cast made this value; set_config refuses the text
}

}  // namespace

Result<void> set_config(TopicConfig& config, std::string_view name, std::string_view value) {
  const Result<const Rule*> rule = find_rule(name);
  if (!rule) return rule.error();
  switch ((*rule)->kind) {
    case Kind::ratio:
      return set_ratio(**rule, config, value);
    case Kind::choice:
      return set_choice(**rule, config, value);
    case Kind::list:
      return set_groups(**rule, config, value);
    case Kind::size:
    case Kind::duration:
    case Kind::count:
      return set_integer(**rule, config, value);
  }
  SERIATIM_ASSERT(false);
}

Result<std::string> config_text(const TopicConfig& config, std::string_view name) {
  const Result<const Rule*> rule = find_rule(name);
  if (!rule) return rule.error();
  return text_of(**rule, config);
}

std::vector<ConfigDescription> list_configs() {
  std::vector<ConfigDescription> list;
  for (const Rule& rule : rules()) {
    list.push_back({rule.name, type_name(rule.kind), allowed_text(rule), text_of(rule, TopicConfig{}),
                    rule.description});
  }
  return list;
}

Result<TopicConfig> resolve_config(const std::map<std::string, std::string>& overrides) {
  TopicConfig config;
  for (const auto& [name, value] : overrides) {
    if (Result<void> set = set_config(config, name, value); !set) return set.error();
  }
  return config;
}

}  // namespace seriatim::catalog
