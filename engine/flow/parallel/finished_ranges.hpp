// The records behind a committed position that are finished all the same, as they are kept with the position.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <seriatim/types.hpp>

namespace seriatim {
inline namespace v0 {
namespace detail {

struct OffsetRange {
  Offset first = 0;
  Offset end = 0;  ///< Above `first`.
  bool operator==(const OffsetRange&) const = default;
};

/// The last finished record, by which a later owner sees that the log is the one that the ranges are of: a
/// power cut may take records, and others get their offsets.
struct FinishedMark {
  Offset offset = -1;
  std::uint64_t fingerprint = 0;
  bool operator==(const FinishedMark&) const = default;
};

struct FinishedRanges {
  std::vector<OffsetRange> ranges{};  ///< Ascending, apart from each other, all above the position.
  FinishedMark mark{};                ///< Not below the last range that is there.
  bool operator==(const FinishedRanges&) const = default;
};

/// Of the metadata of a commit, which takes no more.
constexpr std::size_t finished_bytes_max = 4'096;

/// The position behind the ranges that begin at `position` or below; they go.
Offset join_position(Offset position, FinishedRanges& finished);
/// Printable text, at most `bytes_max`: of ranges that do not fit the later ones are left out. Empty where
/// there are none.
std::string encode_finished(Offset position, const FinishedRanges& finished,
                            std::size_t bytes_max = finished_bytes_max);
/// None, where the metadata is not of `encode_finished`, of another position, of a later version, or broken.
FinishedRanges decode_finished(const OffsetAndMetadata& committed);

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
