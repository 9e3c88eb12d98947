#include "flow/route/transaction_slots.hpp"

#include <utility>

#include <seriatim/error.hpp>

#include "flow/recipe_producer.hpp"

namespace seriatim::flow {

TransactionSlots::TransactionSlots(const Engine& engine, const std::vector<std::string>& ids, Acks acks)
    : engine_(engine), acks_(acks) {
  slots_.reserve(ids.size());
  free_.reserve(ids.size());  // Giving one back allocates nothing.
  for (const std::string& id : ids) slots_.push_back({.id = id});
  for (std::size_t i = ids.size(); i > 0; --i) free_.push_back(i - 1);
}

TransactionSlots::Lease::Lease(TransactionSlots& slots) : slots_(slots) {
  std::unique_lock lock(slots_.mutex_);
  slots_.freed_.wait(lock, [&] { return !slots_.free_.empty(); });
  index_ = slots_.free_.back();
  slots_.free_.pop_back();
}

TransactionSlots::Lease::~Lease() {
  {
    const std::lock_guard lock(slots_.mutex_);
    slots_.free_.push_back(index_);
  }
  slots_.freed_.notify_one();
}

Result<> TransactionSlots::open(Slot& slot) const {
  auto opened = open_recipe_producer(engine_, slot.id, acks_);
  if (!opened) return opened.error();
  slot.producer = *std::move(opened);
  return {};
}

// A producer that somebody fenced, or whose last transaction has not ended, is opened again.
Result<Transaction> TransactionSlots::begin(Slot& slot) const {
  if (slot.producer) {
    auto begun = slot.producer->begin();
    if (begun) return begun;
    slot.producer.reset();
  }
  if (auto opened = open(slot); !opened) return opened.error();
  return slot.producer->begin();
}

Result<> TransactionSlots::run(const Change& change) {
  const Lease lease(*this);
  auto transaction = begin(*lease);
  if (!transaction) return transaction.error();
  if (auto changed = change(*transaction); !changed) return changed;
  auto committed = transaction->commit();
  // Once more where the disk was full: what was staged before may have found room.
  if (!committed && committed.error().outcome() == Outcome::unknown) committed = transaction->commit();
  return committed;
}

}  // namespace seriatim::flow
