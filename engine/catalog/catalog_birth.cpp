#include "catalog/catalog_birth.hpp"

#include <filesystem>
#include <system_error>

#include "base/assert.hpp"
#include "catalog/lmdb/lmdb_env.hpp"
#include "catalog/record_store.hpp"
#include "catalog/records/catalog_schema.hpp"

namespace seriatim::catalog {

Result<void> create_catalog(const std::string& directory, const Id& directory_id, const CatalogFiles& files) {
  SERIATIM_ASSERT(files.process_identity != nullptr);
  CatalogOptions options;
  options.process_identity = files.process_identity;
  options.before_open = files.before_open;
  options.has_lock_file = files.has_lock_file;
  return Environment::create(directory, options, [&](WriteTransaction& out) {
    return put_record(out, Database::engine, engine_key, EngineRecord{directory_id, false, 0});
  });
}

Result<void> publish_catalog(const std::string& created, const std::string& final_name,
                             const CatalogFiles& files) {
  SERIATIM_ASSERT(files.rename != nullptr && files.sync_directory != nullptr);
  std::error_code failure;
  if (std::filesystem::exists(final_name, failure) || failure) {
    return Error(Errc::invalid_state,
                 "cannot publish the catalog as " + final_name +
                     ": something of that name is there already; open it, or move it away",
                 failure.value());
  }
  // The names of data.mdb and lock.mdb must be durable before the directory gets the name that promises them.
  if (Result<void> synced = files.sync_directory(created); !synced) return synced;
  if (Result<void> renamed = files.rename(created, final_name); !renamed) return renamed;
  return files.sync_directory(std::filesystem::path(final_name).parent_path().string());
}

}  // namespace seriatim::catalog
