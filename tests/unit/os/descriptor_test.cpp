#include "os/descriptor.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <string>

#include "os/file/posix_vfs.hpp"
#include "os/process.hpp"
#include "os/thread/event_fd.hpp"
#include "support/child_process.hpp"
#include "support/temp_dir.hpp"

namespace seriatim::os {
namespace {

// The output of a child that begins without any of the three.
template <class Body>
std::string without_standard_descriptors(Body body) {
  test::ChildProcess child([&](const test::ChildProcess::Voice& voice) {
    for (const int descriptor : {0, 1, 2}) ::close(descriptor);
    body(voice);
  });
  return child.hear_all();
}

TEST_CASE("what is opened gets a descriptor above the standard ones, whichever of them are closed") {
  const test::TempDir directory;
  const std::string said = without_standard_descriptors([&](const test::ChildProcess::Voice& voice) {
    const auto file = posix_vfs().open(directory / "file", OpenMode::create_new);
    const auto event = EventFd::create();
    const bool both = file && event && (*file)->descriptor() > 2 && event->descriptor() > 2;
    voice.say(both ? "above" : "below");
  });
  CHECK(said == "above");
}

TEST_CASE("what stands in for a closed one can be neither read nor written, and ends with exec") {
  const std::string said = without_standard_descriptors([](const test::ChildProcess::Voice& voice) {
    occupy_standard_descriptors();
    char byte = 0;
    for (const int descriptor : {0, 1, 2}) {
      const bool is_refused = ::read(descriptor, &byte, 1) == -1 && errno == EBADF &&
                              ::write(descriptor, &byte, 1) == -1 && errno == EBADF;
      voice.say(is_refused && (::fcntl(descriptor, F_GETFD) & FD_CLOEXEC) != 0 ? "refused " : "taken ");
    }
  });
  CHECK(said == "refused refused refused ");
}

TEST_CASE("standard descriptors that are open stay what they are") {
  test::ChildProcess child([](const test::ChildProcess::Voice& voice) {
    voice.take_stderr();
    ::close(0);
    occupy_standard_descriptors();
    if (::write(STDERR_FILENO, "heard", 5) != 5) ::_exit(2);
  });
  CHECK(child.hear_all() == "heard");
}

TEST_CASE("a descriptor that is low all the same is moved") {
  const std::string said = without_standard_descriptors([](const test::ChildProcess::Voice& voice) {
    const int low = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    const int moved = above_standard_descriptors(low);
    const bool is_moved = low == 0 && moved > 2 && (::fcntl(moved, F_GETFD) & FD_CLOEXEC) != 0;
    voice.say(is_moved && ::fcntl(low, F_GETFD) == -1 ? "moved" : "not moved");
  });
  CHECK(said == "moved");
  CHECK(above_standard_descriptors(-1) == -1);
}

TEST_CASE("what is read of the process itself is read without the standard descriptors, too") {
  const std::string said = without_standard_descriptors([](const test::ChildProcess::Voice& voice) {
    const bool is_read = !boot_id().empty() && program_name() != "unknown";
    voice.say(is_read ? "read" : "not read");
  });
  CHECK(said == "read");
}

}  // namespace
}  // namespace seriatim::os
