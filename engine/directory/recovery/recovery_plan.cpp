#include "directory/recovery/recovery_plan.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "catalog/records/topic_config_rules.hpp"
#include "directory/recovery/parts_check.hpp"
#include "directory/topics/partition_states.hpp"
#include "format/file_name.hpp"
#include "os/lock/dir_lock.hpp"
#include "os/path.hpp"
#include "os/process.hpp"

namespace seriatim::directory {
namespace {

TopicMap topic_map(const std::vector<catalog::TopicRecord>& records) {
  TopicMap topics;
  for (const auto& record : records) {
    auto topic = std::make_shared<Topic>();
    topic->name = record.name;
    topic->id = record.topic_id;
    topic->partitions.resize(static_cast<std::size_t>(record.partition_count));
    topics.emplace(record.name, std::move(topic));
  }
  return topics;
}

}  // namespace

RecoveryPlan::RecoveryPlan(os::Vfs& vfs, std::string directory)
    : vfs_(vfs),
      directory_(std::move(directory)),
      overlay_(vfs),
      files_(overlay_, os::FdCache::default_capacity()),
      environment_{.files = {overlay_, files_},
                   .maps = maps_,
                   .clock = base::system_clock(),
                   .health = health_,
                   .counters = counters_,
                   .report = [](bool, std::string_view) {}} {}

Result<> RecoveryPlan::make(const catalog::Catalog& catalog, const RecoveryPlanOptions& options) {
  auto topics = catalog.topics();
  if (!topics) return topics.error();
  auto has_plan = read_journal(catalog, options, *topics);
  if (!has_plan) return has_plan.error();
  if (!*has_plan) return {};
  for (const auto& topic : *topics) {
    if (auto looked = look_at(catalog, topic); !looked) return looked;
  }
  if (const auto& strange = replay_->strange_marker())
    misfit_ = strange_marker_error(*strange, stored_lsn_, directory_);
  return {};
}

// False: somebody writes.
Result<bool> RecoveryPlan::read_journal(const catalog::Catalog& catalog, const RecoveryPlanOptions& options,
                                        const std::vector<catalog::TopicRecord>& topics) {
  const auto is_locked = os::is_dir_locked(vfs_, directory_);
  if (!options.is_locked_by_caller && (!is_locked || *is_locked)) return false;
  // A text that a power cut has cut short is no lock file, and says nothing.
  const auto writer = os::read_lock_info(vfs_, directory_);
  const std::string boot = os::boot_id();
  had_settled_ = writer && *writer && !boot.empty() && (*writer)->settled_boot_id == boot;
  const auto part = part_of(catalog, vfs_, directory_);
  if (!part) return part.error();
  replay_.emplace(topic_map(topics));
  auto contents =
      journal::read_journal({.directory = os::join_path(directory_, std::string(journal_directory_name)),
                             .directory_id = options.directory_id,
                             .covered_lsn = part->engine.covered_lsn,
                             .is_writer = false,
                             .salvages = options.salvages,
                             .vfs = vfs_},
                            *replay_);
  if (!contents) {
    replay_.reset();
    return contents.error();
  }
  const auto fit = check_parts_fit(*part, *contents, directory_);
  if (!fit && !options.salvages) return fit.error();
  frames_ = contents->frames_visited;
  if (!fit || !contents->losses.empty()) replay_->believe_markers();
  stored_lsn_ = contents->stored_lsn;
  was_clean_ = part->engine.clean_shutdown && replay_->empty() && !replay_->believes_markers();
  if (last_stop() == segment::LastStop::kill) replay_->expect_every_decision();
  return true;
}

segment::LastStop RecoveryPlan::last_stop() const {
  if (was_clean_) return segment::LastStop::clean;
  if (replay_->believes_markers()) return segment::LastStop::losses;
  return had_settled_ ? segment::LastStop::kill : segment::LastStop::power_cut;
}

Result<> RecoveryPlan::look_at(const catalog::Catalog& catalog, const catalog::TopicRecord& topic) {
  auto states = catalog.partition_states(topic.name);
  if (!states) return {};  // Told by who asked; there is no plan without them.
  const auto config = catalog::resolve_config(topic.config);
  const auto count = std::min<std::size_t>(states->size(), static_cast<std::size_t>(topic.partition_count));
  for (std::size_t i = 0; i < count; ++i) {
    const TopicPartition at{topic.name, static_cast<PartitionId>(i)};
    partition::PartitionRequest request{
        .name = at,
        .topic_id = topic.topic_id,
        .directory = os::join_path(os::join_path(directory_, "log"),
                                   format::partition_directory(topic.name, at.partition)),
        .config = config ? *config : TopicConfig{},
        .checkpoint = to_checkpoint((*states)[i], was_clean_),
        .stop = last_stop(),
        .journalled = replay_->take_batches(topic.topic_id, at.partition),
        .is_decided = {}};
    if (!was_clean_) {
      request.is_decided = [this](ProducerId producer_id, ProducerEpoch marker_epoch) {
        return producer_id < catalog::first_producer_id || replay_->is_decided(producer_id, marker_epoch);
      };
    }
    auto exists = vfs_.exists(request.directory);
    if (!exists) return exists.error();
    if (!*exists) continue;
    auto preview = partition::preview_recovery(environment_, request);
    if (!preview) {
      failures_.emplace(at, preview.error());
    } else if (!preview->is_clean) {
      previews_.emplace(at, *std::move(preview));
    }
  }
  return {};
}

const partition::RecoveryPreview* RecoveryPlan::find(const std::string& topic, PartitionId partition) const {
  const auto found = previews_.find({topic, partition});
  return found == previews_.end() ? nullptr : &found->second;
}

const Error* RecoveryPlan::failure(const std::string& topic, PartitionId partition) const {
  const auto found = failures_.find({topic, partition});
  return found == failures_.end() ? nullptr : &found->second;
}

bool RecoveryPlan::will_abort(ProducerId producer_id, ProducerEpoch epoch) const {
  if (!replay_ || was_clean_ || producer_id < catalog::first_producer_id) return false;
  const auto& decisions = replay_->decisions();
  const bool is_decided = std::any_of(decisions.begin(), decisions.end(), [&](const auto& decision) {
    return decision.producer_id == producer_id && decision.producer_epoch == epoch;
  });
  return !is_decided && !replay_->is_decided_by_marker(producer_id, static_cast<ProducerEpoch>(epoch + 1));
}

std::string offsets_text(const Finding& finding) {
  if (finding.first_offset < 0 || finding.last_offset < finding.first_offset)
    return "offsets that cannot be told";
  return "offsets " + std::to_string(finding.first_offset) + " to " + std::to_string(finding.last_offset);
}

}  // namespace seriatim::directory
