#include "segment/segment_store.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <optional>
#include <string_view>

#include "format/batch_header.hpp"
#include "format/file_name.hpp"
#include "os/path.hpp"
#include "segment/scan/batch_stream.hpp"

namespace seriatim::segment {
namespace {

using format::FileKind;
using format::FileName;
using format::FileState;

// The suffix of the file that os::replace_small_file leaves when it dies before its rename.
constexpr std::string_view unfinished_suffix = ".tmp";

constexpr std::array segment_kinds{FileKind::log, FileKind::offset_index, FileKind::time_index,
                                   FileKind::transaction_index};

bool is_of_segment(FileKind kind) noexcept {
  return std::find(segment_kinds.begin(), segment_kinds.end(), kind) != segment_kinds.end();
}

struct NamedFile {
  std::string name{};
  FileName parsed{};
};

bool is_unfinished(std::string_view name) {
  return name.ends_with(unfinished_suffix) &&
         format::parse_file_name(name.substr(0, name.size() - unfinished_suffix.size()));
}

Error not_a_file(const std::string& directory, const std::string& name) {
  return {Errc::io_error,
          os::join_path(directory, name) +
              " has the name of a log file but is no regular file. Look what it is and move it away."};
}

Result<SegmentFileInfo> describe_log(os::Vfs& vfs, const std::string& path, Offset base_offset) {
  auto file = vfs.open(path, os::OpenMode::read);
  if (!file) return std::move(file).error();
  auto size = (*file)->size();
  if (!size) return std::move(size).error();
  auto id = (*file)->id();
  if (!id) return std::move(id).error();
  std::array<std::byte, format::header_bytes> header{};
  if (auto read = (*file)->read_at(header, 0); !read) return std::move(read).error();
  return SegmentFileInfo{.base_offset = base_offset,
                         .log_bytes = *size,
                         .log_id = *id,
                         .first_batch_crc = format::read_batch_header(header.data()).crc};
}

// A crash or an earlier call may have done it already.
Result<> remove_if_there(const SegmentContext& context, const std::string& path) {
  context.files.forget(path);
  auto removed = context.vfs.remove(path);
  if (!removed && removed.error().code() == Errc::not_found) return {};
  return removed;
}

Result<> rename_if_there(const SegmentContext& context, const std::string& from, const std::string& to) {
  context.files.forget(from);
  context.files.forget(to);
  auto renamed = context.vfs.rename(from, to);
  if (!renamed && renamed.error().code() == Errc::not_found) return {};
  return renamed;
}

std::string aside_path(const std::string& directory, Offset base_offset, FileKind kind) {
  return os::join_path(directory, format::file_name(base_offset, kind, FileState::deleted));
}

Result<> remove_all(const SegmentContext& context, const std::string& directory,
                    const std::vector<std::string>& names) {
  if (names.empty()) return {};
  for (const std::string& name : names) {
    if (auto removed = remove_if_there(context, os::join_path(directory, name)); !removed) return removed;
  }
  return context.vfs.sync_directory(directory);
}

Result<std::vector<NamedFile>> list_named_files(os::Vfs& vfs, const std::string& directory) {
  auto entries = vfs.list(directory);
  if (!entries) return std::move(entries).error();
  std::vector<NamedFile> files;
  for (const os::DirEntry& entry : *entries) {
    const auto parsed = format::parse_file_name(entry.name);
    if (!parsed) continue;
    if (entry.kind != os::EntryKind::file) return not_a_file(directory, entry.name);
    files.push_back({entry.name, *parsed});
  }
  return files;
}

template <class Predicate>
std::vector<std::string> names_where(const std::vector<NamedFile>& files, Predicate holds) {
  std::vector<std::string> names;
  for (const NamedFile& file : files) {
    if (holds(file.parsed)) names.push_back(file.name);
  }
  return names;
}

// The offset after the last batch of a finished compaction output.
Result<Offset> next_offset_of(const SegmentContext& context, const std::string& path, Offset base_offset) {
  auto file = context.vfs.open(path, os::OpenMode::read);
  if (!file) return std::move(file).error();
  BatchStream stream(**file, 0, std::numeric_limits<std::uint64_t>::max(), base_offset);
  for (;;) {
    auto item = stream.next();
    if (!item) return std::move(item).error();
    if (item->at_end) return stream.expected_offset();
    if (item->fault != format::BatchFault::none) {
      return Error(Errc::corrupt_record, path + " at position " + std::to_string(item->position) + ": " +
                                             std::string(format::describe(item->fault)) +
                                             ". It is the output of a compaction that was about to replace "
                                             "its sources, which are left as they "
                                             "are. Move this file away to go on with them.");
    }
  }
}

// Makes the complete outputs of a compaction the live segments: what they cover goes first, so that at no
// moment two live segments hold the same offsets.
Result<> finish_swap(const SegmentContext& context, const std::string& directory) {
  auto files = list_named_files(context.vfs, directory);
  if (!files) return std::move(files).error();
  Offset covered_from = std::numeric_limits<Offset>::max();
  Offset covered_to = std::numeric_limits<Offset>::min();
  std::vector<FileName> outputs;
  for (const NamedFile& file : *files) {
    if (file.parsed.state != FileState::swap) continue;
    outputs.push_back(file.parsed);
    if (file.parsed.kind != FileKind::log) continue;
    auto next = next_offset_of(context, os::join_path(directory, file.name), file.parsed.offset);
    if (!next) return std::move(next).error();
    covered_from = std::min(covered_from, file.parsed.offset);
    covered_to = std::max(covered_to, *next);
  }
  if (outputs.empty()) return {};
  const auto is_covered = [&](const FileName& name) {
    return name.state == FileState::live && is_of_segment(name.kind) && name.offset >= covered_from &&
           name.offset < covered_to;
  };
  if (auto removed = remove_all(context, directory, names_where(*files, is_covered)); !removed)
    return removed;
  // Logs first: as long as one has its `.swap` name, what it covers is taken away again, its own index too.
  std::stable_sort(outputs.begin(), outputs.end(),
                   [](const FileName& a, const FileName& b) { return a.kind < b.kind; });
  for (const FileName& output : outputs) {
    const auto from =
        os::join_path(directory, format::file_name(output.offset, output.kind, FileState::swap));
    const auto to = os::join_path(directory, format::file_name(output.offset, output.kind));
    context.files.forget(from);
    context.files.forget(to);
    if (auto renamed = context.vfs.rename(from, to); !renamed) return renamed;
  }
  return context.vfs.sync_directory(directory);
}

}  // namespace

Result<DirectoryListing> list_segments(os::Vfs& vfs, const std::string& directory) {
  auto entries = vfs.list(directory);
  if (!entries) return std::move(entries).error();
  DirectoryListing listing;
  std::map<Offset, SegmentFileInfo> segments;
  std::vector<NamedFile> indexes;
  std::vector<NamedFile> windows;
  for (const os::DirEntry& entry : *entries) {
    const auto parsed = format::parse_file_name(entry.name);
    if (!parsed) {
      (is_unfinished(entry.name) ? listing.interrupted : listing.unknown).push_back(entry.name);
      continue;
    }
    if (entry.kind != os::EntryKind::file) return not_a_file(directory, entry.name);
    if (parsed->state != FileState::live) {
      listing.interrupted.push_back(entry.name);
    } else if (parsed->kind == FileKind::snapshot) {
      listing.snapshots.push_back(parsed->offset);
    } else if (parsed->kind == FileKind::producers) {
      windows.push_back({entry.name, *parsed});
    } else if (parsed->kind == FileKind::log) {
      auto described = describe_log(vfs, os::join_path(directory, entry.name), parsed->offset);
      if (!described) return std::move(described).error();
      segments[parsed->offset] = *described;
    } else {
      indexes.push_back({entry.name, *parsed});
    }
  }
  for (const NamedFile& index : indexes) {
    const auto segment = segments.find(index.parsed.offset);
    if (segment == segments.end()) {
      listing.orphans.push_back(index.name);
    } else if (index.parsed.kind == FileKind::offset_index) {
      segment->second.has_offset_index = true;
    } else if (index.parsed.kind == FileKind::time_index) {
      segment->second.has_time_index = true;
    }
  }
  for (const auto& [base_offset, info] : segments) listing.segments.push_back(info);
  std::sort(listing.snapshots.begin(), listing.snapshots.end());
  for (const NamedFile& window : windows) {
    if (!std::binary_search(listing.snapshots.begin(), listing.snapshots.end(), window.parsed.offset))
      listing.orphans.push_back(window.name);
  }
  return listing;
}

Result<> finish_interrupted_work(const SegmentContext& context, const std::string& directory) {
  auto entries = context.vfs.list(directory);
  if (!entries) return std::move(entries).error();
  std::vector<std::string> unfinished;
  for (const os::DirEntry& entry : *entries) {
    if (entry.kind == os::EntryKind::file && is_unfinished(entry.name)) unfinished.push_back(entry.name);
  }
  auto files = list_named_files(context.vfs, directory);
  if (!files) return std::move(files).error();
  const auto is_live = [](const NamedFile& file) { return file.parsed.state == FileState::live; };
  if (unfinished.empty() && std::all_of(files->begin(), files->end(), is_live)) return {};
  // The process that was killed may not have synced these names. Sources go because of what the names of the
  // outputs say: a power cut must not take those back and keep that.
  if (auto synced = context.vfs.sync_directory(directory); !synced) return synced;
  Offset lowest_cleaned = std::numeric_limits<Offset>::max();
  for (const NamedFile& file : *files) {
    if (file.parsed.state == FileState::cleaned)
      lowest_cleaned = std::min(lowest_cleaned, file.parsed.offset);
  }
  // Outputs are renamed to `.swap` from the highest base down, so those at or above a `.cleaned` are not all
  // there. They go before the `.cleaned` that says so: without it they would pass for complete.
  const auto is_incomplete_swap = [lowest_cleaned](const FileName& name) {
    return name.state == FileState::swap && name.offset >= lowest_cleaned;
  };
  if (auto removed = remove_all(context, directory, names_where(*files, is_incomplete_swap)); !removed)
    return removed;
  const auto is_leftover = [](const FileName& name) {
    return name.state == FileState::cleaned || name.state == FileState::deleted;
  };
  std::vector<std::string> leftovers = names_where(*files, is_leftover);
  leftovers.insert(leftovers.end(), unfinished.begin(), unfinished.end());
  if (auto removed = remove_all(context, directory, leftovers); !removed) return removed;
  return finish_swap(context, directory);
}

Result<> put_segment_files_aside(const SegmentContext& context, const std::string& directory,
                                 Offset base_offset) {
  for (const FileKind kind : segment_kinds) {
    auto renamed = rename_if_there(context, os::join_path(directory, format::file_name(base_offset, kind)),
                                   aside_path(directory, base_offset, kind));
    if (!renamed) return renamed;
  }
  return {};
}

// The log last, as it went first: an index without its log is removed, a log without its index gets another.
Result<> bring_segment_files_back(const SegmentContext& context, const std::string& directory,
                                  Offset base_offset) {
  for (auto kind = segment_kinds.rbegin(); kind != segment_kinds.rend(); ++kind) {
    auto renamed = rename_if_there(context, aside_path(directory, base_offset, *kind),
                                   os::join_path(directory, format::file_name(base_offset, *kind)));
    if (!renamed) return renamed;
  }
  return {};
}

Result<> remove_files_put_aside(const SegmentContext& context, const std::string& directory,
                                Offset base_offset) {
  for (const FileKind kind : segment_kinds) {
    auto removed = remove_if_there(context, aside_path(directory, base_offset, kind));
    if (!removed) return removed;
  }
  return {};
}

Result<> delete_segment_files(const SegmentContext& context, const std::string& directory,
                              Offset base_offset) {
  const auto path_of = [&](FileKind kind) {
    return os::join_path(directory, format::file_name(base_offset, kind));
  };
  auto renamed =
      rename_if_there(context, path_of(FileKind::log), aside_path(directory, base_offset, FileKind::log));
  if (!renamed) return renamed;
  // A power cut may keep one change of a directory and lose an earlier one, and a log that came back without
  // its `.txnindex` would show what was aborted.
  if (auto synced = context.vfs.sync_directory(directory); !synced) return synced;
  for (const FileKind kind : segment_kinds) {
    if (kind == FileKind::log) continue;
    if (auto removed = remove_if_there(context, path_of(kind)); !removed) return removed;
  }
  return remove_files_put_aside(context, directory, base_offset);
}

namespace {

// For what is set aside: nothing is written over.
Result<std::string> free_name(os::Vfs& vfs, const std::string& path) {
  std::string to = path + ".damaged";
  for (int number = 1;; ++number) {
    auto exists = vfs.exists(to);
    if (!exists) return std::move(exists).error();
    if (!*exists) return to;
    to = path + ".damaged." + std::to_string(number);
  }
}

}  // namespace

Result<std::string> copy_tail_aside(const SegmentContext& context, const std::string& path,
                                    std::uint64_t position) {
  constexpr std::size_t piece_bytes = std::size_t{1} << 20;  // Arbitrary.
  auto from = context.files.open(path, os::OpenMode::read);
  if (!from) return std::move(from).error();
  auto to = free_name(context.vfs, path);
  if (!to) return to;
  std::unique_ptr<os::File> copy;
  std::vector<std::byte> piece(piece_bytes);
  for (std::uint64_t at = position;; at += piece_bytes) {
    auto read = (*from)->read_at(piece, at);
    if (!read) return std::move(read).error();
    const auto bytes = base::ByteSpan(piece).first(*read);
    const auto last =
        std::find_if(bytes.rbegin(), bytes.rend(), [](std::byte byte) { return byte != std::byte{0}; });
    const auto content = bytes.first(static_cast<std::size_t>(bytes.rend() - last));
    if (!content.empty() && !copy) {
      auto created = context.vfs.open(*to, os::OpenMode::create_new);
      if (!created) return std::move(created).error();
      copy = *std::move(created);
    }
    if (!content.empty()) {
      if (auto written = copy->write_at(content, at - position); !written) return std::move(written).error();
    }
    if (*read < piece_bytes) break;
  }
  if (!copy) return std::string();
  if (auto synced = copy->sync_all(); !synced) return std::move(synced).error();
  if (auto synced = context.vfs.sync_directory(os::parent_path(path)); !synced)
    return std::move(synced).error();
  return to;
}

Result<std::string> move_aside(os::Vfs& vfs, const std::string& path) {
  auto to = free_name(vfs, path);
  if (!to) return to;
  if (auto moved = vfs.rename(path, *to); !moved) return std::move(moved).error();
  if (auto synced = vfs.sync_directory(os::parent_path(path)); !synced) return std::move(synced).error();
  return to;
}

}  // namespace seriatim::segment
