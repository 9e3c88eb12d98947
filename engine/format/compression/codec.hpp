// Kafka's four codecs over whole byte sections, framed as Kafka frames them.
// Threads: any; codec contexts are kept per thread.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include <seriatim/result.hpp>

#include "base/bytes.hpp"
#include "format/batch_header.hpp"

namespace seriatim::format {

/// Checks a compression level: gzip -1 or 1..9, lz4 1..17, zstd -131'072..22. None and snappy have no level;
/// one that is given is not looked at, as in Kafka.
/// Errors: invalid_config: outside that range. unsupported_codec: no such codec.
Result<void> check_level(Codec codec, std::optional<int> level);

/// Appends the compressed form of `in` to `out`; for Codec::none a copy.
///
/// Errors (`out` as before):
///   - invalid_config, unsupported_codec: as check_level.
///   - record_too_large: `in` exceeds 2^31 - 1 bytes.
///   - io_error: the codec failed, which it only does for want of memory.
Result<void> compress(Codec codec, std::optional<int> level, base::ByteSpan in, std::vector<std::byte>& out);

/// Appends the decompressed form of `in`, at most `out_bytes_max` bytes of it, to `out`.
///
/// Concatenated gzip members, zstd frames and snappy streams are read through, and raw snappy without a
/// stream header too; a second lz4 frame is an error, as in Kafka.
/// Errors (`out` as before; the message names neither file nor offset: the caller adds them):
///   - corrupt_record: `in` is damaged, cut short, has bytes after its end, or expands to more than
///     `out_bytes_max`.
///   - unsupported_codec: no such codec, or `in` uses a feature of it that is not read here (a zstd window
///     above 128 MiB, a dictionary, a later version of a frame). Where the checksum of the batch fits,
///     nothing is damaged.
///   - io_error: as compress.
Result<void> decompress(Codec codec, base::ByteSpan in, std::size_t out_bytes_max,
                        std::vector<std::byte>& out);

}  // namespace seriatim::format
