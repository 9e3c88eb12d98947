// Producer snapshots and the entries of the three index files: what parses is written back as the same bytes.
#include "fuzz/fuzz.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "base/crc32c.hpp"
#include "format/index_entry.hpp"
#include "format/producer_snapshot.hpp"

namespace seriatim::test {
namespace {

using namespace seriatim::format;

void check_snapshot(base::ByteSpan file) {
  const Result<std::vector<ProducerSnapshotEntry>> entries = parse_producer_snapshot(file);
  if (!entries.ok()) return;
  const std::vector<std::byte> again = encode_producer_snapshot(*entries);
  SERIATIM_ASSERT(std::equal(again.begin(), again.end(), file.begin(), file.end()));
}

// The fuzzer does not guess checksums: the same file with one that fits.
void check_sealed_snapshot(base::ByteSpan file) {
  if (file.size() < producer_snapshot_header_bytes) return;
  std::vector<std::byte> sealed(file.begin(), file.end());
  base::store_be(sealed.data() + 2, base::crc32c(base::ByteSpan(sealed).subspan(6)));
  check_snapshot(sealed);
}

void check_index_entries(base::ByteSpan file) {
  std::array<std::byte, aborted_transaction_bytes> bytes{};
  for (; file.size() >= aborted_transaction_bytes; file = file.subspan(1)) {
    const std::byte* const at = file.data();
    store_offset_index_entry(bytes.data(), load_offset_index_entry(at));
    SERIATIM_ASSERT(std::equal(at, at + offset_index_entry_bytes, bytes.data()));
    store_time_index_entry(bytes.data(), load_time_index_entry(at));
    SERIATIM_ASSERT(std::equal(at, at + time_index_entry_bytes, bytes.data()));
    AbortedTransaction aborted;
    if (!load_aborted_transaction(at, aborted)) continue;
    SERIATIM_ASSERT(aborted.producer_id >= 0 && aborted.first_offset <= aborted.last_offset);
    store_aborted_transaction(bytes.data(), aborted);
    SERIATIM_ASSERT(std::equal(at, at + aborted_transaction_bytes, bytes.data()));
  }
}

}  // namespace
}  // namespace seriatim::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const seriatim::base::ByteSpan file = seriatim::test::fuzz_input(data, size);
  seriatim::test::check_snapshot(file);
  seriatim::test::check_sealed_snapshot(file);
  seriatim::test::check_index_entries(file);
  return 0;
}
