// The records of a batch as plain bytes, whatever the codec.
#pragma once

#include <cstddef>
#include <vector>

#include <seriatim/result.hpp>

#include "base/bytes.hpp"

namespace seriatim::format {

/// The uncompressed records section of `whole_batch`, whose structure was checked: what RecordCursor walks.
///
/// Without compression the result is a view into the batch, at no cost, and `scratch` is left alone. Else the
/// bytes are decompressed into `scratch`, which is cleared first and keeps its memory from call to call.
/// @param bytes_max  what the section may expand to at most: bounds what a damaged or hostile batch can
/// claim.
/// Errors: corrupt_record, unsupported_codec: as decompress().
Result<base::ByteSpan> record_section(base::ByteSpan whole_batch, std::size_t bytes_max,
                                      std::vector<std::byte>& scratch);

}  // namespace seriatim::format
