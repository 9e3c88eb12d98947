#include "catalog/records/committed_offset.hpp"

#include <utility>

#include "catalog/records/catalog_schema.hpp"
#include "catalog/records/record_payload.hpp"
#include "catalog/records/topic_name.hpp"

namespace seriatim::catalog {

std::string encode(const CommittedOffset& record) {
  PayloadWriter out;
  out.integer(record.offset);
  out.integer(record.commit_time_ms);
  out.text(record.metadata);
  return std::move(out).take();
}

Result<CommittedOffset> decode_committed_offset(base::ByteSpan payload) {
  PayloadReader in(payload);
  CommittedOffset record;
  record.offset = in.integer<Offset>();
  record.commit_time_ms = in.integer<std::int64_t>();
  record.metadata = in.text();
  if (!in.finished() || record.offset < 0) return malformed_record("committed offset", payload);
  return record;
}

Result<void> check_offset_commit(const TopicPartition& at, const CommittedOffset& committed) {
  const auto place = [&] { return at.topic + "-" + std::to_string(at.partition); };
  if (committed.offset < 0) {
    return Error(Errc::invalid_argument, "cannot commit offset " + std::to_string(committed.offset) +
                                             " for " + place() +
                                             "; commit the next offset to read, 0 or more");
  }
  if (committed.metadata.size() > offset_metadata_bytes_max) {
    return Error(Errc::offset_metadata_too_large,
                 "commit metadata for " + place() + " has " + std::to_string(committed.metadata.size()) +
                     " bytes; at most 4096 are stored, keep the rest elsewhere");
  }
  return {};
}

void put_committed_offset(TableWrites& to, std::string_view group, const TopicPartition& at,
                          const Id& topic_id, const CommittedOffset& committed) {
  auto checked = check_group_name(group);
  if (checked) checked = check_offset_commit(at, committed);
  if (!checked) return to.leave_out("a position of group " + printable_key(group), checked.error());
  to.put(Database::offsets, offset_key(group, topic_id, at.partition), encode(committed));
}

void forget_committed_offset(TableWrites& to, std::string_view group, const TopicPartition& at,
                             const Id& topic_id) {
  if (auto named = check_group_name(group); !named)
    return to.leave_out("a forgotten position of group " + printable_key(group), named.error());
  to.erase(Database::offsets, offset_key(group, topic_id, at.partition));
}

void forget_group(TableWrites& to, std::string_view group) {
  if (auto named = check_group_name(group); !named)
    return to.leave_out("the end of group " + printable_key(group), named.error());
  to.erase_all(Database::offsets, group_prefix(group));
}

}  // namespace seriatim::catalog
