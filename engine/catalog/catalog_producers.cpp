// The part of Catalog that knows producers: ids, names, transactional ids.
#include <limits>
#include <utility>

#include "catalog/catalog.hpp"
#include "catalog/lmdb/lmdb_env.hpp"
#include "catalog/record_store.hpp"
#include "catalog/records/catalog_schema.hpp"
#include "catalog/records/topic_name.hpp"

namespace seriatim::catalog {
namespace {

// All records of a database whose keys are names.
template <class Record>
Result<std::map<std::string, Record>> all_named(const Environment& environment, Database database,
                                                Result<Record> (*parse)(const ReadTransaction&,
                                                                        std::string_view, base::ByteSpan)) {
  std::map<std::string, Record> all;
  Result<void> read = environment.read([&](ReadTransaction& in) {
    all.clear();
    return in.scan(database, {}, [&](std::string_view name, base::ByteSpan value) -> Result<bool> {
      Result<Record> record = parse(in, name, value);
      if (!record) return std::move(record).error();
      all.emplace_hint(all.end(), name, std::move(*record));
      return true;
    });
  });
  if (!read) return std::move(read).error();
  return all;
}

Result<void> erase_named(Environment& environment, Database database, std::string_view name) {
  return environment.write([&](WriteTransaction& out) -> Result<void> {
    const Result<bool> erased = out.erase(database, name);
    if (!erased) return erased.error();
    return {};
  });
}

}  // namespace

Result<ProducerId> Catalog::reserve_producer_ids(std::int32_t count) {
  if (count < 1) {
    return Error(Errc::invalid_argument,
                 "cannot reserve " + std::to_string(count) + " producer ids; reserve 1 or more");
  }
  ProducerId first = 0;
  Result<void> written = environment_->write([&](WriteTransaction& out) -> Result<void> {
    Result<ProducerIds> ids = get_producer_ids(out);
    if (!ids) return std::move(ids).error();
    if (count > std::numeric_limits<ProducerId>::max() - ids->end) {
      return Error(Errc::invalid_state, "catalog " + out.directory() + ": " + std::to_string(count) +
                                            " more producer ids would pass 2^63, the next is " +
                                            std::to_string(ids->end) + "; begin a new data directory");
    }
    first = ids->end;
    ids->end += count;
    return put_record(out, Database::engine, producer_ids_key, *ids);
  });
  if (!written) return std::move(written).error();
  return first;
}

Result<ProducerId> Catalog::producer_id_end() const {
  ProducerId end = 0;
  Result<void> read = environment_->read([&](ReadTransaction& in) -> Result<void> {
    const Result<ProducerIds> ids = get_producer_ids(in);
    if (!ids) return ids.error();
    end = ids->end;
    return {};
  });
  if (!read) return std::move(read).error();
  return end;
}

Result<std::optional<NamedProducer>> Catalog::named_producer(std::string_view name) const {
  std::optional<NamedProducer> producer;
  Result<void> read = environment_->read([&](ReadTransaction& in) -> Result<void> {
    const Result<std::optional<NamedProducer>> found = get_named_producer(in, name);
    if (!found) return found.error();
    producer = *found;
    return {};
  });
  if (!read) return std::move(read).error();
  return producer;
}

Result<void> Catalog::put_named_producer(std::string_view name, const NamedProducer& producer) {
  if (Result<void> named = check_producer_name(name); !named) return named;
  if (producer.producer_id < 0 || producer.producer_epoch < 0)
    return negative_producer_number("producer", name);
  return environment_->write(
      [&](WriteTransaction& out) { return put_record(out, Database::producers, name, producer); });
}

Result<std::map<std::string, NamedProducer>> Catalog::named_producers() const {
  return all_named(*environment_, Database::producers, parse_named_producer);
}

Result<void> Catalog::delete_named_producer(std::string_view name) {
  return erase_named(*environment_, Database::producers, name);
}

Result<std::map<std::string, TransactionalId>> Catalog::transactional_ids() const {
  return all_named(*environment_, Database::transactional_ids, parse_transactional_id);
}

Result<void> Catalog::put_transactional_id(std::string_view id, const TransactionalId& record) {
  if (Result<void> checked = check_transactional_id(id, record); !checked) return checked;
  return environment_->write(
      [&](WriteTransaction& out) { return put_record(out, Database::transactional_ids, id, record); });
}

Result<void> Catalog::delete_transactional_id(std::string_view id) {
  return erase_named(*environment_, Database::transactional_ids, id);
}

}  // namespace seriatim::catalog
