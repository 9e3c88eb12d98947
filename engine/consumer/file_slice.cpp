// `FileSlice`.
#include "consumer/file_slice_impl.hpp"

#include <utility>

namespace seriatim {
inline namespace v0 {

FileSlice::FileSlice() noexcept = default;
FileSlice::FileSlice(FileSlice&&) noexcept = default;
FileSlice& FileSlice::operator=(FileSlice&&) noexcept = default;
FileSlice::~FileSlice() = default;

int FileSlice::fd() const noexcept {
  return impl_ != nullptr && impl_->slice.file != nullptr ? impl_->slice.file->descriptor() : -1;
}
std::uint64_t FileSlice::position() const noexcept { return impl_ != nullptr ? impl_->slice.position : 0; }
std::size_t FileSlice::size() const noexcept { return impl_ != nullptr ? impl_->slice.size_bytes : 0; }
Offset FileSlice::first_offset() const noexcept { return impl_ != nullptr ? impl_->slice.first_offset : 0; }
Offset FileSlice::next_offset() const noexcept { return impl_ != nullptr ? impl_->slice.next_offset : 0; }

std::span<const std::byte> FileSlice::bytes() const& noexcept {
  if (empty()) return {};
  return {impl_->slice.pin->log.data() + impl_->slice.position, impl_->slice.size_bytes};
}

namespace detail {

FileSlice FileSliceImpl::wrap(partition::FetchSlice slice) {
  FileSlice wrapped;
  wrapped.impl_ = std::make_unique<FileSliceImpl>(FileSliceImpl{std::move(slice)});
  return wrapped;
}

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
