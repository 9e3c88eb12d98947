#include "group/share/share_members.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cstddef>
#include <thread>

namespace seriatim::group {
namespace {

TEST_CASE("nobody joins a share group between the look at its members and a change") {
  ShareMembers members;
  members.join("other");
  std::atomic<bool> is_about_to_join{false};
  std::thread joining;
  const Result<> changed = members.change_group("g", [&](std::size_t count) -> Result<> {
    CHECK(count == 0);
    joining = std::thread([&] {
      is_about_to_join.store(true);
      members.join("g");
    });
    while (!is_about_to_join.load()) std::this_thread::yield();
    std::size_t joined = 0;
    for (int i = 0; i < 10'000; ++i) {
      std::this_thread::yield();
      joined += members.count("g");
    }
    CHECK(joined == 0);
    return Error(Errc::io_error, "of the test");
  });
  joining.join();
  CHECK(changed.error().code() == Errc::io_error);
  CHECK(members.count("g") == 1);
  CHECK(members.count("other") == 1);
}

}  // namespace
}  // namespace seriatim::group
