#include "os/lock/dir_lock.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <array>

#include "base/time_text.hpp"
#include "os/file/posix_vfs.hpp"
#include "os/file/small_file.hpp"
#include "os/lock/lock_text.hpp"
#include "os/process.hpp"
#include "support/child_process.hpp"
#include "support/temp_dir.hpp"

using namespace seriatim;
using namespace seriatim::os;
using test::ChildProcess;
using test::TempDir;

namespace {

Result<DirLock> acquire(const std::string& directory) { return acquire_dir_lock(posix_vfs(), directory); }

// The answer that a child of ours gets when it tries.
std::string tried_by_child(const std::string& directory) {
  ChildProcess child([&directory](const ChildProcess::Voice& voice) {
    const auto lock = acquire(directory);
    voice.say(lock ? "acquired" : std::string(lock.error().name()) + ": " + lock.error().message());
  });
  return child.hear_all();
}

// A child that takes the lock and keeps it; "ok" has been heard when it has it.
void hold(const ChildProcess::Voice& voice, const std::string& directory) {
  const auto lock = acquire(directory);
  voice.say(lock ? "ok" : "no");
  voice.sleep_until_killed();
}

}  // namespace

TEST_CASE("another process is refused, and told who holds the lock since when and what to do") {
  const TempDir dir;
  const auto lock = acquire(dir.path());
  REQUIRE(lock);
  const std::string told = tried_by_child(dir.path());
  CAPTURE(told);
  CHECK(told.starts_with("LOCKED: "));
  CHECK(told.find(dir / "LOCK") != std::string::npos);
  CHECK(told.find("process " + std::to_string(::getpid()) + " (test_os) has it since 20") !=
        std::string::npos);
  CHECK(told.find("read-only") != std::string::npos);
}

TEST_CASE("a second open in the same process is invalid_state, by another path too") {
  const TempDir dir;
  const auto lock = acquire(dir.path());
  REQUIRE(lock);
  const auto again = acquire(dir.path());
  REQUIRE_FALSE(again);
  CHECK(again.error().code() == Errc::invalid_state);
  CHECK(again.error().message().find(dir.path()) != std::string::npos);
  REQUIRE(::symlink(dir.path().c_str(), (dir / "alias").c_str()) == 0);
  CHECK(acquire(dir / "alias").error().code() == Errc::invalid_state);
  CHECK(tried_by_child(dir.path()).starts_with("LOCKED"));
}

TEST_CASE("two directories are two locks") {
  const TempDir first;
  const TempDir second;
  const auto lock = acquire(first.path());
  REQUIRE(lock);
  CHECK(acquire(second.path()).ok());
}

TEST_CASE("a released lock can be taken again, here and elsewhere") {
  const TempDir dir;
  auto lock = acquire(dir.path());
  REQUIRE(lock);
  lock->release();
  CHECK_FALSE(lock->is_held());
  lock->release();
  CHECK(tried_by_child(dir.path()) == "acquired");
  { CHECK(acquire(dir.path()).ok()); }
  CHECK(acquire(dir.path()).ok());
}

TEST_CASE("kill -9 frees the lock") {
  const TempDir dir;
  ChildProcess holder([&dir](const ChildProcess::Voice& voice) { hold(voice, dir.path()); });
  REQUIRE(holder.hear(2) == "ok");
  const auto refused = acquire(dir.path());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::locked);
  CHECK(refused.error().message().find("process " + std::to_string(holder.pid()) + " ") != std::string::npos);
  holder.kill();
  CHECK(acquire(dir.path()).ok());
}

TEST_CASE("a forked child that destroys its copy leaves the parent's lock alone") {
  const TempDir dir;
  auto lock = acquire(dir.path());
  REQUIRE(lock);
  ChildProcess child([&lock](const ChildProcess::Voice& voice) {
    lock->release();
    voice.say("done");
  });
  REQUIRE(child.hear_all() == "done");
  child.wait();
  CHECK(read_lock_info(posix_vfs(), dir.path()).value()->is_held);
  CHECK(tried_by_child(dir.path()).starts_with("LOCKED"));
}

TEST_CASE("a parent that releases is not held up by a child that has inherited the descriptor") {
  const TempDir dir;
  auto lock = acquire(dir.path());
  REQUIRE(lock);
  const ChildProcess child([](const ChildProcess::Voice& voice) { voice.sleep_until_killed(); });
  lock->release();
  CHECK(acquire(dir.path()).ok());
}

TEST_CASE("a lock kept by an orphan of its holder is explained") {
  const TempDir dir;
  ChildProcess holder([&dir](const ChildProcess::Voice& voice) {
    const auto lock = acquire(dir.path());
    const pid_t orphan = ::fork();
    if (orphan == 0) voice.sleep_until_killed();
    std::string pid = std::to_string(orphan);
    pid.resize(12, ' ');
    voice.say(lock ? pid : std::string(12, '?'));
    voice.sleep_until_killed();
  });
  const pid_t orphan = std::stoi(holder.hear(12));
  holder.kill();
  const auto refused = acquire(dir.path());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::locked);
  CHECK(refused.error().message().find("fuser") != std::string::npos);
  ::kill(orphan, SIGKILL);
}

