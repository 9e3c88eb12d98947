#include "directory/directory_birth.hpp"

#include <algorithm>

#include "catalog/catalog_birth.hpp"
#include "directory/files/format_file.hpp"
#include "directory/files/remove_tree.hpp"
#include "directory/recovery/journal_replay.hpp"
#include "directory/recovery/log_moment.hpp"
#include "os/descriptor.hpp"
#include "os/lock/dir_lock.hpp"
#include "os/path.hpp"
#include "os/process.hpp"

namespace seriatim::directory {
namespace {

constexpr std::string_view unborn_catalog_prefix = "catalog.new";

Error lost_format(const std::string& dir, const std::string& held) {
  return {Errc::corrupt_metadata, dir + " has no FORMAT file, but there is " + held +
                                      ". Nothing was changed: `seriatim repair` writes it again, or restore "
                                      "it from a copy of this directory, "
                                      "or choose another directory"};
}

}  // namespace

bool is_birth_leftover(std::string_view name) {
  return name == os::lock_file_name || name == log_directory_name || name == catalog_directory_name ||
         name == journal_directory_name ||
         name.substr(0, unborn_catalog_prefix.size()) == unborn_catalog_prefix ||
         name == std::string(format_file_name) + ".tmp";
}

// Without this check a `log` that is gone would read as topics without records.
Result<> check_layout(os::Vfs& vfs, const std::string& dir) {
  auto entries = vfs.list(os::join_path(dir, ""));
  if (!entries) return entries.error();
  for (const std::string_view name : {catalog_directory_name, log_directory_name}) {
    const auto found = std::find_if(entries->begin(), entries->end(),
                                    [&](const os::DirEntry& entry) { return entry.name == name; });
    if (found != entries->end() && found->kind == os::EntryKind::directory) continue;
    const std::string path = os::join_path(dir, name);
    if (found == entries->end()) {
      return Error(Errc::corrupt_metadata, path +
                                               " is missing: it was taken away. Put it back, or restore it "
                                               "from a copy of this directory");
    }
    return Error(Errc::io_error,
                 path +
                     " is no directory (a link, file or device took its place). Move it away, and put the "
                     "directory itself in its place");
  }
  return {};
}

Result<> give_birth(os::Vfs& vfs, const Birth& birth) {
  const std::string& dir = birth.directory;
  const std::string logs = os::join_path(dir, log_directory_name);
  // A birth puts nothing there before there is a FORMAT: what is there is somebody's data.
  for (const std::string& holder : {logs, os::join_path(dir, std::string(journal_directory_name))}) {
    auto held = vfs.list(holder);
    if (!held && held.error().code() != Errc::not_found) return held.error();
    if (!held || held->empty()) continue;
    const auto data = std::find_if(held->begin(), held->end(),
                                   [](const auto& entry) { return entry.name != log_moment_file_name; });
    return lost_format(dir, os::join_path(holder, (data == held->end() ? held->begin() : data)->name));
  }
  auto entries = vfs.list(os::join_path(dir, ""));
  if (!entries) return entries.error();
  for (const auto& entry : *entries) {
    const bool is_catalog =
        entry.name == catalog_directory_name || entry.name.starts_with(unborn_catalog_prefix);
    if (entry.kind == os::EntryKind::directory && (is_catalog || entry.name == log_directory_name)) {
      if (auto removed = remove_tree(vfs, os::join_path(dir, entry.name)); !removed) return removed;
    }
  }
  if (auto created = vfs.create_directory(logs); !created) return created;
  const std::string unborn =
      os::join_path(dir, std::string(unborn_catalog_prefix) + "." + std::to_string(os::process_id()));
  if (auto created = vfs.create_directory(unborn); !created) return created;
  const catalog::CatalogFiles seam{
      .rename = [&](const std::string& from, const std::string& to) { return vfs.rename(from, to); },
      .sync_directory = [&](const std::string& d) { return vfs.sync_directory(d); },
      .process_identity = [] { return os::fork_generation(); },
      .before_open = [] { os::occupy_standard_descriptors(); },
      .has_lock_file = birth.has_lock_file};
  const catalog::Id id = random_id();
  if (auto made = catalog::create_catalog(unborn, id, seam); !made) return made;
  if (auto published = catalog::publish_catalog(unborn, os::join_path(dir, catalog_directory_name), seam);
      !published)
    return published;
  // A birth that was killed may have made the directory and not have come to this. Where somebody else made
  // it, out of our reach, its name is his matter.
  auto named = vfs.sync_directory(os::parent_path(dir));
  if (!named && named.error().code() != Errc::permission_denied) return named;
  return write_format_file(vfs, dir, {.directory_id = id});
}

}  // namespace seriatim::directory
