// Obstacles in the place of a file: other bytes, or something that is no file. Each is put there and
// taken away again, with the file it displaced brought back as it was.
#pragma once

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "support/log_builder.hpp"
#include "support/random.hpp"

namespace seriatim::test {

namespace fs = std::filesystem;

/// Bytes that are not what was written.
enum class Content { empty, cut, random, ones, foreign };
inline constexpr Content contents[] = {Content::empty, Content::cut, Content::random, Content::ones,
                                       Content::foreign};

/// Something that is no regular file.
enum class Kind { link, dangling_link, fifo, character_device, block_device, socket, directory };
inline constexpr Kind kinds[] = {
    Kind::link,         Kind::dangling_link, Kind::fifo,     Kind::character_device,
    Kind::block_device, Kind::socket,        Kind::directory};

inline std::string name_of(Content content) {
  constexpr const char* names[] = {"empty", "cut in half", "random bytes", "all ones",
                                   "somebody else's text"};
  return names[static_cast<int>(content)];
}
inline std::string name_of(Kind kind) {
  constexpr const char* names[] = {"symbolic link",    "dangling symbolic link", "FIFO",
                                   "character device", "block device",           "socket",
                                   "directory"};
  return names[static_cast<int>(kind)];
}

/// A file moved out of a directory, and what was put in its place.
class Displaced {
 public:
  explicit Displaced(std::string path) : path_(std::move(path)) {
    const std::string name = fs::path(path_).filename().string();
    saved_ = outside_ / name;
    fs::rename(path_, saved_);
  }
  /// Where the file is meanwhile.
  const std::string& saved() const { return saved_; }

  void put(Content content, Random& random) {
    std::vector<std::byte> bytes = read_file(saved_);
    const std::string foreign = "{\"name\": \"somebody else's\", \"version\": 1}\n";
    if (content == Content::empty) bytes.clear();
    if (content == Content::cut) bytes.resize(bytes.size() / 2 + 1);
    if (content == Content::random) bytes = random.bytes(bytes.size());
    if (content == Content::ones) std::fill(bytes.begin(), bytes.end(), std::byte{0xff});
    if (content == Content::foreign) {
      const auto text = base::as_bytes(foreign);
      bytes.assign(text.begin(), text.end());
    }
    write_file(path_, bytes);
  }

  /// False where the system does not allow it (device nodes need privileges).
  bool put(Kind kind) {
    constexpr mode_t mode = 0666;
    switch (kind) {
      case Kind::link:
        fs::create_symlink(saved_, path_);
        return true;
      case Kind::dangling_link:
        fs::create_symlink(outside_ / "nothing", path_);
        return true;
      case Kind::fifo:
        return ::mkfifo(path_.c_str(), mode) == 0;
      case Kind::character_device:  // /dev/zero: reads for ever
        return ::mknod(path_.c_str(), S_IFCHR | mode, ::makedev(1, 5)) == 0;
      case Kind::block_device:  // of no driver
        return ::mknod(path_.c_str(), S_IFBLK | mode, ::makedev(240, 0)) == 0;
      case Kind::socket:
        return put_socket();
      case Kind::directory:
        return fs::create_directory(path_);
    }
    return false;
  }

  /// Brings the file back.
  void restore() {
    fs::remove_all(path_);
    fs::rename(saved_, path_);
  }

 private:
  bool put_socket() const {
    // The name must fit into sockaddr_un: made where names are short, and moved.
    const TempDir short_name;
    const std::string there = short_name / "s";
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, there.c_str(), std::min(there.size(), sizeof(address.sun_path) - 1));
    const int descriptor = ::socket(AF_UNIX, SOCK_STREAM, 0);
    const bool is_bound =
        ::bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
    ::close(descriptor);
    return is_bound && ::rename(there.c_str(), path_.c_str()) == 0;
  }

  std::string path_;
  TempDir outside_;
  std::string saved_;
};

}  // namespace seriatim::test
