#include "commands/offset_resolution.hpp"

#include <algorithm>

namespace seriatim::cli {
namespace {

Result<Offset> committed_or_beginning(const Admin& admin, const TopicPartition& topic_partition,
                                      const std::string& group) {
  if (!group.empty()) {
    const auto offsets = admin.group_offsets(group);
    if (!offsets.ok()) return offsets.error();
    for (const GroupOffset& offset : *offsets) {
      if (offset.topic_partition == topic_partition) return offset.committed.offset;
    }
  }
  return admin.list_offset(topic_partition, OffsetSpec::earliest);
}

Result<Offset> at_time(const Admin& admin, const TopicPartition& topic_partition, Timestamp time) {
  const auto found = admin.offset_for_time(topic_partition, time);
  if (!found.ok()) return found.error();
  if (*found) return (*found)->offset;
  return admin.list_offset(topic_partition, OffsetSpec::latest);
}

}  // namespace

Result<Offset> resolve(const Engine& engine, const TopicPartition& topic_partition, const OffsetPoint& point,
                       const std::string& group) {
  using Kind = OffsetPoint::Kind;
  const Admin admin = engine.admin();
  if (point.kind == Kind::absolute) return point.number;
  if (point.kind == Kind::at_time) return at_time(admin, topic_partition, point.time);
  if (point.kind == Kind::stored) return committed_or_beginning(admin, topic_partition, group);
  const Result<Offset> start = admin.list_offset(topic_partition, OffsetSpec::earliest);
  if (!start.ok() || point.kind == Kind::beginning) return start;
  const Result<Offset> end = admin.list_offset(topic_partition, OffsetSpec::latest);
  if (!end.ok() || point.kind == Kind::end) return end;
  // Distances are compared before they are added: a user's number may be as large as an offset can be.
  const std::int64_t distance = std::min(point.number, std::max<Offset>(0, *end - *start));
  return point.kind == Kind::before_end ? *end - distance : *start + distance;
}

Result<> check_in_log(const Engine& engine, const TopicPartition& topic_partition, Offset offset) {
  const Result<Offset> start = engine.admin().list_offset(topic_partition, OffsetSpec::earliest);
  if (!start.ok()) return start.error();
  const Result<Offset> end = engine.admin().list_offset(topic_partition, OffsetSpec::latest);
  if (!end.ok()) return end.error();
  if (offset >= *start && offset <= *end) return {};
  const std::string held =
      *start == *end ? " holds no record, and the next one gets offset " + std::to_string(*end)
                     : " holds offsets " + std::to_string(*start) + " to " + std::to_string(*end - 1) +
                           ", and the next record gets " + std::to_string(*end);
  return Error(Errc::offset_out_of_range,
               topic_partition.topic + "-" + std::to_string(topic_partition.partition) + held +
                   ", so there is no " + std::to_string(offset) +
                   ". Give another offset, beginning or end; -p LIST chooses partitions");
}

}  // namespace seriatim::cli
