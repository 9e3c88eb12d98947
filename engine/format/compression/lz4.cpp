// LZ4 frames as Kafka writes and accepts them: version 1, independent 64 KiB blocks, no checksums, no content
// size. The library's defaults link the blocks as soon as there is more than one, and Kafka refuses that.
#include <lz4frame.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <string>

#include "format/compression/codecs.hpp"

namespace seriatim::format {
namespace {

constexpr std::array<unsigned char, 4> frame_magic{0x04, 0x22, 0x4D, 0x18};

// Kafka's default level is called 9 and means the fast compressor; every other level means the other one,
// whose levels begin at 3 in this library.
constexpr int kafka_level_default = 9;
constexpr int high_compression_level_min = 3;

struct Lz4ContextDeleter {
  void operator()(LZ4F_cctx* context) const noexcept { LZ4F_freeCompressionContext(context); }
  void operator()(LZ4F_dctx* context) const noexcept { LZ4F_freeDecompressionContext(context); }
};

LZ4F_cctx* compression_context() {
  static thread_local const std::unique_ptr<LZ4F_cctx, Lz4ContextDeleter> context([] {
    LZ4F_cctx* made = nullptr;
    return LZ4F_isError(LZ4F_createCompressionContext(&made, LZ4F_VERSION)) ? nullptr : made;
  }());
  return context.get();
}

LZ4F_dctx* decompression_context() {
  static thread_local const std::unique_ptr<LZ4F_dctx, Lz4ContextDeleter> context([] {
    LZ4F_dctx* made = nullptr;
    return LZ4F_isError(LZ4F_createDecompressionContext(&made, LZ4F_VERSION)) ? nullptr : made;
  }());
  if (context != nullptr) LZ4F_resetDecompressionContext(context.get());
  return context.get();
}

LZ4F_preferences_t preferences_for(std::optional<int> level) noexcept {
  LZ4F_preferences_t preferences{};
  preferences.frameInfo.blockSizeID = LZ4F_max64KB;
  preferences.frameInfo.blockMode = LZ4F_blockIndependent;
  preferences.frameInfo.contentChecksumFlag = LZ4F_noContentChecksum;
  preferences.autoFlush = 1;  // the whole input is there at once: nothing needs to be gathered in between
  const int wanted = level.value_or(kafka_level_default);
  preferences.compressionLevel =
      wanted == kafka_level_default ? 0 : std::max(wanted, high_compression_level_min);
  return preferences;
}

// A frame that is right and cannot be read: what it has, or nothing. The second byte of flags is that of the
// block size, whose other bits are reserved as well.
std::string_view unsupported_lz4_feature(base::ByteSpan in) noexcept {
  constexpr unsigned version = 1;
  constexpr unsigned reserved_flag = 0x02;
  constexpr unsigned dictionary_flag = 0x01;
  constexpr unsigned reserved_size_bits = 0x8F;
  if (in.size() < frame_magic.size() + 2) return {};
  const auto flags = std::to_integer<unsigned>(in[frame_magic.size()]);
  const auto block_size = std::to_integer<unsigned>(in[frame_magic.size() + 1]);
  if (flags >> 6 != version || (flags & reserved_flag) != 0 || (block_size & reserved_size_bits) != 0)
    return "a frame of another version of the format";
  return (flags & dictionary_flag) != 0 ? std::string_view("a dictionary") : std::string_view();
}

}  // namespace

Result<void> compress_lz4(std::optional<int> level, base::ByteSpan in, std::vector<std::byte>& out) {
  LZ4F_cctx* const context = compression_context();
  if (context == nullptr) return codec_failed("lz4", "no memory for its state");
  const LZ4F_preferences_t preferences = preferences_for(level);
  const std::size_t before = out.size();
  // compressBound counts the end mark; the frame header comes on top.
  out.resize(before + LZ4F_HEADER_SIZE_MAX + LZ4F_compressBound(in.size(), &preferences));
  std::size_t used = before;
  std::size_t step = LZ4F_compressBegin(context, out.data() + used, out.size() - used, &preferences);
  if (LZ4F_isError(step)) return codec_failed("lz4", LZ4F_getErrorName(step));
  used += step;
  step = LZ4F_compressUpdate(context, out.data() + used, out.size() - used, in.data(), in.size(), nullptr);
  if (LZ4F_isError(step)) return codec_failed("lz4", LZ4F_getErrorName(step));
  used += step;
  step = LZ4F_compressEnd(context, out.data() + used, out.size() - used, nullptr);
  if (LZ4F_isError(step)) return codec_failed("lz4", LZ4F_getErrorName(step));
  out.resize(used + step);
  return {};
}

Result<void> decompress_lz4(base::ByteSpan in, BoundedOutput& out) {
  // The library would also take skippable and legacy frames, which Kafka does not know.
  if (in.size() < frame_magic.size() || std::memcmp(in.data(), frame_magic.data(), frame_magic.size()) != 0) {
    return damaged_section("lz4", in, "does not begin with a frame");
  }
  LZ4F_dctx* const context = decompression_context();
  if (context == nullptr) return codec_failed("lz4", "no memory for its state");
  base::ByteSpan rest = in;
  while (true) {
    const base::MutableByteSpan room = out.room(in.size() * 3);
    std::size_t written = room.size();
    std::size_t consumed = rest.size();
    const std::size_t hint = LZ4F_decompress(context, room.data(), &written, rest.data(), &consumed, nullptr);
    if (LZ4F_isError(hint)) {
      const std::string_view feature = unsupported_lz4_feature(in);
      if (!feature.empty()) return unsupported_section("lz4", in, feature);
      return damaged_section("lz4", in,
                             std::string("is damaged (").append(LZ4F_getErrorName(hint)).append(")"));
    }
    out.advance(written);
    rest = rest.subspan(consumed);
    if (out.is_over()) return oversized_section("lz4", in, out.bytes_max());
    if (hint == 0) break;
    // Input used up and output room left over: the frame wants more than there is.
    if (rest.empty() && written < room.size()) return damaged_section("lz4", in, "is cut short");
  }
  return rest.empty() ? Result<void>() : damaged_section("lz4", in, "has bytes after the end of its frame");
}

}  // namespace seriatim::format
