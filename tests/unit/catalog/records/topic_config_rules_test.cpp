#include "catalog/records/topic_config_rules.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

namespace seriatim::catalog {
namespace {

struct Accepted {
  const char* name;
  const char* value;
  const char* text;  // as printed afterwards
};

struct Refused {
  const char* name;
  const char* value;
  const char* part_of_message;
};

TEST_CASE("the defaults are Kafka's") {
  const std::map<std::string, std::string> kafka{
      {"segment.bytes", "1073741824"},      {"segment.ms", "604800000"},
      {"index.interval.bytes", "4096"},     {"segment.index.bytes", "10485760"},
      {"retention.ms", "604800000"},        {"retention.bytes", "-1"},
      {"max.message.bytes", "1048588"},     {"message.timestamp.type", "CreateTime"},
      {"compression.type", "producer"},     {"cleanup.policy", "delete"},
      {"delete.retention.ms", "86400000"},  {"min.compaction.lag.ms", "0"},
      {"min.cleanable.dirty.ratio", "0.5"}, {"flush.messages", "9223372036854775807"},
      {"flush.ms", "9223372036854775807"}};
  const std::set<std::string> own{"retention.consumed.groups", "retention.unread.groups"};
  std::map<std::string, std::string> ours;
  for (const ConfigDescription& config : list_configs()) {
    if (own.contains(std::string(config.name))) {
      CHECK(config.default_text.empty());
    } else {
      ours.emplace(config.name, config.default_text);
    }
    CHECK_FALSE(config.description.empty());
    CHECK_FALSE(config.allowed.empty());
  }
  CHECK(ours == kafka);
}

TEST_CASE("every accepted form of every setting reads back as its plain form") {
  const std::vector<Accepted> rows{
      {"segment.bytes", "1024", "1024"},
      {"segment.bytes", "64MiB", "67108864"},
      {"segment.bytes", "2147483647", "2147483647"},
      {"segment.ms", "1", "1"},
      {"segment.ms", "7d", "604800000"},
      {"index.interval.bytes", "0", "0"},
      {"segment.index.bytes", "12", "12"},
      {"retention.ms", "-1", "-1"},
      {"retention.ms", "0", "0"},
      {"retention.ms", "1h30m", "5400000"},
      {"retention.bytes", "-1", "-1"},
      {"retention.bytes", "9223372036854775807", "9223372036854775807"},
      {"retention.consumed.groups", "", ""},
      {"retention.consumed.groups", "  ", ""},
      {"retention.consumed.groups", "billing", "billing"},
      {"retention.unread.groups", " billing , audit of 2026,b ", "billing,audit of 2026,b"},
      {"max.message.bytes", "1MiB", "1048576"},
      {"message.timestamp.type", "LogAppendTime", "LogAppendTime"},
      {"message.timestamp.type", "log_append_time", "LogAppendTime"},
      {"message.timestamp.type", "create_time", "CreateTime"},
      {"compression.type", "none", "uncompressed"},
      {"compression.type", "uncompressed", "uncompressed"},
      {"compression.type", "gzip", "gzip"},
      {"compression.type", "snappy", "snappy"},
      {"compression.type", "lz4", "lz4"},
      {"compression.type", "zstd", "zstd"},
      {"cleanup.policy", "compact", "compact"},
      {"cleanup.policy", "compact,delete", "compact,delete"},
      {"cleanup.policy", "delete,compact", "compact,delete"},
      {"delete.retention.ms", "0", "0"},
      {"min.compaction.lag.ms", "15m", "900000"},
      {"min.cleanable.dirty.ratio", "0", "0"},
      {"min.cleanable.dirty.ratio", "1", "1"},
      {"min.cleanable.dirty.ratio", "0.25", "0.25"},
      {"flush.messages", "1", "1"},
      {"flush.messages", "9223372036854775807", "9223372036854775807"},
      {"flush.ms", "0", "0"},
      {"flush.ms", "9223372036854775807", "9223372036854775807"},
  };
  for (const Accepted& row : rows) {
    CAPTURE(row.name);
    CAPTURE(row.value);
    TopicConfig config;
    const Result<void> set = set_config(config, row.name, row.value);
    REQUIRE_MESSAGE(set.ok(), set.error().message());
    CHECK(*config_text(config, row.name) == row.text);
  }
}

TEST_CASE(
    "a refused value leaves the config alone and the message has the setting, the value and the range") {
  const std::vector<Refused> rows{
      {"segment.bytes", "1023", "1024 .. 2147483647"},
      {"segment.bytes", "2GiB", "1024 .. 2147483647"},
      {"segment.bytes", "-1", "1024 .. 2147483647"},
      {"segment.bytes", "big", "is not a size"},
      {"segment.bytes", "", "is not a size"},
      {"segment.bytes", "64 parsecs", "segment.bytes: \"64 parsecs\" is not a size. Write "},
      {"segment.bytes", "64 parsecs", "1024 .. 2147483647"},
      {"segment.ms", "0", "1 .. 9223372036854775807"},
      {"segment.ms", "soon", "is not a duration"},
      {"index.interval.bytes", "-1", "0 .. 2147483647"},
      {"segment.index.bytes", "11", "12 .. 2147483647"},
      {"retention.ms", "-2", "-1 .. "},
      {"retention.bytes", "-2", "-1 .. "},
      {"retention.bytes", "9223372036854775808", "is not a size"},
      {"retention.consumed.groups", "a,", "has a name that no group can have"},
      {"retention.consumed.groups", "a, ,b", "separated by commas"},
      {"retention.unread.groups", ",", "has a name that no group can have"},
      {"retention.unread.groups", "a,b,a", "names a group twice"},
      {"max.message.bytes", "2147483648", "0 .. 2147483647"},
      {"message.timestamp.type", "AppendTime", "CreateTime | LogAppendTime"},
      {"compression.type", "brotli", "producer | uncompressed | gzip | snappy | lz4 | zstd"},
      {"compression.type", "GZIP", "is not one of the choices"},
      {"cleanup.policy", "compact,", "delete | compact | compact,delete"},
      {"delete.retention.ms", "-1", "0 .. "},
      {"min.compaction.lag.ms", "-1", "0 .. "},
      {"min.cleanable.dirty.ratio", "1.01", "0 .. 1"},
      {"min.cleanable.dirty.ratio", "-0.1", "0 .. 1"},
      {"min.cleanable.dirty.ratio", "nan", "0 .. 1"},
      {"min.cleanable.dirty.ratio", "0,5", "is not a number"},
      {"min.cleanable.dirty.ratio", "half", "is not a number"},
      {"flush.messages", "0", "1 .. "},
      {"flush.messages", "1k", "is not a whole number"},
      {"flush.ms", "-1", "0 .. "},
  };
  for (const Refused& row : rows) {
    CAPTURE(row.name);
    CAPTURE(row.value);
    TopicConfig config;
    const Result<void> set = set_config(config, row.name, row.value);
    REQUIRE_FALSE(set.ok());
    CHECK(set.error().code() == Errc::invalid_config);
    CHECK(set.error().message().find(row.part_of_message) != std::string::npos);
    CHECK(set.error().message().find(row.name) == 0);
    CHECK(set.error().message().find("\"" + std::string(row.value) + "\"") != std::string::npos);
    CHECK(config == TopicConfig{});
  }
}

TEST_CASE("both tables above name every setting") {
  // A setting that is added to the public struct without a rule would be silently unsettable.
  std::set<std::string> fields_seen;
  for (const ConfigDescription& config : list_configs()) CHECK(fields_seen.emplace(config.name).second);
  // Seventeen fields: a structured binding fails to compile when the struct gains one.
  const auto [a, b, c, d, e, f, consumed, unread, g, h, i, j, k, l, m, n, o] = TopicConfig{};
  CHECK(fields_seen.size() == 17);
  CHECK((consumed.empty() && unread.empty()));
  CHECK(a + b + c + d + e + f + g + k + l != 0);
  CHECK(static_cast<int>(h) + static_cast<int>(i) + static_cast<int>(j) == 0);
  CHECK(m < static_cast<double>(n));
  CHECK(n == o);
}

TEST_CASE("an unknown name is refused with the nearest known one") {
  TopicConfig config;
  const Result<void> set = set_config(config, "segment.byte", "1MiB");
  REQUIRE_FALSE(set.ok());
  CHECK(set.error().code() == Errc::invalid_config);
  CHECK(set.error().message().find("did you mean \"segment.bytes\"?") != std::string::npos);
  const Result<std::string> far = config_text(config, "replication.factor.of.everything");
  REQUIRE_FALSE(far.ok());
  CHECK(far.error().code() == Errc::invalid_config);
  CHECK(far.error().message().find("did you mean") == std::string::npos);
}

TEST_CASE("overrides make a config of the defaults, and one that is refused makes none") {
  TopicConfig config;
  config.retention_ms = -1;
  config.min_cleanable_dirty_ratio = 0.1;
  config.cleanup_policy = CleanupPolicy::compact_and_delete;
  const Result<TopicConfig> made = resolve_config(
      {{"cleanup.policy", "compact,delete"}, {"min.cleanable.dirty.ratio", "0.1"}, {"retention.ms", "-1"}});
  REQUIRE(made.ok());
  CHECK(*made == config);
  CHECK_FALSE(resolve_config({{"retention.ms", "never"}}).ok());
}

}  // namespace
}  // namespace seriatim::catalog
