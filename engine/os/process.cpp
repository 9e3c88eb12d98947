#include "os/process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <new>
#include <string_view>

#include "os/descriptor.hpp"
#include "os/retry.hpp"

namespace seriatim::os {
namespace {

// The beginning of a file of /proc, as much as any of those here has; nothing where it cannot be read: it may
// not be mounted.
std::string proc_text(const char* path) {
  constexpr std::size_t bytes_max = 1024;
  const int descriptor = open_descriptor([&] { return ::open(path, O_RDONLY | O_CLOEXEC); });
  if (descriptor < 0) return {};
  std::array<char, bytes_max> bytes;
  const ssize_t read = retry_interrupted([&] { return ::read(descriptor, bytes.data(), bytes.size()); });
  ::close(descriptor);
  std::string_view text(bytes.data(), read < 0 ? 0 : static_cast<std::size_t>(read));
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  return std::string(text);
}

// A word that is zero again in every new child.
class ForkWord {
 public:
  ForkWord() noexcept {
    const auto bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    void* page = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) return;
    if (::madvise(page, bytes, MADV_WIPEONFORK) != 0) {
      ::munmap(page, bytes);
      return;
    }
    // The page lives as long as the process: an engine may be destroyed after every static object.
    word_ = new (page) std::atomic<std::uint64_t>(0);
  }

  bool is_wiped_on_fork() const noexcept { return word_ != nullptr; }
  std::atomic<std::uint64_t>& word() const noexcept { return *word_; }

 private:
  std::atomic<std::uint64_t>* word_ = nullptr;
};

// Copied into children as it is, so that a child never draws a number that one of its ancestors
// drew before the fork.
std::atomic<std::uint64_t> last_generation{0};

}  // namespace

std::int64_t process_id() noexcept { return ::getpid(); }

bool process_exists(std::int64_t pid) noexcept {
  if (pid <= 0) return false;
  return ::kill(static_cast<pid_t>(pid), 0) == 0 || errno == EPERM;
}

std::string program_name() {
  std::string name = proc_text("/proc/self/comm");
  return name.empty() ? "unknown" : name;
}

std::string boot_id() { return proc_text("/proc/sys/kernel/random/boot_id"); }

std::uint64_t open_files_max() noexcept {
  rlimit limit{};
  // Only a wrong argument can fail; POSIX guarantees this many then.
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return _POSIX_OPEN_MAX;
  return limit.rlim_cur;
}

std::uint64_t fork_generation() noexcept {
  static const ForkWord fork_word;
  if (!fork_word.is_wiped_on_fork()) return static_cast<std::uint64_t>(::getpid());
  std::atomic<std::uint64_t>& word = fork_word.word();
  std::uint64_t generation = word.load(std::memory_order_relaxed);
  if (generation != 0) return generation;
  const std::uint64_t fresh = last_generation.fetch_add(1, std::memory_order_relaxed) + 1;
  // Another thread of this process may have been first; then its number counts.
  return word.compare_exchange_strong(generation, fresh, std::memory_order_relaxed) ? fresh : generation;
}

}  // namespace seriatim::os
