#include "dump/dump_files.hpp"

#include <functional>
#include <vector>

#include "format/file_name.hpp"
#include "format/index_entry.hpp"
#include "format/producer_snapshot.hpp"
#include "format/producer_window.hpp"
#include "format/transaction_seal.hpp"
#include "journal/journal_reader.hpp"

#include "dump/dump_journal.hpp"
#include "dump/dump_log.hpp"
#include "dump/stored_file.hpp"

namespace seriatim::cli {
namespace {

// The largest index file Kafka makes is 2 GiB; entries are read in pieces of whole entries.
constexpr std::size_t entries_at_once = 4'096;

// Calls `print` for each entry of `entry_bytes` until it returns false or the file ends.
Result<> for_each_entry(const StoredFile& file, std::size_t entry_bytes,
                        const std::function<bool(const std::byte*)>& print) {
  std::vector<std::byte> piece;
  for (std::uint64_t position = 0; position < file.size(); position += entry_bytes * entries_at_once) {
    const Result<> read = file.read(position, entry_bytes * entries_at_once, piece);
    if (!read.ok()) return read;
    for (std::size_t at = 0; at + entry_bytes <= piece.size(); at += entry_bytes) {
      if (!print(piece.data() + at)) return {};
    }
  }
  return {};
}

// Prints the seal that proves the entries of a transaction index, where it has one.
Result<> dump_transaction_seal(const StoredFile& file, Offset base, DumpWriter& writer) {
  std::vector<std::byte> bytes;
  if (const Result<> read = file.read(0, static_cast<std::size_t>(file.size()), bytes); !read.ok())
    return read;
  const auto seal = format::load_transaction_seal(bytes, base);
  if (seal) {
    writer.row({{"sealed_log_bytes", static_cast<std::int64_t>(seal->log_bytes)},
                {"end_offset", seal->end_offset},
                {"first_open_offset", seal->first_open_offset}});
  }
  return {};
}

// An active index is extended ahead with zeros, and only its first entry may be all zero.
Result<ExitCode> dump_offset_index(const StoredFile& file, Offset base, DumpWriter& writer) {
  bool is_first = true;
  const Result<> read = for_each_entry(file, format::offset_index_entry_bytes, [&](const std::byte* at) {
    const format::OffsetIndexEntry entry = format::load_offset_index_entry(at);
    if (!is_first && entry == format::OffsetIndexEntry{}) return false;
    is_first = false;
    writer.row({{"offset", base + entry.relative_offset}, {"position", entry.position}});
    return true;
  });
  if (!read.ok()) return read.error();
  return ExitCode::ok;
}

Result<ExitCode> dump_time_index(const StoredFile& file, Offset base, DumpWriter& writer) {
  const Result<> read = for_each_entry(file, format::time_index_entry_bytes, [&](const std::byte* at) {
    const format::TimeIndexEntry entry = format::load_time_index_entry(at);
    if (entry == format::TimeIndexEntry{}) return false;
    writer.row({{"timestamp", entry.timestamp_ms}, {"offset", base + entry.relative_offset}});
    return true;
  });
  if (!read.ok()) return read.error();
  return ExitCode::ok;
}

Result<ExitCode> dump_transaction_index(const StoredFile& file, Offset base, DumpWriter& writer) {
  bool is_valid = true;
  const Result<> read = for_each_entry(file, format::aborted_transaction_bytes, [&](const std::byte* at) {
    format::AbortedTransaction entry;
    is_valid = format::load_aborted_transaction(at, entry);
    if (!is_valid) return false;
    writer.row({{"producer_id", entry.producer_id},
                {"first_offset", entry.first_offset},
                {"last_offset", entry.last_offset},
                {"last_stable_offset", entry.last_stable_offset}});
    return true;
  });
  if (!read.ok()) return read.error();
  if (!is_valid) {
    writer.row(
        {{"fault", "an entry's version or offsets make no sense; `seriatim repair` makes the file again"}});
    return ExitCode::repairable;
  }
  if (const Result<> sealed = dump_transaction_seal(file, base, writer); !sealed.ok()) return sealed.error();
  return ExitCode::ok;
}

Result<ExitCode> dump_snapshot(const StoredFile& file, DumpWriter& writer) {
  std::vector<std::byte> bytes;
  const Result<> read = file.read(0, static_cast<std::size_t>(file.size()), bytes);
  if (!read.ok()) return read.error();
  const auto entries = format::parse_producer_snapshot(bytes);
  if (!entries.ok()) {
    writer.row({{"fault", entries.error().message()}});
    return ExitCode::repairable;
  }
  for (const format::ProducerSnapshotEntry& entry : *entries) {
    writer.row({{"producer_id", entry.producer_id},
                {"producer_epoch", entry.producer_epoch},
                {"last_sequence", entry.last_sequence},
                {"last_offset", entry.last_offset},
                {"offset_delta", entry.offset_delta},
                {"timestamp", entry.timestamp_ms},
                {"coordinator_epoch", entry.coordinator_epoch},
                {"open_transaction_first_offset", entry.open_transaction_first_offset}});
  }
  return ExitCode::ok;
}

Result<ExitCode> dump_producers(const StoredFile& file, DumpWriter& writer) {
  std::vector<std::byte> bytes;
  const Result<> read = file.read(0, static_cast<std::size_t>(file.size()), bytes);
  if (!read.ok()) return read.error();
  const auto entries = format::parse_producer_window(bytes);
  if (!entries.ok()) {
    writer.row({{"fault", entries.error().message()}});
    return ExitCode::repairable;
  }
  for (const format::ProducerWindowEntry& entry : *entries) {
    writer.row({{"producer_id", entry.producer_id},
                {"producer_epoch", entry.producer_epoch},
                {"first_sequence", entry.batch.first_sequence},
                {"last_sequence", entry.batch.last_sequence},
                {"base_offset", entry.batch.base_offset},
                {"last_offset", entry.batch.last_offset},
                {"timestamp", entry.batch.timestamp_ms}});
  }
  return ExitCode::ok;
}

}  // namespace

Result<ExitCode> dump_file(const std::filesystem::path& path, const DumpSettings& settings,
                           DumpWriter& writer) {
  if (const auto number = journal::parse_journal_file_name(path.filename().string()))
    return dump_journal(path, *number, settings, writer);
  const auto name = format::parse_file_name(path.filename().string());
  if (!name) {
    return Error(Errc::invalid_argument,
                 path.string() +
                     " is not named like a file of a partition or of the journal. Files end in .log, .index, "
                     ".timeindex, .txnindex, .snapshot, .producers or .journal after 20 digits");
  }
  const Result<StoredFile> file = StoredFile::open(path);
  if (!file.ok()) return file.error();
  switch (name->kind) {
    case format::FileKind::log:
      return dump_log(*file, name->offset, settings.records, writer);
    case format::FileKind::offset_index:
      return dump_offset_index(*file, name->offset, writer);
    case format::FileKind::time_index:
      return dump_time_index(*file, name->offset, writer);
    case format::FileKind::transaction_index:
      return dump_transaction_index(*file, name->offset, writer);
    case format::FileKind::snapshot:
      return dump_snapshot(*file, writer);
    case format::FileKind::producers:
      break;
  }
  return dump_producers(*file, writer);
}

}  // namespace seriatim::cli
