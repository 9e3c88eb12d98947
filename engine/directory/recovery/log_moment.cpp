#include "directory/recovery/log_moment.hpp"

#include <charconv>
#include <string_view>

#include "base/bytes.hpp"
#include "base/xxh3.hpp"
#include "directory/files/format_file.hpp"
#include "os/path.hpp"

namespace seriatim::directory {
namespace {

constexpr std::string_view moment_title = "seriatim log moment 1\n";
constexpr std::string_view moment_name = "\nmoment ";
constexpr std::size_t moment_digits = 20;  // Of the highest 64-bit number.

std::string padded(std::uint64_t number) {
  const std::string digits = std::to_string(number);
  return std::string(moment_digits - digits.size(), '0') + digits;
}

// As long for every number: it is written over the one before, within a sector, and needs no new block.
std::string moment_text(const catalog::Id& directory_id, std::uint64_t moment) {
  std::string text(moment_title);
  text.append("directory ").append(id_text(directory_id));
  text.append(moment_name).append(padded(moment)).push_back('\n');
  return text.append("checksum ").append(padded(base::xxh3_64(base::as_bytes(text)))).append("\n");
}

std::string path_in(const std::string& log_directory) {
  return os::join_path(log_directory, log_moment_file_name);
}

}  // namespace

Result<std::uint64_t> read_log_moment(os::Vfs& vfs, const std::string& log_directory,
                                      const catalog::Id& directory_id) {
  auto file = vfs.open(path_in(log_directory), os::OpenMode::read);
  if (!file && file.error().code() == Errc::not_found) return std::uint64_t{0};
  if (!file) return std::move(file).error();
  // One byte more than is right, to see a longer file.
  std::string text(moment_text(directory_id, 0).size() + 1, '\0');
  const auto read = (*file)->read_at({reinterpret_cast<std::byte*>(text.data()), text.size()}, 0);
  if (!read) return read.error();
  text.resize(*read);
  const std::size_t name = text.find(moment_name);
  if (name == std::string::npos) return std::uint64_t{0};
  std::uint64_t moment = 0;
  const char* const digits = text.data() + name + moment_name.size();
  const auto parsed = std::from_chars(digits, text.data() + text.size(), moment);
  const bool is_right = parsed.ec == std::errc{} && text == moment_text(directory_id, moment);
  return is_right ? moment : 0;
}

Result<> write_log_moment(os::Vfs& vfs, const std::string& log_directory, const catalog::Id& directory_id,
                          std::uint64_t moment) {
  auto file = vfs.open(path_in(log_directory), os::OpenMode::open_or_create);
  if (!file) return std::move(file).error();
  return (*file)->write_at(base::as_bytes(moment_text(directory_id, moment)), 0);
}

Result<> sync_log_moment(os::Vfs& vfs, const std::string& log_directory) {
  auto file = vfs.open(path_in(log_directory), os::OpenMode::read);
  if (!file) return std::move(file).error();
  if (auto synced = (*file)->sync_data(); !synced) return synced;
  return vfs.sync_directory(log_directory);
}

}  // namespace seriatim::directory