TEST_CASE("the holder can be read by anyone without disturbing the lock") {
  const TempDir dir;
  CHECK_FALSE(read_lock_info(posix_vfs(), dir.path()).value());
  {
    const auto lock = acquire(dir.path());
    REQUIRE(lock);
    for (int i = 0; i < 3; ++i) {
      const auto info = read_lock_info(posix_vfs(), dir.path());
      REQUIRE(info);
      REQUIRE(*info);
      CHECK((*info)->is_held);
      CHECK((*info)->pid == ::getpid());
      CHECK((*info)->program == "test_os");
      CHECK((*info)->boot_id == boot_id());
      CHECK(base::parse_time_ms((*info)->since, 0).ok());
    }
    // Reading opened and closed the file: a lock that belongs to the process would be gone.
    CHECK(tried_by_child(dir.path()).starts_with("LOCKED"));
  }
  const auto info = read_lock_info(posix_vfs(), dir.path());
  REQUIRE(info);
  REQUIRE(*info);
  CHECK_FALSE((*info)->is_held);
  CHECK((*info)->pid == ::getpid());
}

TEST_CASE("a process that looks does not keep the lock from being taken") {
  const TempDir dir;
  { REQUIRE(acquire(dir.path())); }
  ChildProcess looker([&dir](const ChildProcess::Voice& voice) {
    const auto info = read_lock_info(posix_vfs(), dir.path());
    voice.say(info && *info && !(*info)->is_held ? "ok" : "no");
    voice.sleep_until_killed();
  });
  REQUIRE(looker.hear(2) == "ok");
  CHECK(acquire(dir.path()).ok());
}

TEST_CASE("an empty lock file is no holder, or one that has yet to write its name") {
  const TempDir dir;
  REQUIRE(posix_vfs().open(dir / "LOCK", OpenMode::create_new));
  CHECK_FALSE(read_lock_info(posix_vfs(), dir.path()).value());
  const auto lock = acquire(dir.path());
  REQUIRE(lock);
  REQUIRE(::truncate((dir / "LOCK").c_str(), 0) == 0);
  const auto info = read_lock_info(posix_vfs(), dir.path());
  REQUIRE(info);
  REQUIRE(*info);
  CHECK((*info)->is_held);
  CHECK((*info)->pid == 0);
  CHECK(tried_by_child(dir.path()).find("does not say which") != std::string::npos);
}

TEST_CASE("a foreign file named LOCK is reported by who only looks, and taken over by who may write") {
  const TempDir dir;
  REQUIRE(replace_small_file(posix_vfs(), dir / "LOCK", base::as_bytes("something else")));
  CHECK(read_lock_info(posix_vfs(), dir.path()).error().code() == Errc::corrupt_metadata);
  CHECK_FALSE(is_dir_locked(posix_vfs(), dir.path()).value());
  CHECK(acquire(dir.path()).ok());
  CHECK(read_lock_info(posix_vfs(), dir.path()).ok());
}

TEST_CASE("a holder on another machine is named as such") {
  const TempDir dir;
  const auto lock = acquire(dir.path());
  REQUIRE(lock);
  const auto file = posix_vfs().open(dir / "LOCK", OpenMode::read_write);
  REQUIRE(file);
  const LockInfo elsewhere{7, "other", "another-boot", "2024-02-29T23:59:59.007Z", false};
  REQUIRE((*file)->write_at(base::as_bytes(format_lock_text(elsewhere)), 0));
  CHECK(tried_by_child(dir.path()).find("process 7 (other) on another machine") != std::string::npos);
}

TEST_CASE("a directory that is not there, or a link in place of the file, is an error") {
  const TempDir dir;
  CHECK(acquire(dir / "missing").error().code() == Errc::not_found);
  REQUIRE(::symlink("/dev/null", (dir / "LOCK").c_str()) == 0);
  CHECK(acquire(dir.path()).error().code() == Errc::io_error);
  CHECK(read_lock_info(posix_vfs(), dir.path()).error().code() == Errc::io_error);
}

TEST_CASE("a moved lock is released once, by its last owner") {
  const TempDir dir;
  auto first = acquire(dir.path());
  REQUIRE(first);
  DirLock second(std::move(*first));
  CHECK_FALSE(first->is_held());
  CHECK(second.is_held());
  DirLock third;
  third = std::move(second);
  CHECK(tried_by_child(dir.path()).starts_with("LOCKED"));
  third = DirLock();
  CHECK(tried_by_child(dir.path()) == "acquired");
}

TEST_CASE("files are settled by who says so, until a sync fails, another boot, or a lock that does not say") {
  const TempDir dir;
  const auto had_settled = [&] { return acquire(dir.path())->had_settled_in_this_boot(); };
  CHECK_FALSE(had_settled());
  // A holder that never came to say that it had the lock changes nothing.
  CHECK_FALSE(had_settled());
  REQUIRE(acquire(dir.path())->settle());
  CHECK(had_settled());
  CHECK(had_settled());
  REQUIRE(acquire(dir.path())->unsettle());
  CHECK_FALSE(had_settled());
  REQUIRE(acquire(dir.path())->settle());
  LockInfo other_boot{7, "other", boot_id(), "2024-02-29T23:59:59.007Z", false};
  other_boot.settled_boot_id = "another-boot";
  REQUIRE(replace_small_file(posix_vfs(), dir / "LOCK", base::as_bytes(format_lock_text(other_boot))));
  CHECK_FALSE(had_settled());
  CHECK_FALSE(had_settled());
}
