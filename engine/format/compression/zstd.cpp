#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <memory>
#include <string>

#include "format/batch_layout.hpp"
#include "format/compression/codecs.hpp"

namespace seriatim::format {
namespace {

struct ZstdContextDeleter {
  void operator()(ZSTD_CCtx* context) const noexcept { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const noexcept { ZSTD_freeDCtx(context); }
};
using CompressionContext = std::unique_ptr<ZSTD_CCtx, ZstdContextDeleter>;
using DecompressionContext = std::unique_ptr<ZSTD_DCtx, ZstdContextDeleter>;

// Contexts are kept per thread, but not one that a high level or a large window blew up: a program has many
// threads. Above what the default level needs; arbitrary beyond that.
constexpr std::size_t kept_context_bytes_max = 8 * 1024 * 1024;

// The size to which the frame at the front of `in` claims to expand, as a guess to begin with; a claim that
// is out of proportion is not believed until the bytes come.
std::size_t first_room(base::ByteSpan in) noexcept {
  constexpr std::size_t small = 64 * 1024;
  const unsigned long long claim = ZSTD_getFrameContentSize(in.data(), in.size());
  const std::size_t plausible_max = std::max(in.size() * 64, small);
  if (claim == ZSTD_CONTENTSIZE_UNKNOWN || claim == ZSTD_CONTENTSIZE_ERROR) return in.size() * 3;
  return static_cast<std::size_t>(std::min<unsigned long long>(claim, plausible_max));
}

// Whether the frame at the front of `in` says that it expands to more than the records of a batch may take.
bool claims_too_much(base::ByteSpan in) noexcept {
  const unsigned long long claim = ZSTD_getFrameContentSize(in.data(), in.size());
  return claim != ZSTD_CONTENTSIZE_UNKNOWN && claim != ZSTD_CONTENTSIZE_ERROR && claim > batch_bytes_max;
}

// A frame that is right and cannot be read: what it has, or nothing.
std::string_view unsupported_zstd_feature(ZSTD_ErrorCode code, base::ByteSpan in) noexcept {
  switch (code) {
    case ZSTD_error_frameParameter_windowTooLarge:
      // The window of a frame of one segment is its content.
      if (claims_too_much(in)) return {};
      return "a window above 128 MiB, as long-distance matching makes it";
    case ZSTD_error_dictionary_wrong:
      return "a dictionary";
    case ZSTD_error_version_unsupported:
    case ZSTD_error_frameParameter_unsupported:
      return "a frame of another version of the format";
    default:
      return {};
  }
}

Result<void> run_decompression(ZSTD_DCtx* context, base::ByteSpan in, BoundedOutput& out) {
  const std::size_t wanted = first_room(in);
  ZSTD_inBuffer input{in.data(), in.size(), 0};
  while (true) {
    const base::MutableByteSpan room = out.room(wanted);
    ZSTD_outBuffer output{room.data(), room.size(), 0};
    const std::size_t hint = ZSTD_decompressStream(context, &output, &input);
    if (ZSTD_isError(hint)) {
      const std::string_view feature = unsupported_zstd_feature(ZSTD_getErrorCode(hint), in);
      if (!feature.empty()) return unsupported_section("zstd", in, feature);
      return damaged_section("zstd", in,
                             std::string("is damaged (").append(ZSTD_getErrorName(hint)).append(")"));
    }
    out.advance(output.pos);
    if (out.is_over()) return oversized_section("zstd", in, out.bytes_max());
    if (input.pos < input.size) continue;
    if (hint == 0) return {};
    // Input used up and output room left over: the frame wants more than there is.
    if (output.pos < output.size) return damaged_section("zstd", in, "is cut short");
  }
}

}  // namespace

Result<void> compress_zstd(std::optional<int> level, base::ByteSpan in, std::vector<std::byte>& out) {
  static thread_local CompressionContext context;
  if (context == nullptr) context.reset(ZSTD_createCCtx());
  if (context == nullptr) return codec_failed("zstd", "no memory for its state");
  const std::size_t before = out.size();
  out.resize(before + ZSTD_compressBound(in.size()));
  const std::size_t size = ZSTD_compressCCtx(context.get(), out.data() + before, out.size() - before,
                                             in.data(), in.size(), level.value_or(ZSTD_CLEVEL_DEFAULT));
  if (ZSTD_sizeof_CCtx(context.get()) > kept_context_bytes_max) context.reset();
  if (ZSTD_isError(size)) return codec_failed("zstd", ZSTD_getErrorName(size));
  out.resize(before + size);
  return {};
}

Result<void> decompress_zstd(base::ByteSpan in, BoundedOutput& out) {
  if (in.empty()) return damaged_section("zstd", in, "does not begin with a frame");
  static thread_local DecompressionContext context;
  if (context == nullptr) context.reset(ZSTD_createDCtx());
  if (context == nullptr) return codec_failed("zstd", "no memory for its state");
  // After an error the context is in the middle of the damaged frame.
  const std::size_t reset = ZSTD_DCtx_reset(context.get(), ZSTD_reset_session_only);
  if (ZSTD_isError(reset)) return codec_failed("zstd", ZSTD_getErrorName(reset));
  Result<void> done = run_decompression(context.get(), in, out);
  if (ZSTD_sizeof_DCtx(context.get()) > kept_context_bytes_max) context.reset();
  return done;
}

}  // namespace seriatim::format
