// One compressor and one decompressor per codec, for codec.cpp only: they append to `out` and may leave part
// of their work there when they fail.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include <seriatim/result.hpp>

#include "base/bytes.hpp"
#include "format/compression/bounded_output.hpp"

namespace seriatim::format {

Result<void> compress_gzip(std::optional<int> level, base::ByteSpan in, std::vector<std::byte>& out);
Result<void> compress_snappy(base::ByteSpan in, std::vector<std::byte>& out);
Result<void> compress_lz4(std::optional<int> level, base::ByteSpan in, std::vector<std::byte>& out);
Result<void> compress_zstd(std::optional<int> level, base::ByteSpan in, std::vector<std::byte>& out);

Result<void> decompress_gzip(base::ByteSpan in, BoundedOutput& out);
Result<void> decompress_snappy(base::ByteSpan in, BoundedOutput& out);
Result<void> decompress_lz4(base::ByteSpan in, BoundedOutput& out);
Result<void> decompress_zstd(base::ByteSpan in, BoundedOutput& out);

/// corrupt_record: "gzip section of 123 bytes <what>; ...".
Error damaged_section(std::string_view codec, base::ByteSpan in, std::string_view what);
/// unsupported_codec: the section is whole but uses a feature of its codec, <feature>, that is not read here.
Error unsupported_section(std::string_view codec, base::ByteSpan in, std::string_view feature);
/// corrupt_record: the section would expand to more than was allowed.
Error oversized_section(std::string_view codec, base::ByteSpan in, std::size_t bytes_max);
/// io_error: the codec library refused to work, which it only does for want of memory.
Error codec_failed(std::string_view codec, std::string_view what);

}  // namespace seriatim::format
