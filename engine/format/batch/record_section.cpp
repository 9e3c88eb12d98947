#include "format/batch/record_section.hpp"

#include "format/compression/codec.hpp"

namespace seriatim::format {

Result<base::ByteSpan> record_section(base::ByteSpan whole_batch, std::size_t bytes_max,
                                      std::vector<std::byte>& scratch) {
  const BatchHeader header = read_batch_header(whole_batch.data());
  const base::ByteSpan section = whole_batch.subspan(records_at);
  // A remnant of compaction holds no record and nothing to decompress.
  if (header.codec() == Codec::none || section.empty()) return section;
  scratch.clear();
  const Result<void> done = decompress(header.codec(), section, bytes_max, scratch);
  if (!done) return done.error();
  return base::ByteSpan(scratch);
}

}  // namespace seriatim::format
