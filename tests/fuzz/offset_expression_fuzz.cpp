// Offset expressions: whatever is typed is answered, and what is accepted keeps its promises.
#include "fuzz/fuzz.hpp"

#include <string_view>

#include "text/offset_expression.hpp"

namespace seriatim::test {
namespace {

using cli::OffsetPoint;

constexpr Timestamp now{std::chrono::milliseconds(1'795'358'379'512)};

void check_point(const OffsetPoint& point) {
  SERIATIM_ASSERT(point.number >= 0);
  SERIATIM_ASSERT(point.time >= Timestamp{});
  SERIATIM_ASSERT(point.kind == OffsetPoint::Kind::at_time || point.time == Timestamp{});
}

void check(std::string_view text) {
  const Result<cli::OffsetRange> range = cli::parse_offset_expression(text, now);
  if (!range.ok()) {
    SERIATIM_ASSERT(range.error().code() == Errc::invalid_argument);
    return;
  }
  SERIATIM_ASSERT(range->start || range->stop);
  if (range->start) check_point(*range->start);
  if (range->stop) check_point(*range->stop);
  // The same words mean the same again.
  SERIATIM_ASSERT(cli::parse_offset_expression(text, now).value() == *range);
}

}  // namespace
}  // namespace seriatim::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  seriatim::test::check(seriatim::base::as_text(seriatim::test::fuzz_input(data, size)));
  return 0;
}
