// The stream form that snappy-java writes: a header, then blocks, each behind its length. The bare block
// format has no framing of its own.
#include <snappy.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "format/compression/codecs.hpp"

namespace seriatim::format {
namespace {

constexpr std::array<unsigned char, 8> stream_magic{0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0};
constexpr std::int32_t stream_version = 1;
constexpr std::size_t stream_header_bytes = stream_magic.size() + 2 * sizeof(std::int32_t);
constexpr std::size_t block_input_bytes = 32 * 1024;  // snappy-java's default

// The densest element of the block format copies 64 bytes and takes 3; whatever claims more is damage, and is
// refused before memory is set aside for it.
constexpr std::size_t expansion_max = 22;

const char* chars(const std::byte* bytes) noexcept { return reinterpret_cast<const char*>(bytes); }
char* chars(std::byte* bytes) noexcept { return reinterpret_cast<char*>(bytes); }

bool starts_stream(base::ByteSpan in) noexcept {
  return in.size() >= stream_header_bytes &&
         std::memcmp(in.data(), stream_magic.data(), stream_magic.size()) == 0;
}

// `section` is the whole that `block` is a part of, for the error message.
Result<void> decompress_block(base::ByteSpan section, base::ByteSpan block, BoundedOutput& out) {
  std::size_t size = 0;
  if (!snappy::GetUncompressedLength(chars(block.data()), block.size(), &size)) {
    return damaged_section("snappy", section, "has a block without a length");
  }
  if (size > out.remaining()) return oversized_section("snappy", section, out.bytes_max());
  if (size > block.size() * expansion_max) {
    return damaged_section("snappy", section, "has a block that claims more than it can hold");
  }
  const base::MutableByteSpan room = out.room_for(size);
  if (!snappy::RawUncompress(chars(block.data()), block.size(), chars(room.data()))) {
    return damaged_section("snappy", section, "has a damaged block");
  }
  out.advance(size);
  return {};
}

}  // namespace

Result<void> compress_snappy(base::ByteSpan in, std::vector<std::byte>& out) {
  const std::size_t before = out.size();
  out.resize(before + stream_header_bytes);
  std::memcpy(out.data() + before, stream_magic.data(), stream_magic.size());
  base::store_be(out.data() + before + stream_magic.size(), stream_version);
  base::store_be(out.data() + before + stream_magic.size() + sizeof(std::int32_t), stream_version);
  while (!in.empty()) {
    const base::ByteSpan piece = in.first(std::min(in.size(), block_input_bytes));
    const std::size_t block_length_at = out.size();
    const std::size_t block_at = block_length_at + sizeof(std::int32_t);
    out.resize(block_at + snappy::MaxCompressedLength(piece.size()));
    std::size_t block_bytes = 0;
    snappy::RawCompress(chars(piece.data()), piece.size(), chars(out.data() + block_at), &block_bytes);
    base::store_be(out.data() + block_length_at, static_cast<std::int32_t>(block_bytes));
    out.resize(block_at + block_bytes);
    in = in.subspan(piece.size());
  }
  return {};
}

Result<void> decompress_snappy(base::ByteSpan in, BoundedOutput& out) {
  if (!starts_stream(in)) return decompress_block(in, in, out);
  base::ByteSpan rest = in;
  while (!rest.empty()) {
    if (starts_stream(rest)) {
      // A later stream simply goes on where the one before it ended.
      const auto compatible_with =
          base::load_be<std::int32_t>(rest.data() + stream_header_bytes - sizeof(std::int32_t));
      if (compatible_with > stream_version)
        return unsupported_section("snappy", in, "a stream of a version above 1");
      rest = rest.subspan(stream_header_bytes);
      continue;
    }
    if (rest.size() < sizeof(std::int32_t)) return damaged_section("snappy", in, "is cut short");
    const auto block_bytes = base::load_be<std::int32_t>(rest.data());
    rest = rest.subspan(sizeof(std::int32_t));
    if (block_bytes < 0 || static_cast<std::size_t>(block_bytes) > rest.size()) {
      return damaged_section("snappy", in, "is cut short, or a block's length is damaged");
    }
    Result<void> done = decompress_block(in, rest.first(static_cast<std::size_t>(block_bytes)), out);
    if (!done) return done;
    rest = rest.subspan(static_cast<std::size_t>(block_bytes));
  }
  return {};
}

}  // namespace seriatim::format
