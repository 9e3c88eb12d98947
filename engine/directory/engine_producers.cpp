// Producer ids and names.
#include <utility>

#include "directory/engine_impl.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {
namespace {

// Reserved in the catalog at a time, one transaction for all of them; Kafka's number. Ids that a crash loses
// are never given out again.
constexpr std::int32_t producer_id_block = 1000;

}  // namespace

Result<ProducerId> EngineImpl::new_producer_id() {
  const base::MutexLock guard(producer_ids_mutex);
  if (next_producer_id == producer_ids_end) {
    auto first = catalog->reserve_producer_ids(producer_id_block);
    if (!first) return first.error();
    next_producer_id = *first;
    producer_ids_end = *first + producer_id_block;
  }
  return next_producer_id++;
}

Result<catalog::NamedProducer> EngineImpl::named_producer(const std::string& name) {
  // One opening of a name at a time.
  const base::MutexLock guard(admin_mutex);
  auto known = catalog->named_producer(name);
  if (!known) return known.error();
  catalog::NamedProducer producer;
  if (*known) {
    producer = **known;
  } else {
    auto id = new_producer_id();
    if (!id) return id.error();
    producer = {.producer_id = *id, .producer_epoch = 0, .created_ms = clock.wall_ms()};
  }
  producer.last_used_ms = clock.wall_ms();
  if (auto stored = catalog->put_named_producer(name, producer); !stored) return stored.error();
  return producer;
}

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
