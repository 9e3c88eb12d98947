#include "transaction/producer_identity.hpp"

#include <thread>
#include <utility>

namespace seriatim::transaction {

ProducerIdentity::ProducerIdentity(ProducerId id, ProducerEpoch epoch, std::string name)
    : id_(id), epoch_(epoch), name_(std::move(name)) {}

// Rare, and an append is short.
void ProducerIdentity::fence() noexcept {
  is_fenced_.store(true, std::memory_order_seq_cst);
  while (under_way_.load(std::memory_order_seq_cst) != 0) std::this_thread::yield();
}

Result<partition::PartitionAppend> ProducerIdentity::fenced() const {
  return Error(Errc::producer_fenced,
               "the producer named \"" + name_ +
                   "\" was opened again, so this handle of it is over; close it and use the "
                   "newer one, or give one of the two another name");
}

void ProducerNames::hold(std::string_view name, const std::shared_ptr<ProducerIdentity>& identity) {
  std::shared_ptr<ProducerIdentity> older;
  {
    const base::MutexLock lock(mutex_);
    auto& holder = holders_[std::string(name)];
    older = holder.lock();
    holder = identity;
  }
  if (older) older->fence();
}

bool ProducerNames::is_held(std::string_view name) const {
  const base::MutexLock lock(mutex_);
  const auto found = holders_.find(name);
  return found != holders_.end() && !found->second.expired();
}

}  // namespace seriatim::transaction
