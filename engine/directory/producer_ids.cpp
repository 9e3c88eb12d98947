#include "directory/producer_ids.hpp"

namespace seriatim::directory {
namespace {

// Reserved in the catalog at a time, one transaction for all of them; Kafka's number. Ids that a crash loses
// are never given out again.
constexpr std::int32_t producer_id_block = 1000;

}  // namespace

Result<ProducerId> ProducerIds::next() {
  const base::MutexLock guard(ids_mutex_);
  if (next_id_ == ids_end_) {
    auto first = catalog_->reserve_producer_ids(producer_id_block);
    if (!first) return first.error();
    next_id_ = *first;
    ids_end_ = *first + producer_id_block;
  }
  return next_id_++;
}

Result<catalog::NamedProducer> ProducerIds::named(const std::string& name) {
  const base::MutexLock guard(names_mutex_);
  auto known = catalog_->named_producer(name);
  if (!known) return known.error();
  catalog::NamedProducer producer;
  if (*known) {
    producer = **known;
  } else {
    auto id = next();
    if (!id) return id.error();
    producer = {.producer_id = *id, .producer_epoch = 0, .created_ms = clock_.wall_ms()};
  }
  producer.last_used_ms = clock_.wall_ms();
  if (auto stored = catalog_->put_named_producer(name, producer); !stored) return stored.error();
  return producer;
}

Result<> ProducerIds::forget(std::string_view name) {
  const base::MutexLock guard(names_mutex_);
  auto known = catalog_->named_producer(name);
  if (!known) return known.error();
  if (!*known) {
    return Error(Errc::not_found, "there is no producer named \"" + std::string(name) +
                                      "\"; `seriatim producer list` shows those there are");
  }
  if (holders_.is_held(name)) {
    return Error(Errc::invalid_state, "the producer named \"" + std::string(name) +
                                          "\" is open in this process; close it, then forget it");
  }
  return catalog_->delete_named_producer(name);
}

}  // namespace seriatim::directory
