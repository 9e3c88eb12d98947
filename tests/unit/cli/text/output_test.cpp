#include "text/output.hpp"

#include <array>
#include <string>

#include <doctest/doctest.h>

#include <fcntl.h>
#include <unistd.h>

namespace seriatim::cli {
namespace {

// The output of a table, through a real descriptor.
std::string printed(const Table& table, OutputFormat format) {
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  OutputStream out(ends[1]);
  table.print(out, format);
  REQUIRE(out.flush().ok());
  ::close(ends[1]);
  std::string text;
  std::array<char, 4096> piece{};
  for (ssize_t got = 0; (got = ::read(ends[0], piece.data(), piece.size())) > 0;)
    text.append(piece.data(), static_cast<std::size_t>(got));
  ::close(ends[0]);
  return text;
}

Table sample() {
  Table table({{"topic"}, {"size_bytes", ColumnKind::bytes}, {"since", ColumnKind::time}});
  table.add({"orders", 1'048'576, 1'500});
  table.add({std::string("\xff\t"), 7, nullptr});
  return table;
}

TEST_CASE("a table is aligned, its numbers are plain when no terminal reads them") {
  CHECK(printed(sample(), OutputFormat::table) ==
        "TOPIC     SIZE_BYTES  SINCE\n"
        "orders       1048576  1970-01-01T00:00:01.500Z\n"
        "\\xff\\x09           7  -\n");
}

TEST_CASE("JSON is valid whatever the bytes") {
  const Json rows = Json::parse(printed(sample(), OutputFormat::json));
  CHECK(rows[0]["topic"] == "orders");
  CHECK(rows[0]["since"] == 1'500);
  CHECK_FALSE(rows[1].contains("topic"));
  CHECK(rows[1]["topic_b64"] == "/wk=");
  CHECK(rows[1]["since"].is_null());
  CHECK(printed(Table({{"topic"}}), OutputFormat::json) == "[]\n");
}

TEST_CASE("JSON lines and TSV keep one row on one line") {
  CHECK(printed(sample(), OutputFormat::jsonl) ==
        "{\"topic\":\"orders\",\"size_bytes\":1048576,\"since\":1500}\n{\"topic_b64\":\"/"
        "wk=\",\"size_bytes\":7,\"since\":null}\n");
  CHECK(printed(sample(), OutputFormat::tsv) ==
        "topic\tsize_bytes\tsince\norders\t1048576\t1500\n\xff\\t\t7\t\\N\n");
}

TEST_CASE("output that cannot be written is an error and stays one") {
  const int full = ::open("/dev/full", O_WRONLY);
  REQUIRE(full >= 0);
  OutputStream out(full);
  out.write("lost");
  const Result<> flushed = out.flush();
  REQUIRE_FALSE(flushed.ok());
  CHECK(flushed.error().sys_errno() == ENOSPC);
  CHECK_FALSE(out.reader_is_gone());
  CHECK_FALSE(out.flush().ok());
  ::close(full);
}

}  // namespace
}  // namespace seriatim::cli
