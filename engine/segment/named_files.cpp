#include "segment/named_files.hpp"

#include <utility>

#include "base/boundary.hpp"
#include "format/file_name.hpp"
#include "os/path.hpp"

namespace seriatim::segment {
namespace {

Error index_out_of_order(const std::string& path, std::uint64_t entry) {
  return {
      Errc::corrupt_metadata,
      "the index " + path + " does not fit its log at entry " + std::to_string(entry) +
          ": one of the two is damaged. `seriatim verify` says which; if it is the index, nothing is lost: "
          "open the directory for writing, which rebuilds it from its log."};
}

}  // namespace

Error shorter_than_known(const std::string& path, std::uint64_t size, std::uint64_t end_position) {
  return {Errc::corrupt_record,
          path + " has " + std::to_string(size) + " bytes, but " + std::to_string(end_position) +
              " were known to be in it: it was cut from outside. Restore it from a copy, or "
              "reopen the engine to go on with what is left."};
}

NamedFiles::NamedFiles(const SegmentContext& context, const std::string& directory, Offset base_offset,
                       const std::optional<os::FileId>& log_id)
    : context_(context),
      base_offset_(base_offset),
      log_id_(log_id),
      directory_(directory),
      log_path_(os::join_path(directory, format::file_name(base_offset, format::FileKind::log))),
      offset_index_path_(
          os::join_path(directory, format::file_name(base_offset, format::FileKind::offset_index))),
      time_index_path_(
          os::join_path(directory, format::file_name(base_offset, format::FileKind::time_index))) {}

std::string NamedFiles::transaction_index_path() const {
  return os::join_path(directory_, format::file_name(base_offset_, format::FileKind::transaction_index));
}

Result<std::shared_ptr<os::File>> NamedFiles::log() const {
  auto file = context_.files.open(log_path_, os::OpenMode::read);
  if (!file) return file;
  if (auto meant = check_is_meant(**file); !meant) return std::move(meant).error();
  return file;
}

std::int64_t NamedFiles::modified_ms() const noexcept {
  const auto modified = base::answered([this]() -> Result<std::int64_t> {
    auto file = context_.files.open(log_path_, os::OpenMode::read);
    if (!file) return std::move(file).error();
    return (*file)->modified_ms();
  });
  return modified ? *modified : -1;
}

Result<SegmentPin> NamedFiles::map_sealed(std::uint64_t end_position) const {
  auto log = map_log(end_position);
  if (!log) return std::move(log).error();
  auto offsets = IndexFile::open_sealed(context_, offset_index_path_, OffsetIndex::entry_bytes);
  if (!offsets) return std::move(offsets).error();
  auto times = IndexFile::open_sealed(context_, time_index_path_, TimeIndex::entry_bytes);
  if (!times) return std::move(times).error();
  if (auto same = check_unexchanged(); !same) return std::move(same).error();
  auto maps = std::make_shared<SegmentMaps>(SegmentMaps{std::move(*log),
                                                        OffsetIndex(base_offset_, std::move(*offsets)),
                                                        TimeIndex(base_offset_, std::move(*times))});
  const std::uint64_t sane_offsets = maps->offset_index.sane_prefix(end_position);
  if (sane_offsets != maps->offset_index.count()) return index_out_of_order(offset_index_path_, sane_offsets);
  const std::uint64_t sane_times = maps->time_index.sane_prefix();
  if (sane_times != maps->time_index.count()) return index_out_of_order(time_index_path_, sane_times);
  return maps;
}

Result<os::Mapping> NamedFiles::map_log(std::uint64_t end_position) const {
  auto file = context_.files.open(log_path_, os::OpenMode::read);
  if (!file) return std::move(file).error();
  auto size = (*file)->size();
  if (auto meant = check_is_meant(**file); !meant) return std::move(meant).error();
  if (!size) return std::move(size).error();
  // Touching a page behind the end of the file would be SIGBUS.
  if (*size < end_position) return shorter_than_known(log_path_, *size, end_position);
  if (end_position == 0) return os::Mapping();
  return (*file)->map(end_position, os::Access::read);
}

Result<> NamedFiles::check_is_meant(os::File& log) const {
  if (!log_id_) return {};
  auto id = log.id();
  if (!id) return std::move(id).error();
  if (*id == *log_id_) return {};
  context_.files.forget(log_path_);
  return deleted_error();
}

// Whether the indexes that were just opened by their names are those of the log: its name is the first that
// an exchange takes away.
Result<> NamedFiles::check_unexchanged() const {
  if (!log_id_) return {};
  auto now = context_.vfs.open(log_path_, os::OpenMode::read);
  if (!now) return std::move(now).error();
  return check_is_meant(**now);
}

Result<> NamedFiles::sync_indexes() const {
  if (auto synced = sync_file(offset_index_path_); !synced) return synced;
  return sync_file(time_index_path_);
}

Result<> NamedFiles::sync_log() const { return sync_file(log_path_); }

Result<> NamedFiles::sync_file(const std::string& path) const {
  auto file = context_.files.open(path, os::OpenMode::read_write);
  if (!file) return std::move(file).error();
  return (*file)->sync_data();
}

Error NamedFiles::deleted_error() const {
  return {Errc::not_found, log_path_ +
                               " was deleted by retention, compaction or the deletion of its topic. Look "
                               "the offset up again."};
}

}  // namespace seriatim::segment
