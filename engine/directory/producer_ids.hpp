// The ids and names of producers.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "catalog/catalog.hpp"
#include "transaction/producer_identity.hpp"

namespace seriatim::directory {

/// Threads: any.
class ProducerIds {
 public:
  /// @param catalog  there when anything is asked. Both outlive this.
  ProducerIds(std::optional<catalog::Catalog>& catalog, const base::Clock& clock)
      : catalog_(catalog), clock_(clock) {}

  /// An id that no producer of this directory ever had.
  /// Errors: as the catalog.
  Result<ProducerId> next() SERIATIM_EXCLUDES(ids_mutex_);
  /// The producer of that name; makes one if there is none.
  /// Errors: as the catalog.
  /// Durability: as the catalog's transactions, on return.
  Result<catalog::NamedProducer> named(const std::string& name) SERIATIM_EXCLUDES(names_mutex_);
  /// Makes `identity` the holder of its name: the one before it is fenced.
  void hold(const std::shared_ptr<transaction::ProducerIdentity>& identity, const std::string& name) {
    holders_.hold(name, identity);
  }
  /// Errors: not_found · invalid_state: it is open in this process · as the catalog.
  Result<> forget(std::string_view name) SERIATIM_EXCLUDES(names_mutex_);

 private:
  std::optional<catalog::Catalog>& catalog_;
  const base::Clock& clock_;
  base::Mutex names_mutex_;  ///< One opening, or forgetting, of a name at a time.
  base::Mutex ids_mutex_;
  ProducerId next_id_ SERIATIM_GUARDED_BY(ids_mutex_) = 0;  ///< Of those reserved ...
  ProducerId ids_end_ SERIATIM_GUARDED_BY(ids_mutex_) = 0;  ///< ... up to here.
  transaction::ProducerNames holders_;
};

}  // namespace seriatim::directory
