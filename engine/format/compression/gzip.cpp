#include <algorithm>
#include <array>
#include <limits>

#include <zlib.h>

#include "format/compression/codecs.hpp"

namespace seriatim::format {
namespace {

constexpr int gzip_window_bits =
    15 + 16;                     // zlib.h: 15 is the largest window, 16 more asks for the gzip wrapper
constexpr int memory_level = 8;  // zlib.h: the default

// zlib does not write through next_in; its member is only const when the application asks at build time.
Bytef* input_of(base::ByteSpan in) noexcept {
  return const_cast<Bytef*>(reinterpret_cast<const Bytef*>(in.data()));
}

// A deflate state is a quarter of a megabyte to set up, so each thread keeps one.
class Deflater {
 public:
  Deflater() = default;
  ~Deflater() {
    if (is_open_) deflateEnd(&stream_);
  }
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;

  /// The state, ready for a new member; nullptr if there is no memory for it.
  z_stream* begin(int level) noexcept {
    if (is_open_ && level == level_) return deflateReset(&stream_) == Z_OK ? &stream_ : nullptr;
    if (is_open_) deflateEnd(&stream_);
    stream_ = {};
    is_open_ =
        deflateInit2(&stream_, level, Z_DEFLATED, gzip_window_bits, memory_level, Z_DEFAULT_STRATEGY) == Z_OK;
    level_ = level;
    return is_open_ ? &stream_ : nullptr;
  }

 private:
  z_stream stream_{};
  int level_ = Z_DEFAULT_COMPRESSION;
  bool is_open_ = false;
};

class Inflater {
 public:
  Inflater() = default;
  ~Inflater() {
    if (is_open_) inflateEnd(&stream_);
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  /// The state, ready for a new member; nullptr if there is no memory for it.
  z_stream* begin() noexcept {
    if (is_open_) return inflateReset(&stream_) == Z_OK ? &stream_ : nullptr;
    stream_ = {};
    is_open_ = inflateInit2(&stream_, gzip_window_bits) == Z_OK;
    return is_open_ ? &stream_ : nullptr;
  }

 private:
  z_stream stream_{};
  bool is_open_ = false;
};

uInt clamp_size(std::size_t size) noexcept {
  return static_cast<uInt>(std::min<std::size_t>(size, std::numeric_limits<uInt>::max()));
}

// A member that is right and cannot be read: what it has, or nothing. RFC 1952 knows one method, and sets
// aside three bits of the flags.
std::string_view unsupported_gzip_feature(base::ByteSpan in) noexcept {
  constexpr std::array<std::byte, 2> magic{std::byte{0x1F}, std::byte{0x8B}};
  constexpr std::byte deflate_method{8};
  constexpr std::byte reserved_flags{0xE0};
  if (in.size() < 4 || !std::equal(magic.begin(), magic.end(), in.begin())) return {};
  if (in[2] != deflate_method) return "another method than deflate";
  return (in[3] & reserved_flags) != std::byte{0} ? "flags of a later version of the format"
                                                  : std::string_view();
}

}  // namespace

Result<void> compress_gzip(std::optional<int> level, base::ByteSpan in, std::vector<std::byte>& out) {
  static thread_local Deflater deflater;
  z_stream* const stream = deflater.begin(level.value_or(Z_DEFAULT_COMPRESSION));
  if (stream == nullptr) return codec_failed("gzip", "no memory for its state");
  const std::size_t before = out.size();
  out.resize(before + deflateBound(stream, static_cast<uLong>(in.size())));
  stream->next_in = input_of(in);
  stream->avail_in = clamp_size(in.size());
  stream->next_out = reinterpret_cast<Bytef*>(out.data() + before);
  stream->avail_out = clamp_size(out.size() - before);
  // One call is enough: deflateBound is an upper bound for a single Z_FINISH.
  if (deflate(stream, Z_FINISH) != Z_STREAM_END)
    return codec_failed("gzip", "its own size bound was exceeded");
  out.resize(before + stream->total_out);
  return {};
}

Result<void> decompress_gzip(base::ByteSpan in, BoundedOutput& out) {
  static thread_local Inflater inflater;
  z_stream* const stream = inflater.begin();
  if (stream == nullptr) return codec_failed("gzip", "no memory for its state");
  stream->next_in = input_of(in);
  stream->avail_in = clamp_size(in.size());
  base::ByteSpan member = in;
  while (true) {
    // Text compresses to about a third.
    const base::MutableByteSpan room = out.room(in.size() * 3);
    stream->next_out = reinterpret_cast<Bytef*>(room.data());
    stream->avail_out = clamp_size(room.size());
    const uInt offered = stream->avail_out;
    const int status = inflate(stream, Z_NO_FLUSH);
    out.advance(offered - stream->avail_out);
    if (out.is_over()) return oversized_section("gzip", in, out.bytes_max());
    if (status == Z_STREAM_END) {
      if (stream->avail_in == 0) return {};
      if (inflateReset(stream) != Z_OK) return codec_failed("gzip", "its state could not be reset");
      member = in.last(stream->avail_in);
      continue;
    }
    if (status == Z_MEM_ERROR) return codec_failed("gzip", "no memory for its window");
    if (status != Z_OK && status != Z_BUF_ERROR) {
      const std::string_view feature = unsupported_gzip_feature(member);
      if (!feature.empty()) return unsupported_section("gzip", in, feature);
      return damaged_section("gzip", in, stream->msg != nullptr ? stream->msg : "is damaged");
    }
    if (stream->avail_in == 0 && stream->avail_out != 0) return damaged_section("gzip", in, "is cut short");
  }
}

}  // namespace seriatim::format
