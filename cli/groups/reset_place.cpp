#include "groups/reset_place.hpp"

#include <algorithm>
#include <optional>

#include "groups/group_commands.hpp"

namespace seriatim::cli {

Result<Offset> target_offset(const Admin& admin, const TopicPartition& at, const ResetTarget& target) {
  using Kind = ResetTarget::Kind;
  if (target.kind == Kind::earliest) return admin.list_offset(at, OffsetSpec::earliest);
  if (target.kind == Kind::offset) return target.number;
  if (target.kind == Kind::time) {
    const auto found = admin.offset_for_time(at, target.time);
    if (!found.ok()) return found.error();
    if (*found) return (*found)->offset;
  }
  return admin.list_offset(at, OffsetSpec::latest);
}

Result<OffsetInLog> offset_in_log(const Admin& admin, const TopicPartition& at, Offset wanted) {
  const Result<Offset> start = admin.list_offset(at, OffsetSpec::earliest);
  if (!start.ok()) return start.error();
  const Result<Offset> end = admin.list_offset(at, OffsetSpec::latest);
  if (!end.ok()) return end.error();
  const Offset offset = std::clamp(wanted, *start, std::max(*start, *end));
  if (offset == wanted) return OffsetInLog{.offset = offset};
  return OffsetInLog{
      .offset = offset,
      .note = place_name(at) + ": offset " + std::to_string(wanted) +
              (wanted < *start ? " is before the log's start: " : " is beyond the log's end: ") +
              std::to_string(offset) + " instead"};
}

}  // namespace seriatim::cli
