#include "consumer/record_pool.hpp"

namespace seriatim::consumer {

void SectionRef::reset() noexcept {
  Section* const section = std::exchange(section_, nullptr);
  if (section == nullptr || section->owners.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  const auto home = std::move(section->home);
  home->give_back(std::unique_ptr<Section>(section));
}

std::unique_ptr<detail::ConsumerRecordsImpl> RecordPool::take_records() {
  auto records = records_.take();
  if (records == nullptr) records = std::make_unique<detail::ConsumerRecordsImpl>();
  records->home = shared_from_this();
  return records;
}

SectionRef RecordPool::take_section() {
  auto section = sections_.take();
  if (section == nullptr) section = std::make_unique<Section>();
  section->home = shared_from_this();
  return SectionRef(std::move(section));
}

void RecordPool::give_back(std::unique_ptr<Section> section) noexcept {
  if (section->bytes.capacity() <= section_bytes_kept) sections_.put(std::move(section));
}

}  // namespace seriatim::consumer

namespace seriatim {
inline namespace v0 {
namespace detail {

void ConsumerRecordsImpl::clear() noexcept {
  views.truncate(0);
  ranges.clear();
  pins.clear();
  sections.clear();
}

void ConsumerRecordsImpl::recycle(std::unique_ptr<ConsumerRecordsImpl> impl) noexcept {
  if (impl == nullptr) return;
  impl->clear();
  const auto home = std::move(impl->home);
  home->give_back(std::move(impl));
}

ConsumerRecords ConsumerRecordsImpl::wrap(std::unique_ptr<ConsumerRecordsImpl> impl) noexcept {
  if (impl == nullptr || !impl->views.empty()) return ConsumerRecords(std::move(impl));
  recycle(std::move(impl));
  return {};
}

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
