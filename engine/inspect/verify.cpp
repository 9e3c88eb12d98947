// `verify`: a data directory seen from outside.
#include <algorithm>
#include <utility>

#include <seriatim/exception.hpp>
#include <seriatim/inspect.hpp>

#include "base/moved_from.hpp"
#include "base/text.hpp"
#include "catalog/catalog.hpp"
#include "catalog/records/topic_config_rules.hpp"
#include "directory/engine_impl.hpp"
#include "directory/files/catalog_access.hpp"
#include "directory/files/directory_path.hpp"
#include "directory/files/format_file.hpp"
#include "directory/recovery/recovery_plan.hpp"
#include "format/file_name.hpp"
#include "format/producer_snapshot.hpp"
#include "inspect/verify_for_repair.hpp"
#include "inspect/verify_segment.hpp"
#include "os/absolute_path.hpp"
#include "os/file/posix_vfs.hpp"
#include "os/file/small_file.hpp"
#include "os/path.hpp"
#include "segment/segment_store.hpp"

namespace seriatim {
inline namespace v0 {
namespace {

// Kafka's entries are 46 bytes each: millions of producers fit.
constexpr std::size_t snapshot_bytes_max = std::size_t{1} << 28;

class Verifier {
 public:
  Verifier(os::Vfs& vfs, std::string dir, const VerifyOptions& options,
           directory::RecoveryPlanOptions how = {})
      : vfs_(vfs), dir_(std::move(dir)), options_(options), how_(how) {}

  /// Opens the catalog first.
  Result<VerifyReport> run() {
    auto format = directory::read_format_file(vfs_, dir_);
    if (!format && format.error().code() != Errc::corrupt_metadata) return not_ours(format.error());
    if (!format) add_damage(directory::format_file_name, format.error());
    if (format) how_.directory_id = format->directory_id;
    return run_without_format(format.ok());
  }

  /// @param has_id  the directory's id is known, from FORMAT or otherwise.
  Result<VerifyReport> run_without_format(bool has_id = true) {
    auto opened = catalog::Catalog::open(os::join_path(dir_, "catalog"),
                                         directory::catalog_options(vfs_, dir_, catalog::Access::read_only));
    if (opened && has_id) make_plan(*opened);
    if (opened) return run_with(*opened);
    const Errc code = opened.error().code();
    if (code == Errc::unsupported_version) return opened.error();
    if (code == Errc::invalid_state)
      return opened.error().with_context("use Admin::verify of the engine that this process has open");
    add_damage("catalog/data.mdb", opened.error());
    return verify_without_catalog();
  }

  Result<VerifyReport> run_with(const catalog::Catalog& from) {
    auto topics = from.topics();
    if (!topics) {
      add_damage("catalog/data.mdb", topics.error());
      return verify_without_catalog();
    }
    if (auto chosen = choose(*topics); !chosen) return chosen.error();
    if (auto measured = measure(*topics); !measured) return measured.error();
    for (const auto& topic : *topics) {
      if (auto verified = verify_topic(from, topic); !verified) return verified.error();
    }
    return std::move(report_);
  }

 private:
  // Beside a live writer its files change under whoever reads them: nothing is said then.
  void make_plan(const catalog::Catalog& from) {
    if (!from.topics()) return;  // Told by the next call, which asks again.
    plan_.emplace(vfs_, dir_);
    if (auto made = plan_->make(from, how_); !made) {
      plan_.reset();
      return add_damage("journal", made.error());
    }
    if (plan_->misfit()) add_damage("journal", *plan_->misfit());
    if (plan_->frames() == 0) return;
    report_.findings.push_back(
        {.severity = Severity::note,
         .path = "journal",
         .what = std::to_string(plan_->frames()) +
                 " frames of the last run, which did not end with a close, are brought "
                 "home by the next open for writing"});
  }

  Error not_ours(const Error& error) const {
    if (error.code() != Errc::not_found) return error;
    return {
        Errc::not_a_data_directory,
        dir_ + " has no FORMAT file: it is not a seriatim data directory, or its creation never finished"};
  }

  void add_damage(std::string path, const Error& error) {
    report_.findings.push_back(
        {.severity = Severity::damage, .path = std::move(path), .what = error.message()});
  }

  // Leaves in `topics` what was asked for.
  Result<> choose(std::vector<catalog::TopicRecord>& topics) const {
    if (options_.topics.empty()) return {};
    std::vector<std::string_view> names;
    for (const auto& topic : topics) names.push_back(topic.name);
    for (const auto& wanted : options_.topics) {
      if (std::find(names.begin(), names.end(), wanted) != names.end()) continue;
      const auto nearest = base::nearest(wanted, names);
      return Error(Errc::unknown_topic_or_partition,
                   "no topic " + wanted + " in " + dir_ +
                       (nearest.empty() ? std::string() : "; did you mean " + std::string(nearest) + "?"));
    }
    std::erase_if(topics, [this](const catalog::TopicRecord& topic) {
      return std::find(options_.topics.begin(), options_.topics.end(), topic.name) == options_.topics.end();
    });
    return {};
  }

  std::string shown(const std::string& topic, PartitionId partition) const {
    return os::join_path("log", format::partition_directory(topic, partition));
  }

  Result<> measure(const std::vector<catalog::TopicRecord>& topics) {
    for (const auto& topic : topics) {
      for (PartitionId i = 0; i < topic.partition_count; ++i) {
        auto listing = segment::list_segments(vfs_, os::join_path(dir_, shown(topic.name, i)));
        if (!listing && listing.error().code() != Errc::not_found) return listing.error();
        if (!listing) continue;
        for (const auto& segment : listing->segments) total_bytes_ += segment.log_bytes;
      }
    }
    return {};
  }

  Result<> verify_topic(const catalog::Catalog& from, const catalog::TopicRecord& topic) {
    ++report_.topics;
    auto states = from.partition_states(topic.name);
    if (!states) {
      // The log can be judged without it.
      add_damage("catalog/data.mdb", states.error());
    }
    auto config = catalog::resolve_config(topic.config);
    for (PartitionId i = 0; i < topic.partition_count && !stopped_; ++i) {
      catalog::PartitionState state;
      if (states && static_cast<std::size_t>(i) < states->size())
        state = (*states)[static_cast<std::size_t>(i)];
      const bool gaps =
          state.compacted_to_offset > 0 || !config || config->cleanup_policy != CleanupPolicy::delete_;
      const auto* const failure = plan_ ? plan_->failure(topic.name, i) : nullptr;
      if (failure != nullptr) add_damage(shown(topic.name, i), *failure);
      const auto* const preview = plan_ ? plan_->find(topic.name, i) : nullptr;
      if (auto verified = verify_partition(shown(topic.name, i), state, gaps, preview); !verified)
        return verified;
    }
    return {};
  }

  // Where a segment meets the one before it, which ends at `expected`; -1: it is the first.
  void judge_border(const std::string& shown_directory, const segment::SegmentFileInfo& file, Offset expected,
                    bool may_have_gaps) {
    const bool is_behind = file.base_offset > expected;
    // A roll that failed leaves an empty segment within the one before it.
    const bool is_right = is_behind ? may_have_gaps : file.base_offset == expected || file.log_bytes == 0;
    if (expected < 0 || is_right) return;
    report_.findings.push_back(
        {.severity = Severity::damage,
         .path = os::join_path(shown_directory, format::file_name(file.base_offset, format::FileKind::log)),
         .first_offset = std::min(expected, file.base_offset),
         .last_offset = std::max(expected, file.base_offset) - 1,
         .what = "the segment before it ends at offset " + std::to_string(expected) +
                 (is_behind ? ": records are missing" : ": both hold these offsets")});
  }

  Result<> verify_partition(const std::string& shown_directory, const catalog::PartitionState& state,
                            bool may_have_gaps, const partition::RecoveryPreview* preview = nullptr) {
    ++report_.partitions;
    const std::string path = os::join_path(dir_, shown_directory);
    // A state that the next open for writing heals is no damage: the files are looked at as it leaves them.
    os::Vfs& files = preview != nullptr ? plan_->files() : vfs_;
    if (preview != nullptr) {
      note_taken(shown_directory, *preview);
      may_have_gaps = may_have_gaps || preview->has_gaps;
    }
    const std::size_t findings_before = report_.findings.size();
    auto listing = segment::list_segments(files, path);
    if (!listing) {
      if (listing.error().code() != Errc::not_found) return listing.error();
      // A partition that was never written to has no directory.
      if (state.recovery_point_offset > 0) {
        report_.findings.push_back({.severity = Severity::damage,
                                    .path = shown_directory,
                                    .first_offset = state.log_start_offset,
                                    .last_offset = state.recovery_point_offset - 1,
                                    .what = "the directory is missing"});
      }
      return {};
    }
    for (const auto& orphan : listing->orphans) {
      report_.findings.push_back({.severity = Severity::repairable,
                                  .path = os::join_path(shown_directory, orphan),
                                  .what = "an index without its log"});
    }
    for (const Offset offset : listing->snapshots) verify_snapshot(path, shown_directory, offset);
    Offset expected = -1;
    inspect::VerifiedTransactions transactions;
    if (!listing->segments.empty())
      begin_transactions(path, listing->segments.front().base_offset, transactions);
    for (std::size_t i = 0; i < listing->segments.size() && !stopped_; ++i) {
      const auto& file = listing->segments[i];
      // Below the log start nothing is missed.
      judge_border(shown_directory, file, expected,
                   may_have_gaps || file.base_offset <= state.log_start_offset);
      inspect::SegmentToVerify segment{
          .directory = path,
          .shown_directory = shown_directory,
          .base_offset = file.base_offset,
          .next_base = i + 1 < listing->segments.size() ? listing->segments[i + 1].base_offset : Offset{-1},
          .is_last = i + 1 == listing->segments.size(),
          .may_have_gaps = may_have_gaps,
          .deep = options_.deep,
          .transactions = &transactions};
      if (file.base_offset == state.recovery_segment_base)
        segment.durable_bytes = static_cast<std::uint64_t>(state.recovery_position);
      if (preview != nullptr) segment.durable_bytes = file.log_bytes;
      auto end = inspect::verify_segment(
          files, segment, [this](std::uint64_t bytes) { return advance(bytes); }, report_);
      if (!end) {
        // Retention may take a segment away while we look, beside a live writer.
        if (end.error().code() == Errc::not_found) continue;
        return end.error();
      }
      if (*end) expected = **end;
    }
    if (!stopped_ && expected >= 0 && expected < state.recovery_point_offset) {
      report_.findings.push_back({.severity = Severity::damage,
                                  .path = shown_directory,
                                  .first_offset = expected,
                                  .last_offset = state.recovery_point_offset - 1,
                                  .what = "records that were on stable storage are missing"});
    }
    if (preview != nullptr) note_what_follows(shown_directory, *preview, transactions, findings_before);
    return {};
  }

  void note_taken(const std::string& shown_directory, const partition::RecoveryPreview& preview) {
    for (const auto& taken : preview.taken) {
      report_.findings.push_back(
          {.severity = Severity::note,
           .path = os::join_path(shown_directory, taken.path.substr(taken.path.rfind('/') + 1)),
           .position = taken.position,
           .first_offset = taken.first_offset,
           .last_offset = taken.last_offset,
           .what = taken.what + " (" + std::to_string(taken.records) +
                   " records can be read there), by the next open for writing"});
    }
  }

  void note_what_follows(const std::string& shown_directory, const partition::RecoveryPreview& preview,
                         const inspect::VerifiedTransactions& transactions, std::size_t findings_before) {
    for (const auto& [id, records] : transactions.unfinished) {
      if (!plan_->will_abort(id, records.epoch)) continue;
      report_.findings.push_back({.severity = Severity::note,
                                  .path = shown_directory,
                                  .first_offset = records.first_offset,
                                  .last_offset = records.last_offset,
                                  .what = "a transaction of producer " + std::to_string(id) +
                                          " was not decided: its " + std::to_string(records.count) +
                                          " records here are aborted by the next open for writing"});
    }
    // The open will say that there is damage, and so must this.
    const bool is_told = std::any_of(
        report_.findings.begin() + static_cast<std::ptrdiff_t>(findings_before), report_.findings.end(),
        [](const Finding& finding) { return finding.severity == Severity::damage; });
    if (!preview.damage || is_told) return;
    report_.findings.push_back(
        {.severity = Severity::damage, .path = shown_directory, .what = *preview.damage});
  }

  // Where retention has taken what came before, a snapshot has what was open.
  void begin_transactions(const std::string& directory, Offset front,
                          inspect::VerifiedTransactions& transactions) const {
    partition::ProducerState producers;
    const auto loaded = producers.load_snapshot(vfs_, directory, front);
    if (loaded) transactions.open = partition::OpenTransactions(producers);
    // A damaged one is a finding of its own.
    if (!loaded) transactions.known_from = front;
  }

  // A snapshot is derived: it tells what the log behind it tells too.
  void verify_snapshot(const std::string& directory, const std::string& shown_directory, Offset offset) {
    const std::string name = format::file_name(offset, format::FileKind::snapshot);
    auto bytes = os::read_small_file(vfs_, os::join_path(directory, name), snapshot_bytes_max);
    // Beside a live writer older ones go.
    if (!bytes && bytes.error().code() == Errc::not_found) return;
    auto parsed = bytes ? format::parse_producer_snapshot(*bytes)
                        : Result<std::vector<format::ProducerSnapshotEntry>>(bytes.error());
    if (parsed) return;
    report_.findings.push_back({.severity = Severity::repairable,
                                .path = os::join_path(shown_directory, name),
                                .what = "the producer snapshot cannot be read: " + parsed.error().message()});
  }

  // The catalog is gone: the records are judged all the same, partition by partition as the directory shows
  // them.
  Result<VerifyReport> verify_without_catalog() {
    auto entries = vfs_.list(os::join_path(dir_, "log"));
    if (!entries) return entries.error();
    for (const auto& entry : *entries) {
      const auto parsed = format::parse_partition_directory(entry.name);
      if (!parsed || parsed->state != format::DirectoryState::live || stopped_) continue;
      if (auto verified = verify_partition(os::join_path("log", entry.name), {}, true); !verified)
        return verified.error();
    }
    return std::move(report_);
  }

  bool advance(std::uint64_t bytes) {
    constexpr std::uint64_t bytes_per_call = 1 << 20;  // Arbitrary: often enough for a progress bar.
    done_bytes_ += bytes;
    if (!options_.progress || done_bytes_ - reported_bytes_ < bytes_per_call) return true;
    reported_bytes_ = done_bytes_;
    stopped_ = !options_.progress(done_bytes_, std::max(total_bytes_, done_bytes_));
    return !stopped_;
  }

  os::Vfs& vfs_;
  std::string dir_;
  const VerifyOptions& options_;
  directory::RecoveryPlanOptions how_;
  std::optional<directory::RecoveryPlan> plan_;
  VerifyReport report_;
  std::uint64_t total_bytes_ = 0;
  std::uint64_t done_bytes_ = 0;
  std::uint64_t reported_bytes_ = 0;
  bool stopped_ = false;
};

}  // namespace

Result<VerifyReport> verify(const std::filesystem::path& dir, const VerifyOptions& options) try {
  auto& vfs = os::posix_vfs();
  const auto path = directory::existing_directory(vfs, dir);
  if (!path) return path.error();
  return Verifier(vfs, *path, options).run();
} catch (...) {
  return current_error();
}

Result<VerifyReport> Admin::verify(const VerifyOptions& options) const try {
  if (!engine_) return base::moved_from("Admin");
  if (auto usable = engine_->check_usable(); !usable) return usable.error();
  return Verifier(engine_->vfs, engine_->directory.string(), options).run_with(*engine_->catalog);
} catch (...) {
  return current_error();
}

}  // namespace v0
}  // namespace seriatim

namespace seriatim::inspect {

Result<VerifyReport> verify_for_repair(os::Vfs& vfs, const std::string& dir,
                                       const catalog::Id& directory_id) {
  const VerifyOptions options;
  return Verifier(vfs, dir, options,
                  {.directory_id = directory_id, .is_locked_by_caller = true, .salvages = true})
      .run_without_format();
}

}  // namespace seriatim::inspect
