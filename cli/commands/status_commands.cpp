// status: one screen about a data directory. du: where its bytes are.
#include <algorithm>
#include <chrono>
#include <map>
#include <memory>

#include <seriatim/inspect.hpp>

#include "command_tree.hpp"
#include "commands/topic_commands.hpp"
#include "context.hpp"
#include "disk_usage.hpp"
#include "text/quantity.hpp"
#include "topic_retention.hpp"

namespace seriatim::cli {
namespace {

struct Status {
  std::string directory{};
  std::optional<WriterInfo> writer{};
  std::optional<std::string> writer_problem{};  ///< Why it cannot be told who writes.
  FileSystemRoom file_system{};
  std::uint64_t disk_bytes = 0;
  std::uint64_t topics = 0;
  std::uint64_t partitions = 0;
  TopicTotals totals{};
  std::uint64_t groups = 0;
  std::uint64_t transactional_ids = 0;
  std::uint64_t open_transactions = 0;
  std::uint64_t hanging_transactions = 0;
  JournalStatus journal{};
  std::vector<BackgroundJob> jobs{};
  std::vector<std::string> damage{};
};

// A LOCK file that is none tells nothing of the data: looking at them goes on.
bool hides_only_the_writer(const Error& error) {
  return error.code() == Errc::corrupt_metadata || error.code() == Errc::io_error;
}

Result<> add_topics(const Engine& engine, Status& status) {
  const auto topics = engine.admin().list_topics();
  if (!topics.ok()) return topics.error();
  status.topics = topics->size();
  for (const std::string& name : *topics) {
    const Result<TopicDescription> topic = engine.admin().describe_topic(name);
    if (!topic.ok()) return topic.error();
    const TopicTotals totals = totals_of(*topic);
    status.partitions += topic->partitions.size();
    status.totals.records += totals.records;
    status.totals.bytes += totals.bytes;
    status.totals.segments += totals.segments;
    for (const PartitionDescription& partition : topic->partitions) {
      if (partition.damage)
        status.damage.push_back(name + "-" + std::to_string(partition.partition) + ": " + *partition.damage);
    }
  }
  return {};
}

Result<> add_transactions(const Engine& engine, Status& status) {
  const auto transactions = engine.admin().list_transactions();
  const auto hanging = engine.admin().find_hanging_transactions();
  if (!transactions.ok()) return transactions.error();
  if (!hanging.ok()) return hanging.error();
  status.transactional_ids = transactions->size();
  status.open_transactions = static_cast<std::uint64_t>(
      std::count_if(transactions->begin(), transactions->end(),
                    [](const auto& one) { return one.phase != TransactionState::empty; }));
  // A partition that cannot be opened may hold some: that it is damaged is told already.
  status.hanging_transactions = static_cast<std::uint64_t>(
      std::count_if(hanging->begin(), hanging->end(), [](const auto& one) { return !one.damage; }));
  return {};
}

Result<Status> look(const Context& context) {
  const Result<std::filesystem::path> directory = context.existing_directory();
  if (!directory.ok()) return directory.error();
  Status status{.directory = directory->string()};
  Result<std::optional<WriterInfo>> writer = writer_of(*directory);
  if (writer.ok()) {
    status.writer = std::move(*writer);
  } else if (hides_only_the_writer(writer.error())) {
    status.writer_problem = writer.error().message();
  } else {
    return writer.error();
  }
  const Result<FileSystemRoom> room = room_of(*directory);
  if (!room.ok()) return room.error();
  status.file_system = *room;
  const auto files = files_below(*directory);
  if (!files.ok()) return files.error();
  for (const FileUsage& file : *files) status.disk_bytes += file.allocated;
  // Before the engine is open: a process opens a catalog once.
  Result<JournalStatus> journal = journal_status(*directory);
  if (!journal.ok()) return journal.error();
  status.journal = std::move(*journal);
  if (!status.journal.damage.empty()) status.damage.push_back("journal: " + status.journal.damage);
  Result<std::vector<BackgroundJob>> jobs = background_jobs(*directory);
  if (!jobs.ok()) return jobs.error();
  status.jobs = std::move(*jobs);
  const Result<Engine> engine = context.open(OpenMode::read_only);
  if (!engine.ok()) return engine.error();
  const Result<> added = add_topics(*engine, status);
  if (!added.ok()) return added.error();
  const auto groups = engine->admin().list_groups();
  if (!groups.ok()) return groups.error();
  status.groups = groups->size();
  const Result<> counted = add_transactions(*engine, status);
  if (!counted.ok()) return counted.error();
  return status;
}

Json to_json(const JournalStatus& journal) {
  return {
      {"live", journal.is_live},
      {"files", journal.files},
      {"bytes_in_use", journal.bytes_in_use},
      {"spare_files", journal.spare_files},
      {"durable_lsn", journal.durable_lsn},
      {"checkpoint_lsn", journal.covered_lsn},
      {"checkpoint_time",
       journal.checkpoint_time ? Json(journal.checkpoint_time->time_since_epoch().count()) : Json(nullptr)},
      {"oldest_wait_us", journal.oldest_wait ? Json(journal.oldest_wait->count()) : Json(nullptr)}};
}

std::string to_text(const JournalStatus& journal) {
  const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  std::string text = "journal " + readable_size(static_cast<double>(journal.bytes_in_use)) + " in use, " +
                     count_of(journal.files, "file") + ", " + std::to_string(journal.spare_files) +
                     " spare   durable LSN " + std::to_string(journal.durable_lsn) + "   checkpoint LSN " +
                     std::to_string(journal.covered_lsn);
  if (journal.checkpoint_time) {
    const auto age = std::max(now - *journal.checkpoint_time, std::chrono::milliseconds(0));
    text += ", " + readable_duration(age) + " ago";
  }
  if (!journal.is_live) return text + "\n";
  return text + "   oldest commit under way: " +
         (journal.oldest_wait ? readable_duration(*journal.oldest_wait) : std::string("none")) + "\n";
}

Json to_json(const BackgroundJob& job) {
  const auto ms_of = [](const std::optional<Timestamp>& time) {
    return time ? Json(time->time_since_epoch().count()) : Json(nullptr);
  };
  return {{"name", job.name},
          {"period_ms", job.period.count()},
          {"runs", job.runs},
          {"failures", job.failures},
          {"running", job.is_running},
          {"last_begin", ms_of(job.last_begin)},
          {"last_end", ms_of(job.last_end)},
          {"failure", job.failure.empty() ? Json(nullptr) : Json(job.failure)}};
}

// One line for all that went well, and one for each that did not.
std::string to_text(const std::vector<BackgroundJob>& jobs) {
  if (jobs.empty()) return {};
  const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const auto ago = [now](Timestamp time) {
    return readable_duration(std::max(now - time, std::chrono::milliseconds(0)));
  };
  std::string text = "background";
  std::string failed;
  for (const BackgroundJob& job : jobs) {
    text += (&job == &jobs.front() ? " " : ", ") + job.name + " ";
    if (job.is_running && job.last_begin) {
      text += "running for " + ago(*job.last_begin);
    } else {
      text += job.last_end ? ago(*job.last_end) + " ago" : std::string("never");
    }
    if (!job.failure.empty()) failed += "  " + job.name + " FAILED: " + job.failure + "\n";
  }
  return text + "\n" + failed;
}

Json to_json(const Status& status) {
  Json writer = nullptr;
  if (status.writer)
    writer = {
        {"pid", status.writer->pid}, {"program", status.writer->program}, {"since", status.writer->since}};
  Json jobs = Json::array();
  for (const BackgroundJob& job : status.jobs) jobs.push_back(to_json(job));
  return {{"directory", status.directory},
          {"writer", writer},
          {"writer_problem", status.writer_problem ? Json(*status.writer_problem) : Json(nullptr)},
          {"file_system", status.file_system.type},
          {"free_bytes", status.file_system.free_bytes},
          {"disk_bytes", status.disk_bytes},
          {"topics", status.topics},
          {"partitions", status.partitions},
          {"segments", status.totals.segments},
          {"records", status.totals.records},
          {"log_bytes", status.totals.bytes},
          {"groups", status.groups},
          {"transactions",
           {{"ids", status.transactional_ids},
            {"open", status.open_transactions},
            {"hanging", status.hanging_transactions}}},
          {"journal", to_json(status.journal)},
          {"background", jobs},
          {"damage", status.damage}};
}

std::string to_text(const Status& status) {
  std::string text = status.directory + "   writer: ";
  text += status.writer ? status.writer->program + " (pid " + std::to_string(status.writer->pid) +
                              ", since " + status.writer->since + ")"
          : status.writer_problem ? "unknown"
                                  : "none";
  text += "   fs: " + status.file_system.type + ", " +
          readable_size(static_cast<double>(status.file_system.free_bytes)) + " free\n";
  text += "topics " + std::to_string(status.topics) + "   partitions " + std::to_string(status.partitions) +
          "   segments " + std::to_string(status.totals.segments) + "   records " +
          std::to_string(status.totals.records) + "   log " +
          readable_size(static_cast<double>(status.totals.bytes)) + "   disk " +
          readable_size(static_cast<double>(status.disk_bytes)) + "\n";
  text += "groups " + std::to_string(status.groups) + "   transactional ids " +
          std::to_string(status.transactional_ids) + ", open " + std::to_string(status.open_transactions) +
          ", hanging " + std::to_string(status.hanging_transactions) + "\n" + to_text(status.journal) +
          to_text(status.jobs);
  if (status.hanging_transactions > 0)
    text += "readers wait for transactions that nobody ends: seriatim txn find-hanging\n";
  if (status.writer_problem) text += "lock UNREADABLE: " + *status.writer_problem + "\n";
  if (status.damage.empty())
    return text + "health OK: nothing that opening would notice; seriatim verify reads every byte\n";
  text += "health DAMAGED:\n";
  for (const std::string& damage : status.damage) text += "  " + damage + "\n";
  return text + "Next: seriatim -d " + status.directory + " verify\n";
}

Result<ExitCode> status(Context& context) {
  const Result<Status> status = look(context);
  if (!status.ok()) return status.error();
  if (context.format() == OutputFormat::json || context.format() == OutputFormat::jsonl) {
    print_json(context.out, context.format(), to_json(*status));
  } else {
    context.out.write(to_text(*status));
  }
  return status->damage.empty() ? ExitCode::ok : ExitCode::damage;
}

struct UsageArguments {
  std::string by = "partition";
};

// "log/orders-3/000...042.log" belongs to partition orders-3; what is not below log/ belongs to its own
// folder.
std::string group_of(const std::string& path, const std::string& by) {
  if (by == "file") return path;
  const std::size_t first = path.find('/');
  const std::string folder = path.substr(0, first);
  if (folder != "log" || first == std::string::npos) return folder;
  const std::string partition = path.substr(first + 1, path.find('/', first + 1) - first - 1);
  return by == "topic" ? partition.substr(0, partition.rfind('-')) : partition;
}

// By the names of the rows; nothing: no topic lets groups keep records, or it is not known.
using HeldBackRows = std::optional<std::map<std::string, HeldBack>>;

// Beside the walk of the files, which needs no catalog: where that is damaged, the rest is told all the same.
HeldBackRows held_back_rows(const Context& context, const std::string& by) {
  if (by == "file") return std::nullopt;
  const Result<Engine> engine = context.open(OpenMode::read_only);
  const auto partitions =
      engine.ok() ? held_back_by_groups(*engine) : Result<std::map<TopicPartition, HeldBack>>(engine.error());
  if (!partitions.ok()) {
    context.note("what groups keep from being deleted is not known: " + partitions.error().message());
    return std::nullopt;
  }
  if (partitions->empty()) return std::nullopt;
  std::map<std::string, HeldBack> rows;
  for (const auto& [at, held] : *partitions)
    rows[by == "topic" ? at.topic : at.topic + "-" + std::to_string(at.partition)].add(held);
  return rows;
}

void add_held_back(std::vector<Json>& cells, const std::map<std::string, HeldBack>& rows,
                   const std::string& name) {
  const auto found = rows.find(name);
  std::string groups;
  if (found != rows.end()) {
    for (const std::string& group : found->second.groups) groups += (groups.empty() ? "" : ",") + group;
  }
  cells.push_back(found == rows.end() ? Json(nullptr) : Json(found->second.bytes));
  cells.push_back(groups.empty() ? Json(nullptr) : Json(groups));
}

Result<ExitCode> du(Context& context, const UsageArguments& arguments) {
  const Result<std::filesystem::path> directory = context.existing_directory();
  if (!directory.ok()) return directory.error();
  const Result<std::optional<WriterInfo>> is_ours = writer_of(*directory);
  if (!is_ours.ok() && !hides_only_the_writer(is_ours.error())) return is_ours.error();
  const auto files = files_below(*directory);
  if (!files.ok()) return files.error();
  struct Sum {
    std::uint64_t files = 0;
    std::uint64_t log = 0;
    std::uint64_t other = 0;
    std::uint64_t allocated = 0;
  };
  std::map<std::string, Sum> sums;
  for (const FileUsage& file : *files) {
    Sum& sum = sums[group_of(file.path, arguments.by)];
    ++sum.files;
    (file.path.ends_with(".log") ? sum.log : sum.other) += file.size;
    sum.allocated += file.allocated;
  }
  const HeldBackRows held_back = held_back_rows(context, arguments.by);
  std::vector<Column> columns{{arguments.by},
                              {"files", ColumnKind::number},
                              {"log_bytes", ColumnKind::bytes},
                              {"other_bytes", ColumnKind::bytes},
                              {"disk_bytes", ColumnKind::bytes}};
  if (held_back) {
    columns.push_back({"held_back_bytes", ColumnKind::bytes});
    columns.push_back({"held_back_by"});
  }
  Table table(std::move(columns));
  for (const auto& [name, sum] : sums) {
    std::vector<Json> cells{name, sum.files, sum.log, sum.other, sum.allocated};
    if (held_back) add_held_back(cells, *held_back, name);
    table.add(std::move(cells));
  }
  table.print(context.out, context.format());
  return ExitCode::ok;
}

}  // namespace

Command status_command() {
  return {
      .name = "status",
      .summary = "Shows who writes, what is stored and whether it is well; exit status 4 if damage is known",
      .examples = {"seriatim -d data status", "seriatim -d data status -j"},
      .run = status};
}

Command du_command() {
  auto arguments = std::make_shared<UsageArguments>();
  return {.name = "du",
          .summary = "Shows where the bytes on the disk are",
          .options = {{.names = "--by",
                       .help = "One row for each",
                       .target = &arguments->by,
                       .choices = {"topic", "partition", "file"}}},
          .examples = {"seriatim -d data du --by topic"},
          .run = [arguments](Context& context) { return du(context, *arguments); }};
}

}  // namespace seriatim::cli
