#include "partition/open_transactions.hpp"

#include <doctest/doctest.h>

#include "support/log_builder.hpp"

namespace seriatim::test {
namespace {

using partition::OpenTransactions;
using Step = OpenTransactions::Step;

TEST_CASE("what the markers of the worked example end is what its transaction index says") {
  const LogBuilder log = worked_example();
  const ProducerId a = ProducerId{1} << 42;
  OpenTransactions open;
  std::vector<format::AbortedTransaction> aborted;
  for (const auto& batch : log.all()) {
    const std::vector<std::byte> held = log.bytes();
    const auto bytes = base::ByteSpan(held).subspan(batch.position, batch.header.size_bytes());
    const auto noted = open.note(batch.header, bytes);
    CHECK(noted.step != Step::damaged);
    if (noted.step == Step::ended && noted.ended.is_aborted) aborted.push_back(noted.ended.index_entry());
  }
  CHECK(aborted == std::vector<format::AbortedTransaction>{{a, 0, 8, 1}, {a + 1, 1, 11, 12}});
}

TEST_CASE("a control batch that is damaged may be anybody's marker, and ends nothing") {
  const LogBuilder log = worked_example();
  OpenTransactions open;
  std::size_t damaged = 0;
  for (const auto& batch : log.all()) {
    const std::vector<std::byte> held = log.bytes();
    const auto whole = base::ByteSpan(held).subspan(batch.position, batch.header.size_bytes());
    std::vector<std::byte> bytes(whole.begin(), whole.end());
    if (batch.header.is_control()) bytes.back() ^= std::byte{1};
    const auto noted = open.note(batch.header, bytes);
    CHECK(noted.step == (batch.header.is_control() ? Step::damaged : Step::none));
    if (noted.step == Step::damaged) ++damaged;
  }
  CHECK(damaged > 2);
  CHECK(open.first_offset(100) == 0);
  open.clear();
  CHECK(open.first_offset(100) == 100);
}

}  // namespace
}  // namespace seriatim::test
