#include "groups/group_reset_plan.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <iostream>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "catalog/catalog.hpp"

#include "groups/group_commands.hpp"
#include "groups/group_offsets_csv.hpp"
#include "groups/reset_place.hpp"

namespace seriatim::cli {
namespace {

using TargetKind = ResetTarget::Kind;

class ResetPlanner {
 public:
  ResetPlanner(const Engine& engine, const std::string& group, const ResetTarget& target)
      : engine_(engine), admin_(engine.admin()), group_(group), target_(target) {}

  Result<ResetPlan> plan(const ResetScope& scope);

 private:
  Result<> add_file();
  Result<> add_places(const ResetScope& scope);
  Result<std::vector<TopicPartition>> places_of_group() const;
  Result<> add(const TopicPartition& at, Offset wanted);
  Result<Offset> wanted_at(const TopicPartition& at) const;
  std::optional<Offset> committed_at(const TopicPartition& at) const {
    const auto found = committed_.find(at);
    return found == committed_.end() ? std::nullopt : std::optional<Offset>(found->second);
  }

  const Engine& engine_;
  const Admin admin_;
  const std::string& group_;
  const ResetTarget& target_;
  std::map<TopicPartition, Offset> committed_{};
  ResetPlan plan_{};
};

Result<ResetPlan> ResetPlanner::plan(const ResetScope& scope) {
  if (const Result<> named = catalog::check_group_name(group_); !named.ok()) return named.error();
  if (target_.kind == TargetKind::file && (scope.all_topics || !scope.topics.empty())) {
    return Error(Errc::invalid_argument,
                 "a file of offsets names its partitions itself. Leave --topic and --all-topics out");
  }
  if (scope.all_topics && !scope.topics.empty()) {
    return Error(Errc::invalid_argument,
                 "--all-topics and --topic contradict each other. Give the topics, or all of them");
  }
  const Result<bool> is_share = is_share_group(engine_, group_);
  if (!is_share.ok()) return is_share.error();
  if (*is_share) return other_kind(group_, "share", "seriatim share describe");
  const auto offsets = admin_.group_offsets(group_);
  if (!offsets.ok()) return offsets.error();
  for (const GroupOffset& one : *offsets) committed_[one.topic_partition] = one.committed.offset;
  plan_.is_new_group = committed_.empty();
  const Result<> added = target_.kind == TargetKind::file ? add_file() : add_places(scope);
  if (!added.ok()) return added.error();
  return std::move(plan_);
}

Result<std::string> read_text_file(const std::string& path) {
  std::ifstream file;
  if (path != "-") file.open(path, std::ios::binary);
  std::istream& in = path == "-" ? std::cin : file;
  std::string text;
  // Not by the stream's iterators: of a directory, they throw.
  std::array<char, 65'536> piece{};
  do {
    in.read(piece.data(), piece.size());
    text.append(piece.data(), static_cast<std::size_t>(in.gcount()));
  } while (in.good());
  if (in.bad() || (path != "-" && !file.is_open())) {
    return Error(Errc::not_found,
                 "cannot read the offsets in " + path +
                     ". Name a file as seriatim group export writes it, or - for standard input");
  }
  return text;
}

Result<> ResetPlanner::add_file() {
  const Result<std::string> text = read_text_file(target_.file);
  if (!text.ok()) return text.error();
  const auto lines = parse_csv_offsets(*text, group_);
  if (!lines.ok()) return lines.error().with_context(target_.file);
  for (const CsvOffset& line : *lines) {
    const std::string where = target_.file + ", line " + std::to_string(line.line);
    const Result<TopicDescription> topic = describe_topic(engine_, line.at.topic);
    if (!topic.ok()) return topic.error().with_context(where);
    const auto known = select_partitions(*topic, std::to_string(line.at.partition));
    if (!known.ok()) return known.error().with_context(where);
    const Result<> added = add(line.at, line.offset);
    if (!added.ok()) return added;
  }
  return {};
}

// To go on where it is, or beside that, a group must be somewhere; else all partitions of its topics are
// meant, also where it has committed nothing.
Result<std::vector<TopicPartition>> ResetPlanner::places_of_group() const {
  if (plan_.is_new_group) {
    return Error(Errc::not_found, unknown_group(engine_, group_).message() +
                                      ". To begin one, say of which topics: --topic TOPIC");
  }
  std::set<std::string> topics;
  std::vector<TopicPartition> places;
  for (const auto& [at, offset] : committed_) {
    topics.insert(at.topic);
    places.push_back(at);
  }
  if (target_.kind == TargetKind::current || target_.kind == TargetKind::shift) return places;
  return select_places(engine_, std::vector<std::string>(topics.begin(), topics.end()));
}

Result<> ResetPlanner::add_places(const ResetScope& scope) {
  const bool is_named = !scope.topics.empty();
  const auto places = is_named ? select_places(engine_, scope.topics) : places_of_group();
  if (!places.ok()) return places.error();
  for (const TopicPartition& at : *places) {
    const Result<Offset> wanted = wanted_at(at);
    if (!wanted.ok()) return wanted.error();
    const Result<> added = add(at, *wanted);
    if (!added.ok()) return added;
  }
  return {};
}

Result<Offset> ResetPlanner::wanted_at(const TopicPartition& at) const {
  switch (target_.kind) {
    case TargetKind::current:
      if (const auto committed = committed_at(at)) return *committed;
      break;
    case TargetKind::shift: {
      const auto committed = committed_at(at);
      if (!committed) {
        return Error(Errc::invalid_argument,
                     "group " + group_ + " has no committed offset of " + place_name(at) +
                         " that could be shifted. Leave the partition out: --topic TOPIC:0,2-5");
      }
      // Committed offsets are never negative: only upwards is there an end.
      const bool is_beyond = target_.number > INT64_MAX - *committed;
      return is_beyond ? INT64_MAX : *committed + target_.number;
    }
    case TargetKind::earliest:
    case TargetKind::latest:
    case TargetKind::offset:
    case TargetKind::time:
    case TargetKind::file:
      break;
  }
  return target_offset(admin_, at, target_);
}

Result<> ResetPlanner::add(const TopicPartition& at, Offset wanted) {
  const Result<OffsetInLog> placed = offset_in_log(admin_, at, wanted);
  if (!placed.ok()) return placed.error();
  if (!placed->note.empty()) plan_.notes.push_back(placed->note);
  plan_.offsets[at] = {.offset = placed->offset, .metadata = {}};
  return {};
}

}  // namespace

Result<ResetPlan> plan_reset(const Engine& engine, const std::string& group, const ResetTarget& target,
                             const ResetScope& scope) {
  return ResetPlanner(engine, group, target).plan(scope);
}

}  // namespace seriatim::cli
