#include "os/lock/lock_text.hpp"

#include <doctest/doctest.h>

using namespace seriatim::os;

namespace {

LockInfo example() { return {1234, "my program", "0f1e2d3c-boot", "2024-02-29T23:59:59.007Z", false}; }

}  // namespace

TEST_CASE("what is formatted is parsed back, and always has the same size") {
  const std::string text = format_lock_text(example());
  CHECK(text.size() == lock_text_bytes);
  const auto info = parse_lock_text(text);
  REQUIRE(info);
  CHECK(info->pid == 1234);
  CHECK(info->program == "my program");
  CHECK(info->boot_id == "0f1e2d3c-boot");
  CHECK(info->since == "2024-02-29T23:59:59.007Z");
  CHECK_FALSE(info->is_held);
}

TEST_CASE("the boot in which the files were settled is there if it is known; older texts do not have it") {
  LockInfo info = example();
  CHECK(parse_lock_text(format_lock_text(info))->settled_boot_id.empty());
  info.settled_boot_id = "0f1e2d3c-boot";
  const std::string text = format_lock_text(info);
  CHECK(parse_lock_text(text)->settled_boot_id == "0f1e2d3c-boot");
  info.settled_boot_id.clear();
  CHECK(text.starts_with(format_lock_text(info).substr(0, format_lock_text(info).find("\n\n"))));
}

TEST_CASE("a person can read it") {
  CHECK(
      format_lock_text(example()).starts_with("seriatim lock 1\npid: 1234\nprogram: my program\nboot_id: "
                                              "0f1e2d3c-boot\nsince: 2024-02-29T23:59:59.007Z\n"));
}

TEST_CASE("no program name breaks the format or a terminal") {
  LockInfo info = example();
  info.program = "a\nsince: never\x1b[2J" + std::string(1000, 'x');
  const std::string text = format_lock_text(info);
  CHECK(text.size() == lock_text_bytes);
  const auto parsed = parse_lock_text(text);
  REQUIRE(parsed);
  CHECK(parsed->program.starts_with("a?since: never?[2Jxxx"));
  CHECK(parsed->since == example().since);
}

TEST_CASE("all fields at their longest still fit") {
  const std::string longest(1000, 'y');
  const auto parsed = parse_lock_text(
      format_lock_text({-9'000'000'000'000'000'000, longest, longest, longest, true, longest}));
  REQUIRE(parsed);
  CHECK(parsed->since == std::string(96, 'y'));
  CHECK(parsed->settled_boot_id == std::string(96, 'y'));
}

TEST_CASE("anything else is not taken for a lock file") {
  const std::string good = format_lock_text(example());
  CHECK_FALSE(parse_lock_text(""));
  CHECK_FALSE(parse_lock_text(std::string(lock_text_bytes, '\0')));
  CHECK_FALSE(parse_lock_text(good.substr(1)));
  CHECK_FALSE(parse_lock_text(good + "\n"));
  for (const std::string_view part : {"seriatim lock 1", "pid: 1234", "program: ", "boot_id: ", "since: "}) {
    CAPTURE(part);
    std::string damaged = good;
    damaged[damaged.find(part) + 1] = '#';
    CHECK_FALSE(parse_lock_text(damaged));
  }
  std::string not_a_number = good;
  not_a_number[not_a_number.find("1234")] = 'x';
  CHECK_FALSE(parse_lock_text(not_a_number));
  not_a_number = good;
  not_a_number[not_a_number.find("1234") + 3] = 'x';
  CHECK_FALSE(parse_lock_text(not_a_number));
}
