#include "format/journal/share_runs.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <string>

#include "base/checked.hpp"
#include "format/varint.hpp"

namespace seriatim::format {
namespace {

constexpr Offset offset_max = std::numeric_limits<Offset>::max();
// A gap and a length; and a state and a count.
constexpr std::size_t offsets_bytes_min = 2;
constexpr std::size_t run_bytes_min = 4;
constexpr std::size_t run_bytes_max = 2 * varlong_bytes_max + 1 + varint_bytes_max;

Error bad_runs(const std::string& what) {
  return {Errc::corrupt_metadata,
          "stored runs of a share group " + what +
              ". Their checksum is right, so they were written like this: report it as a bug of seriatim, "
              "with the file."};
}

// Behind the run before it: adjacent runs have a gap of 0.
std::byte* encode_share_offsets(std::byte* to, const ShareOffsets& offsets, Offset& end) noexcept {
  to = encode_varlong(to, offsets.first - end);
  to = encode_varlong(to, offsets.last - offsets.first);
  end = offsets.last + 1;
  return to;
}

void append_share_count(std::vector<std::byte>& to, std::size_t count) {
  to.resize(to.size() + sizeof(std::uint32_t));
  base::store_le(to.data() + to.size() - sizeof(std::uint32_t), base::narrow<std::uint32_t>(count));
}

// The number of runs that follow; nothing: the bytes cannot hold them.
std::optional<std::uint32_t> take_share_count(base::ByteSpan& from, std::size_t bytes_each) noexcept {
  if (from.size() < sizeof(std::uint32_t)) return std::nullopt;
  const auto count = base::load_le<std::uint32_t>(from.data());
  from = from.subspan(sizeof(std::uint32_t));
  return from.size() / bytes_each < count ? std::nullopt : std::optional(count);
}

// Takes numbers of one section. One form of each number is legal, the shortest.
class RunReader {
 public:
  explicit RunReader(base::ByteSpan& from) noexcept : from_(from) {}
  Offset number() noexcept {
    Offset value = 0;
    const std::byte* const end = from_.data() + from_.size();
    const std::byte* const behind = is_ok_ ? decode_varlong(from_.data(), end, value) : nullptr;
    std::byte shortest[varlong_bytes_max];
    is_ok_ = behind != nullptr && value >= 0 &&
             std::equal(from_.data(), behind, shortest, encode_varlong(shortest, value));
    if (!is_ok_) return 0;
    from_ = from_.subspan(static_cast<std::size_t>(behind - from_.data()));
    return value;
  }
  std::uint8_t byte() noexcept {
    is_ok_ = is_ok_ && !from_.empty();
    if (!is_ok_) return 0;
    const auto value = std::to_integer<std::uint8_t>(from_.front());
    from_ = from_.subspan(1);
    return value;
  }
  /// The largest offset is none of a record, so that there is always one behind a run.
  ShareOffsets offsets(Offset& end) noexcept {
    const Offset gap = number();
    const Offset more = number();
    is_ok_ = is_ok_ && gap < offset_max - end && more < offset_max - end - gap;
    if (!is_ok_) return {};
    const ShareOffsets taken{end + gap, end + gap + more};
    end = taken.last + 1;
    return taken;
  }
  bool is_ok() const noexcept { return is_ok_; }

 private:
  base::ByteSpan& from_;
  bool is_ok_ = true;
};

bool is_stored_state(std::uint8_t state) noexcept { return state <= 2 || state == 4; }

}  // namespace

void append_share_runs(std::vector<std::byte>& to, std::span<const ShareRun> runs) {
  append_share_count(to, runs.size());
  const std::size_t begin = to.size();
  to.resize(begin + runs.size() * run_bytes_max);
  std::byte* at = to.data() + begin;
  Offset end = 0;
  for (const ShareRun& run : runs) {
    at = encode_share_offsets(at, run.offsets, end);
    *at++ = std::byte{run.state};
    at = encode_varlong(at, run.delivery_count);
  }
  to.resize(static_cast<std::size_t>(at - to.data()));
}

void append_share_offsets(std::vector<std::byte>& to, std::span<const ShareOffsets> runs) {
  append_share_count(to, runs.size());
  const std::size_t begin = to.size();
  to.resize(begin + runs.size() * run_bytes_max);
  std::byte* at = to.data() + begin;
  Offset end = 0;
  for (const ShareOffsets& run : runs) at = encode_share_offsets(at, run, end);
  to.resize(static_cast<std::size_t>(at - to.data()));
}

Result<std::vector<ShareRun>> take_share_runs(base::ByteSpan& from) {
  const auto count = take_share_count(from, run_bytes_min);
  if (!count) return bad_runs("end before their number");
  RunReader in(from);
  std::vector<ShareRun> runs;
  runs.reserve(*count);
  Offset end = 0;
  for (std::uint32_t i = 0; i < *count; ++i) {
    ShareRun run{.offsets = in.offsets(end), .state = in.byte()};
    const Offset deliveries = in.number();
    if (!in.is_ok()) return bad_runs("are cut off, or beyond the last offset");
    if (!is_stored_state(run.state) || deliveries > std::numeric_limits<std::int16_t>::max()) {
      return bad_runs("have state " + std::to_string(run.state) + ", delivery count " +
                      std::to_string(deliveries));
    }
    run.delivery_count = static_cast<std::int16_t>(deliveries);
    runs.push_back(run);
  }
  return runs;
}

Result<std::vector<ShareOffsets>> take_share_offsets(base::ByteSpan& from) {
  const auto count = take_share_count(from, offsets_bytes_min);
  if (!count) return bad_runs("end before their number");
  RunReader in(from);
  std::vector<ShareOffsets> runs;
  runs.reserve(*count);
  Offset end = 0;
  for (std::uint32_t i = 0; i < *count; ++i) {
    runs.push_back(in.offsets(end));
    if (!in.is_ok()) return bad_runs("are cut off, or beyond the last offset");
  }
  return runs;
}

}  // namespace seriatim::format
