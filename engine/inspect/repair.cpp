// `repair`: what is to be done about a data directory, and doing it, in this order: FORMAT, snapshots,
// opening (which replays the journal and finishes what a crash left), the journal's damaged files, segments.
#include <seriatim/repair.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include <seriatim/exception.hpp>

#include "catalog/records/topic_config_rules.hpp"
#include "directory/engine_impl.hpp"
#include "directory/files/catalog_access.hpp"
#include "directory/files/directory_path.hpp"
#include "directory/files/format_file.hpp"
#include "directory/recovery/journal_replay.hpp"
#include "directory/recovery/parts_check.hpp"
#include "directory/recovery/recovery_plan.hpp"
#include "format/file_name.hpp"
#include "inspect/repair_segment.hpp"
#include "inspect/verify_for_repair.hpp"
#include "os/file/posix_vfs.hpp"
#include "os/path.hpp"
#include "segment/segment_store.hpp"

namespace seriatim {
inline namespace v0 {
namespace {
struct KnownPartition {
  std::string shown{};  // directory, relative to the data directory
  TopicPartition name{};
  bool may_have_gaps = false;
  std::uint64_t index_interval_bytes = 4096;
};

class Repairer {
 public:
  Repairer(os::Vfs& vfs, std::string dir, const RepairOptions& options)
      : vfs_(vfs), dir_(std::move(dir)), options_(options), files_(vfs, os::FdCache::default_capacity()) {}

  Result<RepairReport> run() {
    auto lock = os::acquire_dir_lock(vfs_, dir_);
    if (!lock) return lock.error();
    if (auto read = read_catalog(); !read) return read.error();
    if (auto planned = plan_format(); !planned) return planned.error();
    if (format_step_ && !options_.dry_run) {
      if (auto written = make_format(); !written) return written.error();
    }
    if (auto planned = plan(); !planned) return planned.error();
    if (options_.dry_run) return finish(std::move(report_.left));
    if (auto moved = move_snapshots(); !moved) return moved.error();
    if (!journal_steps_.empty() && !options_.accept_loss) return finish(std::move(report_.left));
    lock->release();
    if (auto opened = open_and_close(); !opened) return opened.error();
    lock = os::acquire_dir_lock(vfs_, dir_);
    if (!lock) return lock.error();
    if (auto mended = mend_segments(); !mended) return mended.error();
    lock->release();
    auto after = verify(dir_);
    if (!after) return after.error();
    note_remaining(after->findings);
    return finish(std::move(after->findings));
  }

 private:
  std::string full(const std::string& shown) const { return os::join_path(dir_, shown); }
  std::size_t add(std::string path, std::string what, bool gives_up = false) {
    report_.steps.push_back({.path = std::move(path), .what = std::move(what), .gives_up = gives_up});
    return report_.steps.size() - 1;
  }
  void done(std::size_t step) { report_.steps[step].is_done = true; }
  void done(const std::vector<std::size_t>& steps) {
    for (const std::size_t step : steps) done(step);
  }
  Result<RepairReport> finish(std::vector<Finding> left) {
    std::erase_if(left, [](const Finding& f) { return f.severity == Severity::note; });
    report_.left = std::move(left);
    return std::move(report_);
  }

  // Damaged still, whatever was done about it: records that do not decode although their checksum fits.
  void note_remaining(const std::vector<Finding>& findings) {
    for (const Finding& finding : findings) {
      if (finding.severity != Severity::damage) continue;
      for (RepairStep& step : report_.steps) {
        if (step.gives_up && step.path == finding.path) step.is_done = false;
      }
    }
  }

  Result<> read_catalog();
  void read_partitions(const catalog::Catalog& catalog, const std::vector<catalog::TopicRecord>& topics);
  Result<> plan();
  Result<> plan_format();
  Result<> plan_journal();
  void plan_finding(const Finding& finding);
  Result<> plan_leftovers();
  Result<> make_format();
  Result<> move_snapshots();
  Result<> open_and_close();
  Result<> open_partitions_of(detail::EngineImpl& engine);
  Result<> mend_segments();
  Result<> mend_partition(const KnownPartition& partition);
  Result<> mend_segment(const KnownPartition& partition, const inspect::SegmentToRepair& segment);

  os::Vfs& vfs_;
  const std::string dir_;
  const RepairOptions& options_;
  os::FdCache files_;
  RepairReport report_;
  directory::CatalogPart catalog_;
  std::vector<KnownPartition> partitions_;
  journal::JournalContents contents_;
  std::optional<std::size_t> format_step_;
  std::vector<std::size_t> journal_steps_;
  std::vector<std::size_t> opening_steps_;
  std::map<std::string, std::size_t> snapshot_steps_;                 // by path
  std::map<std::string, std::vector<std::size_t>> index_steps_;       // by path of the log
  std::map<std::string, std::vector<std::size_t>> damaged_segments_;  // by partition: steps that give up
};

// Topics, offsets and recovery points are there or they are not: nothing else has them.
Result<> Repairer::read_catalog() {
  const std::string path = full("catalog");
  const auto opened =
      catalog::Catalog::open(path, directory::catalog_options(vfs_, dir_, catalog::Access::read_only));
  const auto advise = [&](const Error& error) -> Error {
    if (error.code() != Errc::corrupt_metadata && error.code() != Errc::not_found) return error;
    return {
        Errc::corrupt_metadata,
        error.message() +
            ". Nothing was changed: repair cannot make catalog/data.mdb again. Restore that one "
            "file from a copy of this directory and run repair again. The records are untouched: `seriatim "
            "dump` prints them, and the .log files can be handed to Kafka",
        error.sys_errno()};
  };
  if (!opened) return advise(opened.error());
  const auto part = directory::part_of(*opened, vfs_, dir_);
  if (!part) return advise(part.error());
  const auto topics = opened->topics();
  if (!topics) return advise(topics.error());
  catalog_ = *part;
  read_partitions(*opened, *topics);
  return {};
}

void Repairer::read_partitions(const catalog::Catalog& catalog,
                               const std::vector<catalog::TopicRecord>& topics) {
  for (const auto& topic : topics) {
    const auto states = catalog.partition_states(topic.name);
    const auto config = catalog::resolve_config(topic.config);
    for (PartitionId i = 0; i < topic.partition_count; ++i) {
      const bool was_compacted = states && static_cast<std::size_t>(i) < states->size() &&
                                 (*states)[static_cast<std::size_t>(i)].compacted_to_offset > 0;
      partitions_.push_back(
          {.shown = os::join_path("log", format::partition_directory(topic.name, i)),
           .name = {topic.name, i},
           .may_have_gaps = was_compacted || !config || config->cleanup_policy != CleanupPolicy::delete_,
           .index_interval_bytes =
               static_cast<std::uint64_t>((config ? *config : TopicConfig{}).index_interval_bytes)});
    }
  }
}

Result<> Repairer::plan() {
  if (auto planned = plan_journal(); !planned) return planned;
  if (auto planned = plan_leftovers(); !planned) return planned;
  auto found = inspect::verify_for_repair(vfs_, dir_, catalog_.engine.directory_id);
  if (!found) return found.error();
  for (const Finding& finding : found->findings) plan_finding(finding);
  return {};
}

Result<> Repairer::plan_format() {
  const auto format = directory::read_format_file(vfs_, dir_);
  if (format) return {};
  const Errc code = format.error().code();
  if (code != Errc::corrupt_metadata && code != Errc::not_found) return format.error();
  format_step_ = add(directory::format_file_name,
                     "is written again with the directory id that the catalog has" +
                         std::string(code == Errc::not_found ? "" : "; the damaged file is moved aside"));
  return {};
}

Result<> Repairer::plan_journal() {
  directory::JournalReplay nobody{{}};
  auto contents = journal::read_journal({.directory = full(std::string(directory::journal_directory_name)),
                                         .directory_id = catalog_.engine.directory_id,
                                         .covered_lsn = catalog_.engine.covered_lsn,
                                         .is_writer = false,
                                         .salvages = true,
                                         .vfs = vfs_},
                                        nobody);
  if (!contents) return contents.error();
  contents_ = *std::move(contents);
  const bool is_damaged = !contents_.losses.empty() || !contents_.damaged.empty();
  const auto fit = directory::check_parts_fit(catalog_, contents_, dir_);
  if (!is_damaged && !fit) journal_steps_.push_back(add("journal", fit.error().message(), true));
  for (const auto& loss : contents_.losses) {
    journal_steps_.push_back(add("journal",
                                 "goes on without frames " + std::to_string(loss.first_lsn) + " to " +
                                     std::to_string(loss.last_lsn) + ", which cannot be read: " + loss.what,
                                 true));
  }
  for (const std::string& name : contents_.damaged) {
    journal_steps_.push_back(
        add(os::join_path("journal", name),
            "is damaged: what it holds is brought home as far as it can be read, and the "
            "file moved aside",
            true));
  }
  for (const std::string& name : contents_.leftovers)
    opening_steps_.push_back(add("journal/" + name, "was never completed and is removed"));
  if (contents_.frames_visited > 0) {
    opening_steps_.push_back(
        add("journal", std::to_string(contents_.frames_visited) +
                           " frames of the last run, which did not end with a close, are "
                           "brought home"));
  }
  return {};
}

Result<> Repairer::plan_leftovers() {
  for (const auto& partition : partitions_) {
    auto listing = segment::list_segments(vfs_, full(partition.shown));
    if (!listing && listing.error().code() == Errc::not_found) continue;
    if (!listing) return listing.error();
    for (const std::string& name : listing->interrupted) {
      opening_steps_.push_back(
          add(os::join_path(partition.shown, name),
              "was left by a crash: it is finished if it is complete, and removed if not"));
    }
  }
  return {};
}

void Repairer::plan_finding(const Finding& finding) {
  const std::string directory = os::parent_path(finding.path);
  const auto name = format::parse_file_name(finding.path.substr(finding.path.rfind('/') + 1));
  const bool is_known = std::any_of(partitions_.begin(), partitions_.end(), [&](const KnownPartition& known) {
    return known.shown == directory || known.shown == finding.path;
  });
  const bool is_of_journal = finding.path == "journal";
  // Seen in the logs only.
  if (is_of_journal && finding.severity == Severity::damage && journal_steps_.empty())
    journal_steps_.push_back(add(finding.path, finding.what, true));
  if (is_of_journal || finding.path == directory::format_file_name) return;  // Planned already.
  if (!is_known) {
    report_.left.push_back(finding);
  } else if (finding.severity == Severity::note && finding.last_offset >= 0) {
    return;  // Whole batches that are not read here: they stay as they are.
  } else if (finding.severity == Severity::note) {
    // Frames that are lost may have been what made these records good.
    const bool gives_up = !contents_.losses.empty() && finding.first_offset >= 0;
    opening_steps_.push_back(
        add(finding.path, finding.what + (gives_up ? ". Gone are " + directory::offsets_text(finding) : ""),
            gives_up));
  } else if (finding.severity == Severity::damage) {
    const std::string partition = name ? directory : finding.path;
    damaged_segments_[partition].push_back(
        add(finding.path,
            finding.what + ". The partition goes on without " + directory::offsets_text(finding) +
                " as far as they cannot be read; a segment that is written anew for that is kept as .damaged",
            true));
  } else if (name && name->kind == format::FileKind::snapshot) {
    snapshot_steps_[finding.path] = add(finding.path, finding.what + ". It is moved aside");
  } else if (name) {
    const std::string log = os::join_path(directory, format::file_name(name->offset, format::FileKind::log));
    const bool has_log = vfs_.exists(full(log)).value_or(false);
    const std::size_t step =
        add(finding.path,
            finding.what + (has_log ? ". The indexes are written again from the log" : ". It is removed"));
    if (has_log) {
      index_steps_[log].push_back(step);
    } else {
      opening_steps_.push_back(step);
    }
  }
}

Result<> Repairer::make_format() {
  const std::string path = full(directory::format_file_name);
  auto exists = vfs_.exists(path);
  if (!exists) return exists.error();
  if (*exists) {
    if (auto moved = segment::move_aside(vfs_, path); !moved) return moved.error();
  }
  auto written = directory::write_format_file(
      vfs_, dir_, {.version = directory::format_version, .directory_id = catalog_.engine.directory_id});
  if (written) done(*format_step_);
  return written;
}

// Before the directory is opened, which would take them for true or, if older, never look at them.
Result<> Repairer::move_snapshots() {
  for (const auto& [path, step] : snapshot_steps_) {
    if (auto moved = segment::move_aside(vfs_, full(path)); !moved) return moved.error();
    done(step);
  }
  return {};
}

Result<> Repairer::open_and_close() {
  EngineOptions options{.mode = OpenMode::read_write};
  options.log_sink = options_.log_sink;
  auto engine = detail::EngineImpl::open(dir_, options, vfs_, base::system_clock(), true);
  if (!engine) return engine.error();
  if (auto opened = open_partitions_of(**engine); !opened) return opened;
  // The checkpoint covers every frame there was: from here on nobody asks for the damaged files.
  if (auto stored = (*engine)->checkpointer->checkpoint(); !stored) return stored;
  for (const std::string& name : contents_.damaged) {
    auto moved = segment::move_aside(vfs_, full(os::join_path("journal", name)));
    if (!moved && moved.error().code() != Errc::not_found) return moved.error();
  }
  done(journal_steps_);
  done(opening_steps_);
  return (*engine)->close();
}

// Opening finishes what a crash left. A damaged partition begins a new segment: the old one can be replaced.
Result<> Repairer::open_partitions_of(detail::EngineImpl& engine) {
  for (const auto& partition : partitions_) {
    auto opened = engine.partition(partition.name.topic, partition.name.partition);
    if (!opened) return opened.error().with_context(partition.shown);
    if (!options_.accept_loss || !damaged_segments_.contains(partition.shown)) continue;
    if (auto rolled = (*opened)->roll(); !rolled) return rolled;
  }
  return {};
}

Result<> Repairer::mend_segments() {
  for (const auto& partition : partitions_) {
    if (auto mended = mend_partition(partition); !mended) return mended;
  }
  return {};
}

Result<> Repairer::mend_partition(const KnownPartition& partition) {
  auto listing = segment::list_segments(vfs_, full(partition.shown));
  if (!listing && listing.error().code() == Errc::not_found) return {};
  if (!listing) return listing.error();
  const auto& segments = listing->segments;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const Offset next_base = i + 1 < segments.size() ? segments[i + 1].base_offset : Offset{-1};
    // A roll that failed left it empty, within the one before it.
    if (next_base >= 0 && segments[i].log_bytes == 0 && next_base == segments[i].base_offset) continue;
    const inspect::SegmentToRepair segment{.directory = full(partition.shown),
                                           .base_offset = segments[i].base_offset,
                                           .next_base = next_base,
                                           .may_have_gaps = partition.may_have_gaps,
                                           .index_interval_bytes = partition.index_interval_bytes};
    if (auto mended = mend_segment(partition, segment); !mended) return mended;
  }
  const auto damaged = damaged_segments_.find(partition.shown);
  if (damaged == damaged_segments_.end() || !options_.accept_loss) return {};
  done(damaged->second);
  return {};
}

Result<> Repairer::mend_segment(const KnownPartition& partition, const inspect::SegmentToRepair& segment) {
  const segment::SegmentContext context{vfs_, files_};
  const std::string log =
      os::join_path(partition.shown, format::file_name(segment.base_offset, format::FileKind::log));
  const auto index_steps = index_steps_.find(log);
  const bool is_damaged = damaged_segments_.contains(partition.shown) && options_.accept_loss;
  if (is_damaged && segment.next_base >= 0) {
    auto lost = inspect::find_lost_offsets(context, segment);
    if (!lost) return lost.error();
    if (!lost->empty()) {
      auto copy = inspect::rewrite_segment(context, segment);
      if (!copy) return copy.error();
      std::string what = "was written anew; the damaged file is " + *copy + ". Without";
      for (const auto& range : *lost)
        what += " " + std::to_string(range.first) + ".." + std::to_string(range.last);
      done(add(log, what, true));
      if (index_steps != index_steps_.end()) done(index_steps->second);
      return {};
    }
  }
  if (index_steps == index_steps_.end()) return {};
  auto rebuilt = inspect::rebuild_segment_indexes(context, segment);
  if (rebuilt) done(index_steps->second);
  return rebuilt;
}

}  // namespace

Result<RepairReport> repair(const std::filesystem::path& dir, const RepairOptions& options) try {
  auto& vfs = os::posix_vfs();
  const auto path = directory::existing_data_directory(vfs, dir);
  if (!path) return path.error();
  return Repairer(vfs, *path, options).run();
} catch (...) {
  return current_error();
}

}  // namespace v0
}  // namespace seriatim
