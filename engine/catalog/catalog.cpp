#include "catalog/catalog.hpp"

#include <algorithm>
#include <utility>

#include "catalog/lmdb/lmdb_env.hpp"
#include "catalog/record_store.hpp"
#include "catalog/records/catalog_schema.hpp"
#include "catalog/records/topic_name.hpp"
#include "catalog/records/value_codec.hpp"

namespace seriatim::catalog {
namespace {

Result<void> check_partition_count(std::string_view topic, std::int32_t count, std::int32_t at_least) {
  if (count >= at_least && count <= partition_count_max) return {};
  return Error(Errc::invalid_partitions, "topic \"" + std::string(topic) + "\" cannot have " +
                                             std::to_string(count) + " partitions; give " +
                                             std::to_string(at_least) + " to " +
                                             std::to_string(partition_count_max));
}

Result<TopicRecord> existing_topic(const ReadTransaction& in, std::string_view name) {
  Result<std::optional<TopicRecord>> topic = get_topic(in, name);
  if (!topic) return std::move(topic).error();
  if (!topic->has_value()) return unknown_topic(name);
  return std::move(**topic);
}

// A value met by the check at open. Databases of a newer version are not ours to judge.
Result<void> check_value(std::string_view database, std::string_view key, base::ByteSpan value) {
  const auto* name = std::find(database_names.begin(), database_names.end(), database);
  if (name == database_names.end()) return {};
  const auto number = static_cast<std::uint8_t>(name - database_names.begin());
  const Result<base::ByteSpan> payload = decode_value(static_cast<Database>(number), key, value);
  if (!payload) return payload.error();
  return {};
}

Result<std::vector<TopicRecord>> all_topics(const Environment& environment, Database database) {
  std::vector<TopicRecord> topics;
  Result<void> read = environment.read([&](ReadTransaction& in) {
    topics.clear();
    return in.scan(database, {}, [&](std::string_view key, base::ByteSpan value) -> Result<bool> {
      Result<TopicRecord> topic = parse_topic(in, database, key, value);
      if (!topic) return std::move(topic).error();
      topics.push_back(std::move(*topic));
      return true;
    });
  });
  if (!read) return std::move(read).error();
  return topics;
}

// Of a database that is keyed by group and partition.
Result<void> erase_topic_of_groups(WriteTransaction& out, Database database, const Id& topic_id) {
  std::vector<std::string> keys;
  Result<void> scanned = out.scan(database, {}, [&](std::string_view key, base::ByteSpan) -> Result<bool> {
    OffsetKey parts;
    if (split_offset_key(key, parts) && parts.topic_id == topic_id) keys.emplace_back(key);
    return true;
  });
  if (!scanned) return scanned;
  for (const std::string& key : keys) {
    if (const Result<bool> erased = out.erase(database, key); !erased) return erased.error();
  }
  return {};
}

// Takes a topic out of everything that is looked up by name or by partition.
Result<TopicRecord> erase_topic(WriteTransaction& out, std::string_view name) {
  Result<TopicRecord> topic = existing_topic(out, name);
  if (!topic) return topic;
  if (const Result<bool> erased = out.erase(Database::topics, name); !erased) return erased.error();
  const std::string prefix = topic_id_key(topic->topic_id);
  if (Result<void> states = erase_prefix(out, Database::partitions, prefix); !states) return states.error();
  for (const Database database : {Database::offsets, Database::share_progress}) {
    if (Result<void> erased = erase_topic_of_groups(out, database, topic->topic_id); !erased)
      return erased.error();
  }
  return topic;
}

// Changes one field of a topic record in place.
Result<void> update_topic(Environment& environment, std::string_view name,
                          const std::function<Result<void>(TopicRecord&)>& change) {
  return environment.write([&](WriteTransaction& out) -> Result<void> {
    Result<TopicRecord> topic = existing_topic(out, name);
    if (!topic) return std::move(topic).error();
    if (Result<void> changed = change(*topic); !changed) return changed;
    return put_record(out, Database::topics, name, *topic);
  });
}

}  // namespace

Catalog::Catalog(std::unique_ptr<Environment> environment, std::vector<Error> damage)
    : environment_(std::move(environment)), damage_(std::move(damage)) {}
Catalog::Catalog(Catalog&&) noexcept = default;
Catalog& Catalog::operator=(Catalog&&) noexcept = default;
Catalog::~Catalog() = default;

void Catalog::close() { environment_->close(); }

Result<Catalog> Catalog::open(const std::string& path, const CatalogOptions& options) {
  std::vector<Error> damage;
  Environment::Verification verification;
  verification.on_restart = [&] { damage.clear(); };
  verification.on_value = [&](std::string_view database, std::string_view key,
                              base::ByteSpan value) -> Result<void> {
    Result<void> checked = check_value(database, key, value);
    if (checked || checked.error().code() != Errc::corrupt_metadata) return checked;
    damage.push_back(checked.error().with_context(path));
    return {};
  };
  Result<std::unique_ptr<Environment>> environment = Environment::open(path, options, verification);
  if (!environment) return std::move(environment).error();
  if (!damage.empty() && !options.allow_damage) {
    return damage.front().with_context("of " + std::to_string(damage.size()) + " damaged values, the first");
  }
  Catalog catalog(std::move(*environment), std::move(damage));
  // Every version has the engine record: a catalog without it is not one.
  const Result<EngineRecord> engine = catalog.engine();
  if (!engine && !options.allow_damage) return engine.error();
  // Last: what is refused stays as it is.
  if (Result<void> added = catalog.environment_->add_missing_databases(); !added) return added.error();
  return catalog;
}

Result<void> Catalog::create_topic(const TopicRecord& topic) {
  if (Result<void> named = check_topic_name(topic.name); !named) return named;
  if (Result<void> counted = check_partition_count(topic.name, topic.partition_count, 1); !counted)
    return counted;
  if (topic.topic_id == Id{}) {
    return Error(Errc::invalid_argument, "topic \"" + topic.name +
                                             "\": the all-zero topic id is not legal; give a "
                                             "random one");
  }
  return environment_->write([&](WriteTransaction& out) -> Result<void> {
    const Result<std::optional<base::ByteSpan>> present = out.get(Database::topics, topic.name);
    if (!present) return present.error();
    if (present->has_value()) {
      return Error(
          Errc::topic_already_exists,
          "topic \"" + topic.name +
              "\" exists already; choose another name, delete it first, or create it if it does not exist "
              "(NewTopic::if_not_exists)");
    }
    const Result<std::optional<base::ByteSpan>> deleted =
        out.get(Database::deleted_topics, topic_id_key(topic.topic_id));
    if (!deleted) return deleted.error();
    if (deleted->has_value()) {
      return Error(Errc::invalid_argument,
                   "topic \"" + topic.name + "\": its id is that of a deleted topic; give a new random one");
    }
    return put_record(out, Database::topics, topic.name, topic);
  });
}

Result<void> Catalog::mark_deleted(std::string_view name) {
  return environment_->write([&](WriteTransaction& out) -> Result<void> {
    const Result<TopicRecord> topic = erase_topic(out, name);
    if (!topic) return topic.error();
    return put_record(out, Database::deleted_topics, topic_id_key(topic->topic_id), *topic);
  });
}

Result<void> Catalog::forget_deleted(const Id& topic_id) {
  return environment_->write([&](WriteTransaction& out) -> Result<void> {
    const Result<bool> erased = out.erase(Database::deleted_topics, topic_id_key(topic_id));
    if (!erased) return erased.error();
    return {};
  });
}

Result<void> Catalog::delete_topic(std::string_view name) {
  return environment_->write([&](WriteTransaction& out) -> Result<void> {
    const Result<TopicRecord> topic = erase_topic(out, name);
    if (!topic) return topic.error();
    return {};
  });
}

Result<TopicRecord> Catalog::topic(std::string_view name) const {
  TopicRecord topic;
  Result<void> read = environment_->read([&](ReadTransaction& in) -> Result<void> {
    Result<TopicRecord> found = existing_topic(in, name);
    if (!found) return std::move(found).error();
    topic = std::move(*found);
    return {};
  });
  if (!read) return std::move(read).error();
  return topic;
}

Result<std::vector<TopicRecord>> Catalog::topics() const {
  return all_topics(*environment_, Database::topics);
}

Result<std::vector<TopicRecord>> Catalog::deleted_topics() const {
  return all_topics(*environment_, Database::deleted_topics);
}

Result<void> Catalog::set_partition_count(std::string_view name, std::int32_t count) {
  return update_topic(*environment_, name, [&](TopicRecord& topic) -> Result<void> {
    if (Result<void> counted = check_partition_count(name, count, topic.partition_count); !counted)
      return counted;
    topic.partition_count = count;
    return {};
  });
}

Result<void> Catalog::set_config_overrides(std::string_view name,
                                           const std::map<std::string, std::string>& overrides) {
  return update_topic(*environment_, name, [&](TopicRecord& topic) -> Result<void> {
    topic.config = overrides;
    return {};
  });
}

Result<void> Catalog::read(const ReadBody& body) const {
  return environment_->read([&](ReadTransaction& in) { return body(in); });
}

Result<Catalog::Usage> Catalog::usage() const {
  const Result<Environment::Info> info = environment_->info();
  if (!info) return info.error();
  return Usage{info->map_bytes, info->used_bytes, info->last_transaction, info->lock_free};
}

}  // namespace seriatim::catalog
