#include "directory/option_rules.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>
#include <regex>
#include <set>

#include "catalog/records/topic_config_rules.hpp"
#include "unit/api/engine_fixture.hpp"

namespace seriatim {
namespace {

using namespace seriatim::test;

constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();

// 0, -1, the limits and one beyond each, as far as the field's type holds them.
template <class Options>
std::set<std::int64_t> values_to_try(const directory::OptionRule<Options>& rule) {
  std::set<std::int64_t> values{rule.min, rule.max, 0};
  const auto holds = [&](std::int64_t value) {
    Options options;
    rule.store(options, value);
    return rule.load(options) == value;
  };
  for (const std::int64_t value : {std::int64_t{-1}, rule.min - 1}) {
    if (holds(value)) values.insert(value);
  }
  if (rule.max < largest && holds(rule.max + 1)) values.insert(rule.max + 1);
  return values;
}

template <class Options>
bool is_inside(const directory::OptionRule<Options>& rule, std::int64_t value) {
  return value >= rule.min && value <= rule.max;
}

// A refusal that names the option, the value and both limits.
template <class Options>
void check_refusal(const Error& error, const directory::OptionRule<Options>& rule, std::int64_t value) {
  CHECK(error.code() == Errc::invalid_argument);
  for (const std::string& part :
       {std::string(rule.name), " is " + std::to_string(value), std::to_string(rule.min)}) {
    INFO(part);
    CHECK(error.message().find(part) != std::string::npos);
  }
  if (rule.max < largest) CHECK(error.message().find(std::to_string(rule.max)) != std::string::npos);
}

// Neither of the two is out of range beside the other.
EngineOptions engine_options_with(const directory::OptionRule<EngineOptions>& rule, std::int64_t value) {
  EngineOptions options;
  rule.store(options, value);
  if (rule.name == "EngineOptions::journal_file_bytes") options.journal_max_bytes = 1ULL << 40;
  if (rule.name == "EngineOptions::journal_max_bytes") options.journal_file_bytes = 64 << 10;
  return options;
}

TEST_CASE("an engine opens with every number at its limits, works and closes, and with none beyond") {
  for (const auto& rule : directory::engine_option_rules()) {
    for (const std::int64_t value : values_to_try(rule)) {
      CAPTURE(rule.name);
      CAPTURE(value);
      const TempDir directory;
      auto opened = Engine::open(directory / "data", engine_options_with(rule, value));
      REQUIRE(opened.ok() == is_inside(rule, value));
      if (!opened) {
        check_refusal(opened.error(), rule, value);
        CHECK_FALSE(std::filesystem::exists(directory / "data"));
        continue;
      }
      create_topic(*opened, "t");
      Producer producer = must(opened->producer({.acks = Acks::leader}));
      must(producer.send_sync({.topic = "t", .value = "v"}));
      CHECK(read_values(*opened, "t") == std::vector<std::string>{"v"});
      CHECK(opened->metrics().background_errors == 0);
      must(opened->close());
    }
  }
}

TEST_CASE("a producer is made with every number at its limits, and with none beyond") {
  OpenedEngine f;
  for (const auto& rule : directory::producer_option_rules()) {
    for (const std::int64_t value : values_to_try(rule)) {
      CAPTURE(rule.name);
      CAPTURE(value);
      ProducerOptions options;
      rule.store(options, value);
      auto made = f.engine.producer(options);
      REQUIRE(made.ok() == is_inside(rule, value));
      if (!made) check_refusal(made.error(), rule, value);
    }
  }
}

TEST_CASE("a consumer is made with every number at its limits and reads, and with none beyond") {
  OpenedEngine f;
  Producer producer = must(f.engine.producer());
  must(producer.send_sync({.topic = "t", .value = "v"}));
  for (const auto& rule : directory::consumer_option_rules()) {
    for (const std::int64_t value : values_to_try(rule)) {
      CAPTURE(rule.name);
      CAPTURE(value);
      ConsumerOptions options{.auto_offset_reset = AutoOffsetReset::by_duration,
                              .auto_offset_reset_duration = std::chrono::hours(1)};
      rule.store(options, value);
      auto made = f.engine.consumer(options);
      REQUIRE(made.ok() == is_inside(rule, value));
      if (!made) {
        check_refusal(made.error(), rule, value);
        continue;
      }
      must(made->assign({t0}));
      // No time back is now: the record is older.
      const bool sees_it = options.auto_offset_reset_duration.count() > 0;
      if (sees_it) CHECK(must(made->poll(std::chrono::milliseconds(0))).count() == 1);
    }
  }
}

TEST_CASE("a transaction's time-out is refused beyond the engine's largest, whatever that is") {
  for (const std::int64_t limit_ms : {std::int64_t{1}, std::int64_t{2'147'483'647}}) {
    const std::chrono::milliseconds limit(limit_ms);
    OpenedEngine f(1, {}, {.transaction_max_timeout = limit});
    for (const std::int64_t value : {std::int64_t{-1}, std::int64_t{0}, limit_ms + 1, largest}) {
      CAPTURE(value);
      auto refused = f.engine.transactional_producer(
          {.transactional_id = "id", .transaction_timeout = std::chrono::milliseconds(value)});
      CHECK(code_of(refused) == Errc::invalid_transaction_timeout);
      CHECK(message_of(refused).find(std::to_string(limit_ms)) != std::string::npos);
    }
    CHECK(f.engine.transactional_producer({.transactional_id = "id", .transaction_timeout = limit}).ok());
    must(f.engine.close());
  }
}

TEST_CASE("a topic works with every setting at its limits") {
  OpenedEngine f;
  int topics = 0;
  for (const catalog::ConfigDescription& setting : catalog::list_configs()) {
    const std::size_t dots = setting.allowed.find(" .. ");
    if (dots == std::string::npos) continue;
    for (const std::string_view value : {setting.allowed.substr(0, dots), setting.allowed.substr(dots + 4)}) {
      CAPTURE(setting.name);
      CAPTURE(value);
      if (setting.name == "max.message.bytes" && value == "0") continue;  // Refuses every record.
      const std::string topic = "topic" + std::to_string(topics++);
      create_topic(f.engine, topic, 1, {{std::string(setting.name), std::string(value)}});
      Producer producer = must(f.engine.producer({.acks = Acks::leader}));
      for (const char* record : {"a", "b"}) must(producer.send_sync({.topic = topic, .value = record}));
      CHECK(read_values(f.engine, topic) == std::vector<std::string>{"a", "b"});
      must(f.engine.admin().apply_retention(topic));
      const bool keeps_all = !setting.name.starts_with("retention") || value != "0";
      if (keeps_all) CHECK(read_values(f.engine, topic) == std::vector<std::string>{"a", "b"});
    }
  }
  CHECK(f.engine.metrics().background_errors == 0);
}

// Every value of the option's type that a cast can make: each of the enumeration, and none of it.
template <class Options, class Make>
void try_choices(std::span<const directory::ChoiceRule<Options>> rules, const Make& make) {
  for (const auto& rule : rules) {
    for (std::int64_t value = -2; value < 100; value += value < 8 ? 1 : 91) {
      CAPTURE(rule.name);
      CAPTURE(value);
      Options options;
      rule.store(options, value);
      if (rule.load(options) != value) continue;  // The type does not hold it.
      const bool is_choice =
          std::any_of(rule.choices.begin(), rule.choices.end(),
                      [value](const directory::Choice& choice) { return choice.value == value; });
      const auto made = make(options);
      REQUIRE(made.ok() == is_choice);
      if (made) continue;
      CHECK(made.error().code() == Errc::invalid_argument);
      CHECK(made.error().message().find(rule.name) != std::string::npos);
      // A value of the enumeration that the option does not take has a reason of its own.
      const std::string unknown = std::string(rule.name) + " is " + std::to_string(value) + "; it must be ";
      if (made.error().message().find(unknown) == std::string::npos) continue;
      for (const directory::Choice& choice : rule.choices)
        CHECK(made.error().message().find(std::string(choice.name) + " (") != std::string::npos);
    }
  }
}

TEST_CASE("a number that is no value of an option's enumeration is refused, with those there are") {
  const TempDir directories;
  int count = 0;
  try_choices(directory::engine_choice_rules(), [&](EngineOptions options) -> Result<> {
    const std::string directory = directories / std::to_string(count++);
    // A mode that does not create needs a directory that is there.
    if (options.mode != OpenMode::create_if_missing) open_engine(directory);
    auto opened = Engine::open(directory, std::move(options));
    return opened ? Result<>() : opened.error();
  });
  OpenedEngine f;
  try_choices(directory::producer_choice_rules(), [&](ProducerOptions options) -> Result<> {
    auto made = f.engine.producer(std::move(options));
    return made ? Result<>() : made.error();
  });
  try_choices(directory::consumer_choice_rules(), [&](ConsumerOptions options) -> Result<> {
    auto made = f.engine.consumer(std::move(options));
    return made ? Result<>() : made.error();
  });
  try_choices(directory::share_consumer_choice_rules(), [&](ShareConsumerOptions options) -> Result<> {
    options.group_id = "shared";
    auto made = f.engine.share_consumer(std::move(options));
    return made ? Result<>() : made.error();
  });
  try_choices(directory::log_reader_choice_rules(), [&](const LogReaderOptions& options) -> Result<> {
    auto made = f.engine.reader(t0, options);
    return made ? Result<>() : made.error();
  });
  try_choices(directory::transactional_choice_rules(), [&](TransactionalProducerOptions options) -> Result<> {
    options.transactional_id = "id";
    auto made = f.engine.transactional_producer(std::move(options));
    return made ? Result<>() : made.error();
  });
  CHECK(code_of(f.engine.admin().list_offset(t0, static_cast<OffsetSpec>(99))) == Errc::invalid_argument);
}

constexpr std::array public_headers{"admin.hpp",
                                    "assignor.hpp",
                                    "consumer.hpp",
                                    "engine.hpp",
                                    "flow/delayed_messages.hpp",
                                    "flow/half_message.hpp",
                                    "inspect.hpp",
                                    "log_reader.hpp",
                                    "producer.hpp",
                                    "repair.hpp",
                                    "share_consumer.hpp",
                                    "share_group.hpp",
                                    "topic_config.hpp",
                                    "transaction.hpp",
                                    "types.hpp"};

std::string text_of_header(const std::string& header) {
  std::ifstream file(std::string(SERIATIM_SOURCE_DIR) + "/include/seriatim/" + header);
  REQUIRE(file);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Members of the options structs in a header, of a type that matches.
std::map<std::string, std::string> declared_members(const std::string& header, const std::string& type) {
  const std::string text = text_of_header(header);
  const std::regex begins("struct (\\w+Options) \\{");
  const std::regex member("\\n  (" + type + ") (\\w+)[ ={]");
  std::map<std::string, std::string> types;
  for (std::sregex_iterator found(text.begin(), text.end(), begins), end; found != end; ++found) {
    const auto from = static_cast<std::size_t>(found->position());
    const std::string body = text.substr(from, text.find("\n};", from) - from);
    for (std::sregex_iterator at(body.begin(), body.end(), member); at != end; ++at)
      types[(*found)[1].str() + "::" + (*at)[2].str()] = (*at)[1].str();
  }
  return types;
}

// Durations, sizes and counts of the options structs, as their headers declare them.
std::set<std::string> declared_numbers(const std::string& header) {
  std::set<std::string> names;
  for (const auto& [name, type] : declared_members(header, R"(std::chrono::\w+|std::u?int\d+_t|std::size_t)"))
    names.insert(name);
  return names;
}

// The enumerations that the public headers declare, by name, with their values.
std::map<std::string, std::set<std::string>> declared_enumerations() {
  const std::regex enumeration(R"(enum class (\w+) : [\w:]+ \{([^}]*)\})");
  const std::regex comment("///<[^\n]*|//[^\n]*");
  const std::regex value(R"((\w+)(?:\s*=\s*-?\d+)?\s*(?:,|$))");
  std::map<std::string, std::set<std::string>> all;
  for (const char* header : public_headers) {
    const std::string text = std::regex_replace(text_of_header(header), comment, "");
    for (std::sregex_iterator found(text.begin(), text.end(), enumeration), end; found != end; ++found) {
      const std::string body = (*found)[2].str();
      for (std::sregex_iterator at(body.begin(), body.end(), value); at != end; ++at)
        all[(*found)[1].str()].insert((*at)[1].str());
    }
  }
  return all;
}

template <class Options>
void insert_choices(std::map<std::string, std::set<std::string>>& ruled,
                    std::span<const directory::ChoiceRule<Options>> rules) {
  for (const auto& rule : rules) {
    for (const directory::Choice& choice : rule.choices)
      ruled[std::string(rule.name)].insert(std::string(choice.name));
  }
}

TEST_CASE("every enumeration of an options struct is checked, and takes all of its values") {
  std::map<std::string, std::set<std::string>> ruled;
  insert_choices(ruled, directory::engine_choice_rules());
  insert_choices(ruled, directory::producer_choice_rules());
  insert_choices(ruled, directory::consumer_choice_rules());
  insert_choices(ruled, directory::share_consumer_choice_rules());
  insert_choices(ruled, directory::log_reader_choice_rules());
  insert_choices(ruled, directory::transactional_choice_rules());
  // Of a layer above, with a test there.
  ruled["DelayedMessagesOptions::acks"] = {"none", "leader", "all"};
  ruled["HalfMessagesOptions::give_up"] = {"park", "roll_back"};
  // Refused with a reason of their own.
  ruled["ConsumerOptions::commit_acks"].insert("none");
  ruled["ShareConsumerOptions::commit_acks"].insert("none");
  ruled["TransactionalProducerOptions::acks"].insert("none");
  for (const char* name :
       {"ProducerOptions::compression_type", "TransactionalProducerOptions::compression_type"})
    ruled[name].insert("producer");
  const auto enumerations = declared_enumerations();
  CHECK(enumerations.at("Acks") == std::set<std::string>{"none", "leader", "all"});
  std::map<std::string, std::set<std::string>> declared;
  for (const char* header : public_headers) {
    for (const auto& [name, type] : declared_members(header, R"([A-Z]\w+|enum class [^=]+\})")) {
      const std::string plain = std::regex_replace(type, std::regex(R"(enum class (\w+)[\s\S]*)"), "$1");
      if (enumerations.contains(plain)) declared[name] = enumerations.at(plain);
    }
  }
  CHECK(declared == ruled);
}

template <class Options>
void insert_names(std::set<std::string>& names, std::span<const directory::OptionRule<Options>> rules) {
  for (const auto& rule : rules) names.insert(std::string(rule.name));
}

TEST_CASE("every duration, size and count of an options struct has a range that is checked") {
  std::set<std::string> ruled;
  insert_names(ruled, directory::engine_option_rules());
  insert_names(ruled, directory::producer_option_rules());
  insert_names(ruled, directory::consumer_option_rules());
  insert_names(ruled, directory::share_consumer_option_rules());
  ruled.insert("TransactionalProducerOptions::transaction_timeout");  // Its limit is the engine's.
  std::set<std::string> declared;
  for (const char* header : {"engine.hpp", "producer.hpp", "consumer.hpp", "transaction.hpp",
                             "log_reader.hpp", "inspect.hpp", "repair.hpp", "share_consumer.hpp"})
    declared.merge(declared_numbers(header));
  CHECK(declared == ruled);
}

}  // namespace
}  // namespace seriatim
