#include "os/file/posix_vfs.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "support/child_process.hpp"
#include "support/mounted.hpp"
#include "support/temp_dir.hpp"

using namespace seriatim;
using namespace seriatim::os;
using test::ChildProcess;
using test::TempDir;

namespace {

Vfs& vfs = posix_vfs();

constexpr OpenMode every_mode[] = {OpenMode::read, OpenMode::read_write, OpenMode::open_or_create};

void create_file(const std::string& path) { REQUIRE(vfs.open(path, OpenMode::create_new)); }

void check_refused(const std::string& path, std::string_view kind) {
  for (const OpenMode mode : every_mode) {
    const auto file = vfs.open(path, mode);
    REQUIRE_FALSE(file);
    CHECK(file.error().code() == Errc::io_error);
    CAPTURE(file.error().message());
    CHECK(file.error().message().find(path) != std::string::npos);
    CHECK(file.error().message().find(kind) != std::string::npos);
  }
}

mode_t mode_of(const std::string& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

}  // namespace

TEST_CASE("a symbolic link is refused, also a dangling one, and nothing is created through it") {
  const TempDir dir;
  create_file(dir / "file");
  REQUIRE(::symlink((dir / "file").c_str(), (dir / "link").c_str()) == 0);
  REQUIRE(::symlink((dir / "nowhere").c_str(), (dir / "dangling").c_str()) == 0);
  check_refused(dir / "link", "symbolic link");
  check_refused(dir / "dangling", "symbolic link");
  CHECK_FALSE(*vfs.exists(dir / "nowhere"));
}

TEST_CASE("a FIFO is refused without waiting for its other end") {
  const TempDir dir;
  REQUIRE(::mkfifo((dir / "fifo").c_str(), 0600) == 0);
  check_refused(dir / "fifo", "FIFO");
}

TEST_CASE("a device, a socket and a directory are refused") {
  const TempDir dir;
  check_refused("/dev/null", "character device");
  check_refused("/dev/full", "character device");
  check_refused(dir.path(), "directory");
  const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, (dir / "s").c_str(), sizeof(address.sun_path) - 1);
  REQUIRE(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
  check_refused(dir / "s", "socket");
  ::close(socket);
}

TEST_CASE("refusing leaves no descriptor open") {
  const TempDir dir;
  const int before = ::dup(0);
  ::close(before);
  static_cast<void>(vfs.open(dir.path(), OpenMode::read));
  const int after = ::dup(0);
  ::close(after);
  CHECK(before == after);
}

TEST_CASE("each open mode requires or creates what it says") {
  const TempDir dir;
  const std::string path = dir / "file";
  CHECK(vfs.open(path, OpenMode::read).error().code() == Errc::not_found);
  CHECK(vfs.open(path, OpenMode::read_write).error().code() == Errc::not_found);
  REQUIRE(vfs.open(path, OpenMode::open_or_create));
  const auto again = vfs.open(path, OpenMode::create_new);
  REQUIRE_FALSE(again);
  CHECK(again.error().sys_errno() == EEXIST);
  CHECK(vfs.open(path, OpenMode::open_or_create).ok());
  const auto reader = vfs.open(path, OpenMode::read);
  REQUIRE(reader);
  CHECK_FALSE((*reader)->write_at(base::as_bytes("x"), 0));
  CHECK((*reader)->path() == path);
}

TEST_CASE("an opened file is closed on exec") {
  const TempDir dir;
  const auto file = vfs.open(dir / "file", OpenMode::create_new);
  REQUIRE(file);
  CHECK((::fcntl((*file)->descriptor(), F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("new files are 0640 and new directories 0750, less the umask") {
  const TempDir dir;
  const mode_t before = ::umask(0);
  create_file(dir / "file");
  REQUIRE(vfs.create_directory(dir / "sub"));
  ::umask(077);
  create_file(dir / "private");
  REQUIRE(vfs.create_directory(dir / "private-sub"));
  ::umask(before);
  CHECK(mode_of(dir / "file") == 0640);
  CHECK(mode_of(dir / "sub") == 0750);
  CHECK(mode_of(dir / "private") == 0600);
  CHECK(mode_of(dir / "private-sub") == 0700);
}

TEST_CASE("a listing is sorted, tells kinds apart and leaves out dot and dot-dot") {
  const TempDir dir;
  create_file(dir / "b");
  create_file(dir / "a");
  REQUIRE(vfs.create_directory(dir / "c"));
  REQUIRE(::symlink("a", (dir / "d").c_str()) == 0);
  REQUIRE(::mkfifo((dir / "e").c_str(), 0600) == 0);
  const auto entries = vfs.list(dir.path());
  REQUIRE(entries);
  REQUIRE(entries->size() == 5);
  const EntryKind kinds[] = {EntryKind::file, EntryKind::file, EntryKind::directory, EntryKind::symlink,
                             EntryKind::other};
  for (std::size_t i = 0; i < 5; ++i) {
    CHECK((*entries)[i].name == std::string(1, static_cast<char>('a' + i)));
    CHECK((*entries)[i].kind == kinds[i]);
  }
  CHECK(vfs.list(dir / "missing").error().code() == Errc::not_found);
}

TEST_CASE(
    "a listing does not follow a link, unless the path ends in a slash, and says what is in its place") {
  const TempDir dir;
  REQUIRE(vfs.create_directory(dir / "real"));
  create_file(dir / "real/f");
  REQUIRE(::symlink("real", (dir / "link").c_str()) == 0);
  REQUIRE(::mkfifo((dir / "fifo").c_str(), 0600) == 0);
  const auto through = vfs.list(dir / "link/");
  REQUIRE(through);
  CHECK(through->size() == 1);
  for (const auto& [name, kind] : {std::pair{"link", "a symbolic link"}, std::pair{"fifo", "a FIFO"},
                                   std::pair{"real/f", "a regular file"}}) {
    const auto refused = vfs.list(dir / name);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == Errc::io_error);
    CHECK(refused.error().message().find((dir / name) + ": it is " + kind) != std::string::npos);
  }
}

TEST_CASE("rename replaces the target and reports what is missing") {
  const TempDir dir;
  create_file(dir / "a");
  create_file(dir / "b");
  REQUIRE(vfs.rename(dir / "a", dir / "b"));
  CHECK_FALSE(*vfs.exists(dir / "a"));
  CHECK(*vfs.exists(dir / "b"));
  const auto missing = vfs.rename(dir / "a", dir / "c");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code() == Errc::not_found);
  CHECK(missing.error().message().find("rename " + (dir / "a") + " to " + (dir / "c")) != std::string::npos);
}

TEST_CASE("a removed file stays readable for who has it open") {
  const TempDir dir;
  const auto file = vfs.open(dir / "file", OpenMode::create_new);
  REQUIRE(file);
  REQUIRE((*file)->write_at(base::as_bytes("kept"), 0));
  REQUIRE(vfs.remove(dir / "file"));
  CHECK_FALSE(*vfs.exists(dir / "file"));
  CHECK(*(*file)->size() == 4);
  CHECK(vfs.remove(dir / "file").error().code() == Errc::not_found);
}

TEST_CASE("only an empty directory can be removed, and no name is taken twice") {
  const TempDir dir;
  REQUIRE(vfs.create_directory(dir / "sub"));
  CHECK(vfs.create_directory(dir / "sub").error().sys_errno() == EEXIST);
  CHECK(vfs.create_directory(dir / "x/y").error().code() == Errc::not_found);
  create_file(dir / "sub/file");
  CHECK(vfs.remove_directory(dir / "sub").error().sys_errno() == ENOTEMPTY);
  REQUIRE(vfs.remove(dir / "sub/file"));
  CHECK(vfs.remove_directory(dir / "sub").ok());
  CHECK(vfs.remove_directory(dir / "sub").error().code() == Errc::not_found);
}

TEST_CASE("exists sees a dangling link, and nothing below a file") {
  const TempDir dir;
  create_file(dir / "file");
  REQUIRE(::symlink("nowhere", (dir / "link").c_str()) == 0);
  CHECK(*vfs.exists(dir / "link"));
  CHECK_FALSE(*vfs.exists(dir / "file/below"));
}

TEST_CASE("a directory can be synced, a file or nothing cannot") {
  const TempDir dir;
  create_file(dir / "file");
  CHECK(vfs.sync_directory(dir.path()).ok());
  CHECK(vfs.sync_directory(dir / "file").error().code() == Errc::not_found);
  CHECK(vfs.sync_directory(dir / "missing").error().code() == Errc::not_found);
}

TEST_CASE("the file system under a path is described") {
  const TempDir dir;
  const auto described = vfs.file_system(dir.path());
  REQUIRE(described);
  CHECK(described->total_bytes > 0);
  CHECK(described->free_bytes <= described->total_bytes);
  CHECK_FALSE(described->type_name.empty());
  CHECK_FALSE(described->is_read_only);
  CHECK(vfs.file_system(dir / "missing").error().code() == Errc::not_found);
}

TEST_CASE("a small file system shows its size, and as read-only refuses new files as such") {
  const bool is_mounted = test::with_mounted("tmpfs", "size=64k", [](const std::string& root) {
    const auto described = vfs.file_system(root);
    CHECK(described.ok());
    if (!described) return;
    CHECK(described->type_name == "tmpfs");
    CHECK(described->total_bytes == 65536);
    CHECK(described->keeps_allocated_blocks);
    CHECK(::mount(nullptr, root.c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr) == 0);
    CHECK(vfs.file_system(root)->is_read_only);
    CHECK(vfs.open(root + "/f", OpenMode::create_new).error().code() == Errc::read_only);
    CHECK(vfs.create_directory(root + "/d").error().code() == Errc::read_only);
  });
  if (!is_mounted) MESSAGE("skipped: mounting a tmpfs needs root");
}

TEST_CASE("without a descriptor left, opening says too_many_open_files and may be tried again") {
  const TempDir dir;
  create_file(dir / "file");
  ChildProcess child([&dir](const ChildProcess::Voice& voice) {
    // One below the lowest free number: nothing more can be opened.
    const int lowest_free = ::dup(0);
    ::close(lowest_free);
    const rlimit limit{static_cast<rlim_t>(lowest_free), static_cast<rlim_t>(lowest_free)};
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    const auto file = vfs.open(dir / "file", OpenMode::read);
    const auto listing = vfs.list(dir.path());
    const auto synced = vfs.sync_directory(dir.path());
    if (file || listing || synced) return;
    voice.say(std::string(file.error().name()) + (file.error().retriable() ? " " : "!") +
              std::string(listing.error().name()) + " " + std::string(synced.error().name()));
  });
  CHECK(child.hear_all() == "TOO_MANY_OPEN_FILES TOO_MANY_OPEN_FILES TOO_MANY_OPEN_FILES");
}

TEST_CASE("without permission, opening says permission_denied") {
  if (::geteuid() != 0) {
    MESSAGE("skipped: changing to another user needs root");
    return;
  }
  const TempDir dir;
  create_file(dir / "file");
  REQUIRE(::chmod((dir / "file").c_str(), 0) == 0);
  REQUIRE(::chmod(dir.path().c_str(), 0755) == 0);
  ChildProcess child([&dir](const ChildProcess::Voice& voice) {
    constexpr uid_t nobody = 65534;
    if (::setuid(nobody) != 0) return;
    const auto file = vfs.open(dir / "file", OpenMode::read);
    const auto created = vfs.open(dir / "new", OpenMode::create_new);
    if (!file && !created)
      voice.say(std::string(file.error().name()) + " " + std::string(created.error().name()));
  });
  CHECK(child.hear_all() == "PERMISSION_DENIED PERMISSION_DENIED");
}
