// `DelayedMessages`: options, handles, lists.
#include <algorithm>
#include <utility>

#include <seriatim/admin.hpp>
#include <seriatim/exception.hpp>

#include "flow/delayed/delayed_codec.hpp"
#include "flow/delayed/delayed_messages_impl.hpp"

namespace seriatim {
inline namespace v0 {
namespace {

constexpr std::size_t delayed_name_bytes_max = 80;

Result<> check_delayed_options(const DelayedMessagesOptions& options) {
  if (options.name.empty() || options.name.size() > delayed_name_bytes_max ||
      options.name.find('\0') != std::string::npos) {
    return Error(Errc::invalid_argument,
                 "DelayedMessagesOptions::name has " + std::to_string(options.name.size()) +
                     " bytes; it must be 1 to " + std::to_string(delayed_name_bytes_max) +
                     ", none of them zero, the same after every restart");
  }
  if (options.acks != Acks::all && options.acks != Acks::leader) {
    return Error(Errc::invalid_argument, "DelayedMessagesOptions::acks is " +
                                             std::to_string(static_cast<int>(options.acks)) +
                                             "; it must be all (-1) or leader (1)");
  }
  return {};
}

Error delayed_moved_from() {
  return {Errc::closed, "this DelayedMessages was moved from; use the one it was moved to"};
}

}  // namespace

DelayedMessages::DelayedMessages(std::unique_ptr<detail::DelayedMessagesImpl> impl) noexcept
    : impl_(std::move(impl)) {}
DelayedMessages::DelayedMessages(DelayedMessages&&) noexcept = default;
DelayedMessages& DelayedMessages::operator=(DelayedMessages&&) noexcept = default;
DelayedMessages::~DelayedMessages() = default;

// By value, as all options are taken.
// NOLINTNEXTLINE(performance-unnecessary-value-param)
Result<DelayedMessages> DelayedMessages::open(const Engine& engine, DelayedMessagesOptions options) try {
  if (auto checked = check_delayed_options(options); !checked) return checked.error();
  return detail::DelayedMessagesImpl::open(engine, options);
} catch (...) {
  return current_error();
}

Result<std::string> DelayedMessages::schedule(const ProducerRecord& record, DueTime due,
                                              std::string_view id) try {
  if (!impl_) return delayed_moved_from();
  const DelayedRecord one{.record = record, .due = due, .id = id};
  auto ids = impl_->schedule(std::span(&one, 1));
  if (!ids) return ids.error();
  return std::move(ids->front());
} catch (...) {
  return current_error().with_outcome(Outcome::unknown);
}
Result<std::vector<std::string>> DelayedMessages::schedule(std::span<const DelayedRecord> records) try {
  if (!impl_) return delayed_moved_from();
  return impl_->schedule(records);
} catch (...) {
  return current_error().with_outcome(Outcome::unknown);
}
Result<std::string> DelayedMessages::schedule(Transaction& transaction, const ProducerRecord& record,
                                              DueTime due, std::string_view id) try {
  if (!impl_) return delayed_moved_from();
  return impl_->schedule(transaction, {.record = record, .due = due, .id = id});
} catch (...) {
  return current_error();
}
Result<bool> DelayedMessages::cancel(std::string_view id) try {
  if (!impl_) return delayed_moved_from();
  return impl_->cancel(id);
} catch (...) {
  return current_error().with_outcome(Outcome::unknown);
}
Result<bool> DelayedMessages::reschedule(std::string_view id, DueTime due) try {
  if (!impl_) return delayed_moved_from();
  return impl_->reschedule(id, due);
} catch (...) {
  return current_error().with_outcome(Outcome::unknown);
}
Result<bool> DelayedMessages::retry_parked(std::string_view id) try {
  if (!impl_) return delayed_moved_from();
  return impl_->retry_parked(id);
} catch (...) {
  return current_error().with_outcome(Outcome::unknown);
}
Result<std::optional<DelayedMessage>> DelayedMessages::find(std::string_view id) const try {
  if (!impl_) return delayed_moved_from();
  return impl_->find(id);
} catch (...) {
  return current_error();
}
Result<std::vector<DelayedMessage>> DelayedMessages::list(DelayedListing which, const DelayedPosition& after,
                                                          std::size_t limit) const try {
  if (!impl_) return delayed_moved_from();
  return impl_->tables().list(which, after, limit);
} catch (...) {
  return current_error();
}
Result<std::uint64_t> DelayedMessages::count(DelayedListing which) const try {
  if (!impl_) return delayed_moved_from();
  return impl_->tables().count(which);
} catch (...) {
  return current_error();
}
Result<std::uint64_t> DelayedMessages::deliver() try {
  if (!impl_) return delayed_moved_from();
  return impl_->deliver();
} catch (...) {
  return current_error();
}
void DelayedMessages::wake() noexcept {
  if (impl_) impl_->wake();
}
DelayedMetrics DelayedMessages::metrics() const noexcept {
  return impl_ ? impl_->metrics() : DelayedMetrics{};
}

Result<std::vector<DelayedMessage>> list_delayed_messages(const Engine& engine, std::string_view name,
                                                          DelayedListing which, const DelayedPosition& after,
                                                          std::size_t limit) try {
  auto tables = flow::DelayedTables::open(engine, name);
  if (!tables) return tables.error();
  return tables->list(which, after, limit);
} catch (...) {
  return current_error();
}

Result<std::uint64_t> count_delayed_messages(const Engine& engine, std::string_view name,
                                             DelayedListing which) try {
  auto tables = flow::DelayedTables::open(engine, name);
  if (!tables) return tables.error();
  return tables->count(which);
} catch (...) {
  return current_error();
}

Result<std::vector<std::string>> list_delayed_message_names(const Engine& engine) try {
  auto states = engine.admin().list_states();
  if (!states) return states.error();
  std::vector<std::string> names;
  for (const std::string& prefix : {flow::delayed_state({}), flow::parked_delayed_state({})}) {
    for (const std::string& state : *states) {
      if (state.starts_with(prefix)) names.push_back(state.substr(prefix.size()));
    }
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
} catch (...) {
  return current_error();
}

}  // namespace v0
}  // namespace seriatim
