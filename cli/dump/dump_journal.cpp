#include "dump/dump_journal.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "catalog/catalog.hpp"
#include "directory/files/catalog_access.hpp"
#include "directory/files/format_file.hpp"
#include "format/journal/journal_decision.hpp"
#include "format/journal/journal_frame.hpp"
#include "format/journal/journal_payload.hpp"
#include "format/journal/journal_share.hpp"
#include "journal/journal_options.hpp"
#include "os/file/posix_vfs.hpp"

#include "dump/dump_log.hpp"
#include "dump/stored_file.hpp"
#include "interrupt.hpp"

namespace seriatim::cli {
namespace {

using format::JournalFrame;
using format::JournalFrameType;
using format::JournalHeader;
using TopicNames = std::map<format::Id, std::string>;

// Empty if the catalog cannot be read: the ids are printed in any case.
TopicNames topics_beside(const std::filesystem::path& path) {
  TopicNames names;
  const std::filesystem::path directory = std::filesystem::absolute(path).parent_path().parent_path();
  const auto catalog = catalog::Catalog::open(
      (directory / "catalog").string(),
      directory::catalog_options(os::posix_vfs(), directory.string(), catalog::Access::read_only));
  if (!catalog.ok()) return names;
  const auto deleted = catalog->deleted_topics();
  const auto topics = catalog->topics();
  if (deleted.ok()) {
    for (const catalog::TopicRecord& topic : *deleted) names[topic.topic_id] = topic.name;
  }
  if (topics.ok()) {
    for (const catalog::TopicRecord& topic : *topics) names[topic.topic_id] = topic.name;
  }
  return names;
}

const char* name_of(format::ShareProgressKind kind) {
  switch (kind) {
    case format::ShareProgressKind::changed:
      return "changed";
    case format::ShareProgressKind::replaced:
      return "replaced";
    case format::ShareProgressKind::forgotten:
      return "forgotten";
  }
  return "unknown";
}

// Kafka's numbers; others were refused when the frame was parsed.
const char* name_of_share_state(std::uint8_t state) {
  constexpr const char* names[] = {"available", "acquired", "acknowledged", "unknown", "archived"};
  return state < std::size(names) ? names[state] : "unknown";
}

class JournalDump {
 public:
  JournalDump(std::uint64_t file_number, const DumpSettings& settings, TopicNames names, DumpWriter& writer)
      : file_number_(file_number), settings_(settings), names_(std::move(names)), writer_(writer) {}

  Result<ExitCode> print(base::ByteSpan bytes);

 private:
  void print_header(const JournalHeader& header, std::uint64_t file_size);
  void print_frame(const JournalFrame& frame);
  void put_topic(Json& row, const format::Id& id) const;
  void put_place(Json& row, const format::JournalPlace& place) const;
  Result<> put_payload(Json& row, const JournalFrame& frame);
  void put_offsets(Json& row, const format::JournalCommittedOffsets& commit) const;
  void put_decision(Json& row, const format::JournalDecision& decision) const;
  Result<> put_share_progress(Json& row, const JournalFrame& frame) const;
  static Result<> put_share_group(Json& row, const JournalFrame& frame);
  std::size_t print_gap(base::ByteSpan rest, std::uint64_t key);

