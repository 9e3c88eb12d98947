#include "format/compression/codec.hpp"

#include <string>

#include "format/batch_layout.hpp"
#include "format/compression/codecs.hpp"

namespace seriatim::format {
namespace {

// Kafka's ranges.
constexpr int gzip_level_default = -1;
constexpr int gzip_level_min = 1;
constexpr int gzip_level_max = 9;
constexpr int lz4_level_min = 1;
constexpr int lz4_level_max = 17;
constexpr int zstd_level_min = -131'072;
constexpr int zstd_level_max = 22;

Error no_such_codec(Codec codec) {
  return {Errc::unsupported_codec, "compression codec " + std::to_string(static_cast<int>(codec)) +
                                       " does not exist; use none, gzip, snappy, lz4 or zstd"};
}

Result<void> level_in_range(Codec codec, int level, int min, int max) {
  if (level >= min && level <= max) return {};
  return Error(Errc::invalid_config, "compression level " + std::to_string(level) + " of " +
                                         std::string(name(codec)) + " is outside its range; use " +
                                         std::to_string(min) + " to " + std::to_string(max) +
                                         ", or leave it to the codec");
}

Result<void> dispatch_compress(Codec codec, std::optional<int> level, base::ByteSpan in,
                               std::vector<std::byte>& out) {
  switch (codec) {
    case Codec::none:
      out.insert(out.end(), in.begin(), in.end());
      return {};
    case Codec::gzip:
      return compress_gzip(level, in, out);
    case Codec::snappy:
      return compress_snappy(in, out);
    case Codec::lz4:
      return compress_lz4(level, in, out);
    case Codec::zstd:
      return compress_zstd(level, in, out);
  }
  return no_such_codec(codec);
}

Result<void> dispatch_decompress(Codec codec, base::ByteSpan in, BoundedOutput& out) {
  switch (codec) {
    case Codec::none:
      break;
    case Codec::gzip:
      return decompress_gzip(in, out);
    case Codec::snappy:
      return decompress_snappy(in, out);
    case Codec::lz4:
      return decompress_lz4(in, out);
    case Codec::zstd:
      return decompress_zstd(in, out);
  }
  return no_such_codec(codec);
}

}  // namespace

Error damaged_section(std::string_view codec, base::ByteSpan in, std::string_view what) {
  std::string message(codec);
  message.append(" section of ").append(std::to_string(in.size())).append(" bytes ").append(what);
  return {Errc::corrupt_record,
          message.append("; restore the segment from a copy, or skip the offsets of this batch")};
}

Error unsupported_section(std::string_view codec, base::ByteSpan in, std::string_view feature) {
  std::string message(codec);
  message.append(" section of ").append(std::to_string(in.size())).append(" bytes has ").append(feature);
  return {
      Errc::unsupported_codec,
      message.append(
          ", which is not read here. Where the batch's checksum is right, as `seriatim verify` tells, "
          "nothing "
          "is damaged: read the batch with the program that wrote it, and have that write the records again "
          "with the codec's default settings")};
}

Error oversized_section(std::string_view codec, base::ByteSpan in, std::size_t bytes_max) {
  return damaged_section(codec, in,
                         "expands to more than the allowed " + std::to_string(bytes_max) + " bytes");
}

Error codec_failed(std::string_view codec, std::string_view what) {
  std::string message(codec);
  message.append(" failed: ").append(what);
  return {Errc::io_error, message.append("; free memory and retry")};
}

Result<void> check_level(Codec codec, std::optional<int> level) {
  if (codec > Codec::zstd) return no_such_codec(codec);
  if (!level.has_value()) return {};
  switch (codec) {
    case Codec::none:
    case Codec::snappy:
      return {};
    case Codec::gzip:
      if (*level == gzip_level_default) return {};
      return level_in_range(codec, *level, gzip_level_min, gzip_level_max);
    case Codec::lz4:
      return level_in_range(codec, *level, lz4_level_min, lz4_level_max);
    case Codec::zstd:
      return level_in_range(codec, *level, zstd_level_min, zstd_level_max);
  }
  return no_such_codec(codec);
}

Result<void> compress(Codec codec, std::optional<int> level, base::ByteSpan in, std::vector<std::byte>& out) {
  Result<void> legal = check_level(codec, level);
  if (!legal) return legal;
  if (in.size() > batch_bytes_max) {
    return Error(Errc::record_too_large,
                 "a section of " + std::to_string(in.size()) + " bytes is longer than any batch (" +
                     std::to_string(batch_bytes_max) + " bytes); split it over several batches");
  }
  const std::size_t before = out.size();
  Result<void> done = dispatch_compress(codec, level, in, out);
  if (!done) out.resize(before);
  return done;
}

Result<void> decompress(Codec codec, base::ByteSpan in, std::size_t out_bytes_max,
                        std::vector<std::byte>& out) {
  if (codec == Codec::none) {
    if (in.size() > out_bytes_max) return oversized_section(name(codec), in, out_bytes_max);
    out.insert(out.end(), in.begin(), in.end());
    return {};
  }
  if (in.size() > batch_bytes_max) return damaged_section(name(codec), in, "is longer than any batch");
  const std::size_t before = out.size();
  BoundedOutput bounded(out, out_bytes_max);
  Result<void> done = dispatch_decompress(codec, in, bounded);
  if (done && bounded.is_over()) done = oversized_section(name(codec), in, out_bytes_max);
  if (done) {
    bounded.trim();
  } else {
    out.resize(before);
  }
  return done;
}

}  // namespace seriatim::format
