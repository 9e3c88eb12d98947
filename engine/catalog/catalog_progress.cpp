// The part of Catalog that checkpoints write: partition states, the engine record, committed offsets.
#include <optional>
#include <utility>

#include "base/assert.hpp"
#include "catalog/catalog.hpp"
#include "catalog/lmdb/lmdb_env.hpp"
#include "catalog/record_store.hpp"
#include "catalog/records/catalog_schema.hpp"
#include "catalog/records/topic_name.hpp"

namespace seriatim::catalog {
namespace {

using PartitionStates = std::vector<std::pair<TopicPartition, PartitionState>>;

// The treatment of a topic that does not exist.
enum class Unknown : std::uint8_t { refuse, leave_out };

Result<void> put_states(WriteTransaction& out, const PartitionStates& states, Unknown unknown) {
  TopicLookup topics(out);
  for (const auto& [at, state] : states) {
    const Result<Id> topic_id = topics.id_of(at);
    const bool is_unknown = !topic_id && topic_id.error().code() == Errc::unknown_topic_or_partition;
    if (is_unknown && unknown == Unknown::leave_out) continue;
    if (!topic_id) return topic_id.error();
    Result<void> put = put_record(out, Database::partitions, partition_key(*topic_id, at.partition), state);
    if (!put) return put;
  }
  return {};
}

Result<void> make_write(WriteTransaction& out, const TableWrites::Write& write) {
  switch (write.kind) {
    case TableWrites::Kind::put:
      return out.put(write.table, write.key, write.value);
    case TableWrites::Kind::erase: {
      const Result<bool> erased = out.erase(write.table, write.key);
      return erased ? Result<void>() : Result<void>(erased.error());
    }
    case TableWrites::Kind::erase_all:
      return erase_prefix(out, write.table, write.key);
  }
  SERIATIM_ASSERT(false);
}

// Names of topics by id: offsets know only the id.
Result<std::map<Id, std::string>> topic_names(const ReadTransaction& in) {
  std::map<Id, std::string> names;
  Result<void> scanned =
      in.scan(Database::topics, {}, [&](std::string_view key, base::ByteSpan value) -> Result<bool> {
        Result<TopicRecord> topic = parse_topic(in, Database::topics, key, value);
        if (!topic) return std::move(topic).error();
        names[topic->topic_id] = std::move(topic->name);
        return true;
      });
  if (!scanned) return std::move(scanned).error();
  return names;
}

Error orphan_offset(const ReadTransaction& in, std::string_view key) {
  return {Errc::corrupt_metadata, "catalog " + in.directory() + ", database \"offsets\", key " +
                                      printable_key(key) +
                                      ": it belongs to no topic; restore the catalog from a backup"};
}

Result<void> collect_group(const ReadTransaction& in, std::string_view group,
                           std::map<TopicPartition, CommittedOffset>& offsets) {
  const Result<std::map<Id, std::string>> names = topic_names(in);
  if (!names) return names.error();
  const std::string prefix = group_prefix(group);
  return in.scan(Database::offsets, prefix, [&](std::string_view key, base::ByteSpan value) -> Result<bool> {
    if (!key.starts_with(prefix)) return false;
    OffsetKey parts;
    if (!split_offset_key(key, parts)) return orphan_offset(in, key);
    const auto name = names->find(parts.topic_id);
    if (name == names->end()) return orphan_offset(in, key);
    Result<CommittedOffset> offset = parse_offset(in, key, value);
    if (!offset) return std::move(offset).error();
    offsets[{name->second, parts.partition}] = std::move(*offset);
    return true;
  });
}

using EndsById = std::map<std::pair<Id, PartitionId>, Offset>;

// Offsets beyond the end of their partition, by key, already lowered.
Result<std::map<std::string, CommittedOffset>> offsets_beyond(const ReadTransaction& in,
                                                              const EndsById& ends) {
  std::map<std::string, CommittedOffset> lowered;
  Result<void> scanned =
      in.scan(Database::offsets, {}, [&](std::string_view key, base::ByteSpan value) -> Result<bool> {
        OffsetKey parts;
        if (!split_offset_key(key, parts)) return orphan_offset(in, key);
        const auto end = ends.find({parts.topic_id, parts.partition});
        if (end == ends.end()) return true;
        Result<CommittedOffset> offset = parse_offset(in, key, value);
        if (!offset) return std::move(offset).error();
        if (offset->offset <= end->second) return true;
        offset->offset = end->second;
        lowered[std::string(key)] = std::move(*offset);
        return true;
      });
  if (!scanned) return std::move(scanned).error();
  return lowered;
}

}  // namespace

Result<std::vector<PartitionState>> Catalog::partition_states(std::string_view topic) const {
  std::vector<PartitionState> states;
  Result<void> read = environment_->read([&](ReadTransaction& in) -> Result<void> {
    states.clear();
    const Result<std::optional<TopicRecord>> record = get_topic(in, topic);
    if (!record) return record.error();
    if (!record->has_value()) return unknown_topic(topic);
    for (PartitionId partition = 0; partition < (*record)->partition_count; ++partition) {
      const Result<std::optional<PartitionState>> state =
          get_partition_state(in, (*record)->topic_id, partition);
      if (!state) return state.error();
      states.push_back(state->value_or(PartitionState{}));
    }
    return {};
  });
  if (!read) return std::move(read).error();
  return states;
}

Result<std::optional<PartitionState>> Catalog::partition_state(const Id& topic_id,
                                                               PartitionId partition) const {
  std::optional<PartitionState> state;
  Result<void> read = environment_->read([&](ReadTransaction& in) -> Result<void> {
    auto found = get_partition_state(in, topic_id, partition);
    if (!found) return std::move(found).error();
    state = *found;
    return {};
  });
  if (!read) return std::move(read).error();
  return state;
}

Result<void> Catalog::put_partition_states(const PartitionStates& states) {
  return environment_->write([&](WriteTransaction& out) { return put_states(out, states, Unknown::refuse); });
}

Result<EngineRecord> Catalog::engine() const {
  EngineRecord engine;
  Result<void> read = environment_->read([&](ReadTransaction& in) -> Result<void> {
    Result<EngineRecord> found = get_engine(in);
    if (!found) return std::move(found).error();
    engine = *found;
    return {};
  });
  if (!read) return std::move(read).error();
  return engine;
}

Result<std::optional<JournalTie>> Catalog::journal_tie() const {
  std::optional<JournalTie> tie;
  Result<void> read = environment_->read([&](ReadTransaction& in) -> Result<void> {
    const Result<std::optional<JournalTie>> found = get_journal_tie(in);
    if (!found) return found.error();
    tie = *found;
    return {};
  });
  if (!read) return std::move(read).error();
  return tie;
}

Result<Moment> Catalog::moment() const {
  Moment moment;
  Result<void> read = environment_->read([&](ReadTransaction& in) -> Result<void> {
    const Result<Moment> found = get_moment(in);
    if (!found) return found.error();
    moment = *found;
    return {};
  });
  if (!read) return std::move(read).error();
  return moment;
}

Result<void> Catalog::set_clean_shutdown(bool clean) {
  Checkpoint only_the_flag;
  only_the_flag.clean_shutdown = clean;
  return checkpoint(only_the_flag);
}

Result<void> Catalog::checkpoint(const Checkpoint& checkpoint) {
  return environment_->write([&](WriteTransaction& out) -> Result<void> {
    if (checkpoint.covered_lsn || checkpoint.clean_shutdown) {
      Result<EngineRecord> engine = get_engine(out);
      if (!engine) return std::move(engine).error();
      engine->covered_lsn = checkpoint.covered_lsn.value_or(engine->covered_lsn);
      engine->clean_shutdown = checkpoint.clean_shutdown.value_or(engine->clean_shutdown);
      if (Result<void> put = put_record(out, Database::engine, engine_key, *engine); !put) return put;
    }
    if (checkpoint.journal) {
      if (Result<void> put = put_record(out, Database::engine, journal_key, *checkpoint.journal); !put)
        return put;
    }
    if (checkpoint.moment) {
      if (Result<void> put = put_record(out, Database::engine, moment_key, *checkpoint.moment); !put)
        return put;
    }
    if (Result<void> put = put_states(out, checkpoint.partitions, Unknown::leave_out); !put) return put;
    for (const TableWrites::Write& write : checkpoint.writes.in_order()) {
      if (Result<void> made = make_write(out, write); !made) return made;
    }
    return {};
  });
}

Result<std::optional<CommittedOffset>> Catalog::committed(std::string_view group,
                                                          const TopicPartition& at) const {
  std::optional<CommittedOffset> committed;
  Result<void> read = environment_->read([&](ReadTransaction& in) -> Result<void> {
    const Result<Id> topic_id = TopicLookup(in).id_of(at);
    if (!topic_id) return topic_id.error();
    Result<std::optional<CommittedOffset>> found = get_offset(in, offset_key(group, *topic_id, at.partition));
    if (!found) return std::move(found).error();
    committed = std::move(*found);
    return {};
  });
  if (!read) return std::move(read).error();
  return committed;
}

Result<std::map<TopicPartition, CommittedOffset>> Catalog::group_offsets(std::string_view group) const {
  std::map<TopicPartition, CommittedOffset> offsets;
  Result<void> read = environment_->read([&](ReadTransaction& in) {
    offsets.clear();
    return collect_group(in, group, offsets);
  });
  if (!read) return std::move(read).error();
  return offsets;
}

Result<std::vector<std::string>> Catalog::groups() const {
  std::vector<std::string> groups;
  Result<void> read = environment_->read([&](ReadTransaction& in) -> Result<void> {
    groups.clear();
    std::string from;
    // One look per group: from a group's first key straight to the first key after its last.
    for (bool is_more = true; is_more;) {
      is_more = false;
      Result<void> scanned =
          in.scan(Database::offsets, from, [&](std::string_view key, base::ByteSpan) -> Result<bool> {
            OffsetKey parts;
            if (!split_offset_key(key, parts)) return orphan_offset(in, key);
            groups.emplace_back(parts.group);
            is_more = true;
            return false;
          });
      if (!scanned) return scanned;
      if (is_more) from = after_group(groups.back());
    }
    return {};
  });
  if (!read) return std::move(read).error();
  return groups;
}

Result<std::size_t> Catalog::clamp_offsets(const std::map<TopicPartition, Offset>& log_ends) {
  std::size_t lowered = 0;
  Result<void> written = environment_->write([&](WriteTransaction& out) -> Result<void> {
    EndsById ends;
    TopicLookup topics(out);
    for (const auto& [at, end] : log_ends) {
      const Result<Id> topic_id = topics.id_of(at);
      if (!topic_id) return topic_id.error();
      ends[{*topic_id, at.partition}] = end;
    }
    const Result<std::map<std::string, CommittedOffset>> changed = offsets_beyond(out, ends);
    if (!changed) return changed.error();
    for (const auto& [key, offset] : *changed) {
      if (Result<void> put = put_record(out, Database::offsets, key, offset); !put) return put;
    }
    lowered = changed->size();
    return {};
  });
  if (!written) return std::move(written).error();
  return lowered;
}

}  // namespace seriatim::catalog
