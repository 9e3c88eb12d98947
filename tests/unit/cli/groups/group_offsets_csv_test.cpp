#include "groups/group_offsets_csv.hpp"

#include <doctest/doctest.h>

namespace seriatim::cli {
namespace {

using Offsets = std::vector<CsvOffset>;

std::string csv_fault(std::string_view text, std::string_view group = "g") {
  const auto parsed = parse_csv_offsets(text, group);
  REQUIRE_FALSE(parsed.ok());
  return parsed.error().message();
}

}  // namespace

TEST_CASE("offsets are written as Kafka's tool exports them, quoted where a field needs it") {
  const std::string group = "say \"hi\", all";
  CHECK(csv_line(nullptr, {"orders", 3}, 42) == "orders,3,42\n");
  CHECK(csv_line(&group, {"orders", 3}, 42) == "\"say \"\"hi\"\", all\",orders,3,42\n");
}

TEST_CASE("offsets are read in both forms, of the named group where lines name one") {
  CHECK(parse_csv_offsets("t,0,5\nt,1,-6\n", "g").value() == Offsets{{{"t", 0}, 5, 1}, {{"t", 1}, -6, 2}});
  CHECK(parse_csv_offsets("g,t,0,5\nh,t,0,6\nh,t,1,7", "h").value() ==
        Offsets{{{"t", 0}, 6, 2}, {{"t", 1}, 7, 3}});
  CHECK(parse_csv_offsets("\r\n\nt,0,5\r\n\r\nt,1,6\r\n", "g").value() ==
        Offsets{{{"t", 0}, 5, 3}, {{"t", 1}, 6, 5}});
}

TEST_CASE("any name of a group comes back as it was written") {
  for (const std::string group : {"plain", "a,b", "\"", "\"\"", "two\nlines", "\r\n", "\xff\x01", " "}) {
    CAPTURE(group);
    const std::string text = csv_line(&group, {"t", 0}, 5) + csv_line(&group, {"u", 1}, 6);
    const auto offsets = parse_csv_offsets(text, group).value();
    REQUIRE(offsets.size() == 2);
    CHECK(offsets[0].at == TopicPartition{"t", 0});
    CHECK(offsets[1].at == TopicPartition{"u", 1});
    CHECK(offsets[1].offset == 6);
  }
  CHECK(parse_csv_offsets("\"a\nb\",t,0,1\n\"a\nb\",t,1,2\n", "a\nb").value()[1].line == 3);
}

TEST_CASE("a line that is none is named, with the forms there are") {
  CHECK(csv_fault("t,0,1\nt,0\n").find("line 2: it has 2 fields") == 0);
  CHECK(csv_fault("t,0,1\nt,0\n").find("group,topic,partition,offset") != std::string::npos);
  CHECK(csv_fault("a,b,c,d,e").find("it has 5 fields") != std::string::npos);
  CHECK(csv_fault("t,0,").find("\"\" is no offset") != std::string::npos);
  CHECK(csv_fault("t,x,1").find("\"x\" is no partition") != std::string::npos);
  CHECK(csv_fault("t,99999999999,1").find("is no partition") != std::string::npos);
  CHECK(csv_fault("t,0,99999999999999999999").find("is no offset") != std::string::npos);
  CHECK(csv_fault("\"t,0,1").find("not closed") != std::string::npos);
  CHECK(csv_fault("\"t\"x,0,1").find("behind a closing quote") != std::string::npos);
  CHECK(csv_fault("g,t,0,1\nt,0,2\n").find("line 2: line 1 gives") == 0);
  CHECK(csv_fault("h,t,0,1\n").find("no line for group g") != std::string::npos);
  CHECK(csv_fault("").find("no line for group g") != std::string::npos);
}

}  // namespace seriatim::cli