  std::uint64_t file_number_;
  const DumpSettings& settings_;
  TopicNames names_;
  DumpWriter& writer_;
  ExitCode outcome_ = ExitCode::ok;
  std::uint64_t position_ = format::journal_frames_at;
  std::uint64_t lsn_ = 0;  // of the frame that should be at position_
};

void JournalDump::print_header(const JournalHeader& header, std::uint64_t file_size) {
  Json row = {{"file_number", header.file_number},
              {"directory_id", directory::id_text(header.directory_id)},
              {"incarnation", header.incarnation},
              {"first_lsn", header.first_lsn},
              {"file_bytes", header.file_bytes}};
  if (header.file_number != file_number_)
    row["state"] = "spare: renamed for later use, frames of its earlier life";
  writer_.row(row);
  if (header.file_bytes == file_size) return;
  writer_.row({{"fault", "the file has " + std::to_string(file_size) + " bytes and was made with " +
                             std::to_string(header.file_bytes)}});
  outcome_ = ExitCode::damage;
}

void JournalDump::put_topic(Json& row, const format::Id& id) const {
  const auto name = names_.find(id);
  row["topic"] = name == names_.end() ? Json(nullptr) : Json(name->second);
  row["topic_id"] = directory::id_text(id);
}

void JournalDump::put_place(Json& row, const format::JournalPlace& place) const {
  put_topic(row, place.topic_id);
  row["partition"] = place.partition;
  row["base_offset"] = place.base_offset;
  row["segment"] = place.segment_base_offset;
  row["segment_position"] = place.position;
}

Result<> JournalDump::put_payload(Json& row, const JournalFrame& frame) {
  if (const auto known = format::check_journal_frame_is_known(frame); !known.ok()) return known;
  if (frame.fields.type == JournalFrameType::batch) {
    const auto batch = format::parse_journal_batch(frame.payload);
    if (!batch.ok()) return batch.error();
    put_place(row, batch->place);
    row["batch_bytes"] = batch->batch.size();
    return {};
  }
  if (frame.fields.type == JournalFrameType::synced_range) {
    const auto range = format::parse_journal_synced_range(frame.payload);
    if (!range.ok()) return range.error();
    put_place(row, range->place);
    row["length"] = range->length;
    return {};
  }
  if (frame.fields.type == JournalFrameType::decision ||
      frame.fields.type == JournalFrameType::decision_at_leader) {
    const auto decision = format::parse_journal_decision(frame.payload);
    if (!decision.ok()) return decision.error();
    put_decision(row, *decision);
    return {};
  }
  if (frame.fields.type == JournalFrameType::forgotten_group) {
    const auto forgotten = format::parse_journal_forgotten_group(frame.payload);
    if (!forgotten.ok()) return forgotten.error();
    put_bytes(row, "group", forgotten->group);
    return {};
  }
  if (frame.fields.type == JournalFrameType::share_progress) return put_share_progress(row, frame);
  if (frame.fields.type == JournalFrameType::share_group) return put_share_group(row, frame);
  const auto commit = format::parse_journal_offsets(frame.payload);
  if (!commit.ok()) return commit.error();
  put_offsets(row, *commit);
  return {};
}

Result<> JournalDump::put_share_progress(Json& row, const JournalFrame& frame) const {
  const auto progress = format::parse_journal_share_progress(frame.payload);
  if (!progress.ok()) return progress.error();
  put_bytes(row, "group", progress->group);
  put_topic(row, progress->topic_id);
  row["partition"] = progress->partition;
  row["how"] = name_of(progress->kind);
  row["start_offset"] = progress->start_offset < 0 ? Json(nullptr) : Json(progress->start_offset);
  Json runs = Json::array();
  for (const format::ShareRun& run : progress->runs) {
    Json one = Json::object();
    one["first_offset"] = run.offsets.first;
    one["last_offset"] = run.offsets.last;
    one["state"] = name_of_share_state(run.state);
    one["delivery_count"] = run.delivery_count;
    runs.push_back(std::move(one));
  }
  row["runs"] = std::move(runs);
  return {};
}

Result<> JournalDump::put_share_group(Json& row, const JournalFrame& frame) {
  const auto group = format::parse_journal_share_group(frame.payload);
  if (!group.ok()) return group.error();
  put_bytes(row, "group", group->group);
  row["is_forgotten"] = group->is_forgotten;
  Json config = Json::array();
  for (const auto& [name, value] : group->config) {
    Json one = Json::object();
    put_bytes(one, "name", name);
    put_bytes(one, "value", value);
    config.push_back(std::move(one));
  }
  row["config"] = std::move(config);
  return {};
}

void JournalDump::put_offsets(Json& row, const format::JournalCommittedOffsets& commit) const {
  put_bytes(row, "group", commit.group);
  row["commit_time"] = commit.commit_time_ms;
  Json positions = Json::array();
  for (const format::JournalCommittedOffset& offset : commit.offsets) {
    Json one = Json::object();
    put_topic(one, offset.topic_id);
    one["partition"] = offset.partition;
    one["offset"] = offset.offset < 0 ? Json(nullptr) : Json(offset.offset);
    put_bytes(one, "metadata", offset.metadata);
    positions.push_back(std::move(one));
  }
  row["positions"] = std::move(positions);
}

void JournalDump::put_decision(Json& row, const format::JournalDecision& decision) const {
  put_bytes(row, "transactional_id", decision.transactional_id);
  row["producer_id"] = decision.producer_id;
  row["producer_epoch"] = decision.producer_epoch;
  row["next_epoch"] = decision.next_epoch;
  row["time"] = decision.time_ms;
  Json partitions = Json::array();
  for (const format::DecidedPartition& at : decision.partitions) {
    Json one = Json::object();
    put_topic(one, at.topic_id);
    one["partition"] = at.partition;
    one["first_offset"] = at.first_offset;
    one["last_offset"] = at.last_offset;
    partitions.push_back(std::move(one));
  }
  row["partitions"] = std::move(partitions);
  Json groups = Json::array();
  for (const auto& commit : decision.offsets) {
    Json one = Json::object();
    put_offsets(one, commit);
    groups.push_back(std::move(one));
  }
  row["groups"] = std::move(groups);
  Json changes = Json::array();
  for (const format::DecidedState& change : decision.state) {
    Json one = Json::object();
    put_bytes(one, "state", change.name);
    put_bytes(one, "key", base::as_text(change.key));
    one["value_bytes"] = change.value ? Json(change.value->size()) : Json(nullptr);
    changes.push_back(std::move(one));
  }
  row["state"] = std::move(changes);
  if (decision.deaths.empty()) return;
  Json deaths = Json::array();
  for (const format::DecidedDeaths& dead : decision.deaths) {
    Json one = Json::object();
    put_bytes(one, "group", dead.group);
    put_topic(one, dead.topic_id);
    one["partition"] = dead.partition;
    Json runs = Json::array();
    for (const format::ShareOffsets& run : dead.runs)
      runs.push_back({{"first_offset", run.first}, {"last_offset", run.last}});
    one["runs"] = std::move(runs);
    deaths.push_back(std::move(one));
  }
  row["share_deaths"] = std::move(deaths);
}

const char* name_of(JournalFrameType type) {
  switch (type) {
    case JournalFrameType::batch:
      return "batch";
    case JournalFrameType::synced_range:
      return "synced_range";
    case JournalFrameType::committed_offsets:
      return "committed_offsets";
    case JournalFrameType::decision:
      return "decision";
    case JournalFrameType::decision_at_leader:
      return "decision_at_leader";
    case JournalFrameType::forgotten_group:
      return "forgotten_group";
    case JournalFrameType::share_progress:
      return "share_progress";
    case JournalFrameType::share_group:
      return "share_group";
  }
  return "unknown";
}

void JournalDump::print_frame(const JournalFrame& frame) {
  Json row = {{"lsn", frame.fields.lsn},
              {"position", position_},
              {"size", format::journal_frame_bytes(frame.payload.size())},
              {"type", name_of(frame.fields.type)},
              {"prior_is_durable", (frame.fields.flags & format::journal_flag_prior_is_durable) != 0}};
  if (const Result<> put = put_payload(row, frame); !put.ok()) {
    row["fault"] = put.error().message();
    outcome_ = ExitCode::damage;
  }
  writer_.row(row);
  const auto batch = format::parse_journal_batch(frame.payload);
  const bool is_batch = frame.fields.type == JournalFrameType::batch && batch.ok();
  if (!settings_.records || !is_batch) return;
  if (dump_batch(batch->batch, true, "| ", writer_) != ExitCode::ok) outcome_ = ExitCode::damage;
}

// Prints the bytes where frame lsn_ should be. Returns how far the next frame that can be read is, 0 if there
// is none.
std::size_t JournalDump::print_gap(base::ByteSpan rest, std::uint64_t key) {
  const auto proof = format::find_proof_of_damage(rest, key, lsn_);
  const auto later = format::find_later_frame(rest, key, lsn_);
  Json row = {{"position", position_}, {"lsn", lsn_}, {"bytes_left", rest.size()}};
  if (proof) {
    row["fault"] = "frame " + std::to_string(lsn_) +
                   " was stored and cannot be read: a frame written after it was synced is at position " +
                   std::to_string(position_ + *proof);
    outcome_ = ExitCode::damage;
  } else if (later) {
    row["end"] =
        "frame " + std::to_string(lsn_) +
        " is not whole: a write was torn here, and what follows of it counts for nothing; or, if the "
        "next file goes on, it is damaged";
  } else {
    const bool is_zero = std::all_of(rest.begin(), rest.end(), [](std::byte b) { return b == std::byte{0}; });
    row["end"] = is_zero ? "zeros: nothing was written behind" : "no frame of this life of the file";
  }
  if (!rest.empty()) writer_.row(row);
  return later.value_or(0);
}

Result<ExitCode> JournalDump::print(base::ByteSpan bytes) {
  const auto header = bytes.size() < format::journal_frames_at
                          ? Result<std::optional<JournalHeader>>(std::optional<JournalHeader>())
                          : format::load_journal_header(bytes.first(format::journal_frames_at), file_number_);
  if (!header.ok()) return header.error();
  if (!*header) {
    const bool is_zero =
        std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
    if (is_zero && bytes.size() >= format::journal_frames_at) {
      writer_.row({{"file_number", file_number_}, {"state", "spare: zeros, not begun"}});
      return ExitCode::ok;
    }
    writer_.row(
        {{"position", 0}, {"fault", "neither copy of the header can be read"}, {"bytes_left", bytes.size()}});
    return ExitCode::damage;
  }
  print_header(**header, bytes.size());
  const std::uint64_t key = format::journal_key(**header);
  lsn_ = (*header)->first_lsn;
  while (position_ < bytes.size() && !writer_.is_over()) {
    const base::ByteSpan rest = bytes.subspan(position_);
    const auto frame = format::parse_journal_frame(rest, key);
    if (frame && frame->fields.lsn == lsn_) {
      print_frame(*frame);
      position_ += std::min<std::uint64_t>(format::journal_frame_bytes(frame->payload.size()), rest.size());
      ++lsn_;
      continue;
    }
    const std::size_t ahead = print_gap(rest, key);
    if (ahead == 0) break;
    position_ += ahead;
    lsn_ = format::parse_journal_frame(bytes.subspan(position_), key)->fields.lsn;
  }
  return outcome_;
}

}  // namespace

Result<ExitCode> dump_journal(const std::filesystem::path& path, std::uint64_t file_number,
                              const DumpSettings& settings, DumpWriter& writer) {
  const Result<StoredFile> file = StoredFile::open(path);
  if (!file.ok()) return file.error();
  if (file->size() > journal::journal_file_bytes_max) {
    return Error(Errc::invalid_argument, path.string() + " has " + std::to_string(file->size()) +
                                             " bytes, which no journal file has; look what it is");
  }
  std::vector<std::byte> bytes;
  const Result<> read = file->read(0, static_cast<std::size_t>(file->size()), bytes);
  if (!read.ok()) return read.error();
  return JournalDump(file_number, settings, topics_beside(path), writer).print(bytes);
}

}  // namespace seriatim::cli
