// Steps that several functions of `Admin` share. Changes of a topic need EngineImpl::admin_mutex held.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include <seriatim/result.hpp>

#include "directory/engine_impl.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {

struct AdminImpl {
  /// Takes a topic into the registry as `record` says, once `store` has brought that to the catalog; its open
  /// partitions learn the configuration.
  static Result<> store_topic(EngineImpl& engine, const catalog::TopicRecord& record,
                              const std::function<Result<>()>& store);
  /// Takes a topic out of the catalog and the registry. From here on its name is in EngineImpl::deleting.
  /// Takes the admin mutex.
  /// @param noted  holds the name: behind the mark in the catalog no memory may be missing for it.
  static Result<directory::TopicPtr> begin_deletion(EngineImpl& engine, std::string_view name,
                                                    std::set<std::string, std::less<>>& noted);
  /// Ends the use of a deleted topic's files: waits for a step of maintenance that runs, without the mutex.
  static void let_go_of(EngineImpl& engine, const directory::Topic& topic);
  /// Removes the files of deleted topics of this name.
  static Result<> finish_deletion_of(EngineImpl& engine, const std::string& name);
  /// Checks, stores and applies a topic's overrides.
  static Result<> change_overrides(EngineImpl& engine, std::string_view topic,
                                   const std::map<std::string, std::string>& overrides);
  /// Whether a partition answers this because of its files: it is told as damaged, and hides no other.
  static bool is_damage(const Error& error) noexcept {
    return error.code() == Errc::corrupt_metadata || error.code() == Errc::corrupt_record;
  }
};

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
