// Lines of `produce -J`: JSON or not, a record comes out or an error that says why.
#include "fuzz/fuzz.hpp"

#include <string_view>

#include "text/json_record_parser.hpp"
#include "text/text_encoding.hpp"

namespace seriatim::test {
namespace {

void check(std::string_view line) {
  const Result<cli::JsonRecord> record = cli::parse_json_record(line);
  if (!record.ok()) {
    SERIATIM_ASSERT(record.error().code() == Errc::invalid_record);
    SERIATIM_ASSERT(!record.error().message().empty());
    return;
  }
  SERIATIM_ASSERT(!record->partition || *record->partition >= 0);
  SERIATIM_ASSERT(!record->timestamp || *record->timestamp >= no_timestamp);
}

void check_base64(std::string_view bytes) {
  SERIATIM_ASSERT(cli::from_base64(cli::base64(bytes)) == bytes);
  const auto decoded = cli::from_base64(bytes);
  SERIATIM_ASSERT(!decoded || decoded->size() <= bytes.size() / 4 * 3);
}

}  // namespace
}  // namespace seriatim::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = seriatim::base::as_text(seriatim::test::fuzz_input(data, size));
  seriatim::test::check(text);
  seriatim::test::check_base64(text);
  return 0;
}
