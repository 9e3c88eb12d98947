// The implementation behind `FileSlice`.
#pragma once

#include <seriatim/log_reader.hpp>

#include "partition/read/fetch_slice.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {

struct FileSliceImpl {
  static FileSlice wrap(partition::FetchSlice slice);

  partition::FetchSlice slice{};
};

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
