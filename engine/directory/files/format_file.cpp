#include "directory/files/format_file.hpp"

#include <charconv>
#include <cstdint>
#include <random>
#include <string_view>

#include "base/bytes.hpp"
#include "base/xxh3.hpp"
#include "os/file/small_file.hpp"
#include "os/path.hpp"

namespace seriatim::directory {
namespace {

constexpr std::string_view magic_line = "seriatim data directory\n";
constexpr std::size_t format_bytes_max = 4096;  // Ours is 130; room for a later version's.

std::string hex64(std::uint64_t value) {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string text(16, '0');
  for (std::size_t i = 0; i < 16; ++i) text[15 - i] = digits[(value >> (4 * i)) & 0xf];
  return text;
}

// Value of the line `key value` that must come next in `rest`, which moves behind it.
bool take_line(std::string_view& rest, std::string_view key, std::string_view& value) {
  const std::size_t end = rest.find('\n');
  if (end == std::string_view::npos) return false;
  const std::string_view line = rest.substr(0, end);
  if (line.size() <= key.size() || line.substr(0, key.size()) != key || line[key.size()] != ' ') return false;
  value = line.substr(key.size() + 1);
  rest.remove_prefix(end + 1);
  return true;
}

template <class T>
bool parse_number(std::string_view text, T& out, int base) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, base);
  return error == std::errc() && end == text.data() + text.size();
}

bool parse_id(std::string_view text, catalog::Id& out) {
  if (text.size() != 2 * out.size()) return false;
  for (std::size_t i = 0; i < out.size(); ++i) {
    std::uint8_t value = 0;
    if (!parse_number(text.substr(2 * i, 2), value, 16)) return false;
    out[i] = std::byte{value};
  }
  return true;
}

std::string body_text(const FormatFile& format) {
  return std::string(magic_line) + "format " + std::to_string(format.version) + "\nfeatures " +
         hex64(format.features) + "\ndirectory " + id_text(format.directory_id) + "\n";
}

Error damaged(const std::string& path) {
  return {Errc::corrupt_metadata, path +
                                      " is not what seriatim wrote there. The records in log/ are not "
                                      "affected: `seriatim repair` writes it again, or restore FORMAT from "
                                      "a copy of this directory"};
}

}  // namespace

Result<FormatFile> read_format_file(os::Vfs& vfs, const std::string& directory) {
  const std::string path = os::join_path(directory, format_file_name);
  auto bytes = os::read_small_file(vfs, path, format_bytes_max);
  if (!bytes) return bytes.error();
  const std::string_view text = base::as_text(*bytes);
  if (text.substr(0, magic_line.size()) != magic_line) return damaged(path);
  std::string_view rest = text.substr(magic_line.size());
  std::string_view value;
  FormatFile format;
  if (!take_line(rest, "format", value) || !parse_number(value, format.version, 10) || format.version < 1)
    return damaged(path);
  const bool newer_format = format.version > format_version;
  if (newer_format) format.features = 0;
  if (!newer_format && (!take_line(rest, "features", value) || !parse_number(value, format.features, 16)))
    return damaged(path);
  if (newer_format || (format.features & ~known_features) != 0) {
    return Error(Errc::unsupported_version,
                 path + " says format " + std::to_string(format.version) + ", features " +
                     hex64(format.features) + "; this seriatim knows format " +
                     std::to_string(format_version) + " and features " + hex64(known_features) +
                     ". The directory is not damaged: open it with a newer seriatim");
  }
  if (!take_line(rest, "directory", value) || !parse_id(value, format.directory_id)) return damaged(path);
  const std::string_view body = text.substr(0, text.size() - rest.size());
  if (!take_line(rest, "checksum", value) || value != hex64(base::xxh3_64(base::as_bytes(body))) ||
      !rest.empty())
    return damaged(path);
  return format;
}

Result<> write_format_file(os::Vfs& vfs, const std::string& directory, const FormatFile& format) {
  std::string text = body_text(format);
  text += "checksum " + hex64(base::xxh3_64(base::as_bytes(text))) + "\n";
  return os::replace_small_file(vfs, os::join_path(directory, format_file_name), base::as_bytes(text));
}

Result<> add_features(os::Vfs& vfs, const std::string& directory, FormatFile format) {
  if ((format.features | known_features) == format.features) return {};
  format.features |= known_features;
  return write_format_file(vfs, directory, format);
}

std::string id_text(const catalog::Id& id) {
  return hex64(base::load_be<std::uint64_t>(id.data())) + hex64(base::load_be<std::uint64_t>(id.data() + 8));
}

std::string kafka_uuid_text(const catalog::Id& id) {
  static constexpr std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text;
  std::uint32_t bits = 0;
  int count = 0;
  for (const std::byte byte : id) {
    bits = (bits << 8) | std::to_integer<std::uint32_t>(byte);
    for (count += 8; count >= 6; count -= 6) text.push_back(alphabet[(bits >> (count - 6)) & 0x3f]);
  }
  text.push_back(alphabet[(bits << (6 - count)) & 0x3f]);
  return text;
}

catalog::Id random_id() {
  std::random_device device;
  catalog::Id id;
  do {
    for (std::size_t i = 0; i < id.size(); i += 4)
      base::store_be(id.data() + i, static_cast<std::uint32_t>(device()));
    id[6] = (id[6] & std::byte{0x0f}) | std::byte{0x40};
    id[8] = (id[8] & std::byte{0x3f}) | std::byte{0x80};
  } while (kafka_uuid_text(id).front() == '-');
  return id;
}

}  // namespace seriatim::directory
