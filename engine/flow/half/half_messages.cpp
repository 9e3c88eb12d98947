// `HalfMessages`: options, handles, lists.
#include <algorithm>
#include <set>
#include <utility>

#include <seriatim/admin.hpp>
#include <seriatim/exception.hpp>

#include "flow/half/half_messages_impl.hpp"

namespace seriatim {
inline namespace v0 {
namespace {

constexpr std::size_t name_bytes_max = 80;
constexpr std::size_t list_page_entries = 256;

Result<> check_half_options(const HalfMessagesOptions& options) {
  if (options.name.empty() || options.name.size() > name_bytes_max ||
      options.name.find('\0') != std::string::npos) {
    return Error(Errc::invalid_argument, "HalfMessagesOptions::name has " +
                                             std::to_string(options.name.size()) +
                                             " bytes; it must be 1 to " + std::to_string(name_bytes_max) +
                                             ", none of them zero, the same after every restart");
  }
  const std::pair<std::string_view, std::chrono::milliseconds> times[] = {
      {"check_after", options.check_after},
      {"check_every", options.check_every},
      {"decision_retention", options.decision_retention}};
  for (const auto& [option, time] : times) {
    if (time.count() >= 0) continue;
    return Error(Errc::invalid_argument, "HalfMessagesOptions::" + std::string(option) + " is " +
                                             std::to_string(time.count()) + " ms; it must be 0 ms or more");
  }
  if (options.max_checks == 0) {
    return Error(Errc::invalid_argument,
                 "HalfMessagesOptions::max_checks is 0; give 1 or more, or open without a check function");
  }
  using GiveUp = HalfMessagesOptions::GiveUp;
  if (options.give_up != GiveUp::park && options.give_up != GiveUp::roll_back) {
    return Error(Errc::invalid_argument, "HalfMessagesOptions::give_up is " +
                                             std::to_string(static_cast<int>(options.give_up)) +
                                             "; it must be park (0) or roll_back (1)");
  }
  return {};
}

Result<> list_table(const Engine& engine, const std::string& table, std::vector<HalfMessage>& messages) {
  auto state = engine.state(table);
  if (!state) return state.error();
  std::string from;
  for (;;) {
    auto page = state->scan(from, list_page_entries);
    if (!page) return page.error();
    for (const StateEntry& entry : *page) {
      from.assign(reinterpret_cast<const char*>(entry.key.data()), entry.key.size());
      auto half = flow::decode_half(from, entry.value);
      if (!half) return flow::unreadable(table, from);
      messages.push_back(std::move(half->message));
    }
    if (page->size() < list_page_entries) return {};
    from.push_back('\0');
  }
}

Error moved_from() { return {Errc::closed, "this HalfMessages was moved from; use the one it was moved to"}; }

}  // namespace

PreparedHalf::PreparedHalf(std::shared_ptr<detail::HalfMessagesImpl> impl, std::string id) noexcept
    : impl_(std::move(impl)), id_(std::move(id)) {}
PreparedHalf::PreparedHalf(PreparedHalf&&) noexcept = default;
PreparedHalf& PreparedHalf::operator=(PreparedHalf&& other) noexcept {
  release();
  impl_ = std::move(other.impl_);
  id_ = std::move(other.id_);
  return *this;
}
PreparedHalf::~PreparedHalf() { release(); }
void PreparedHalf::release() noexcept {
  if (impl_) impl_->release(id_);
}

HalfMessages::HalfMessages(std::shared_ptr<detail::HalfMessagesImpl> impl) noexcept
    : impl_(std::move(impl)) {}
HalfMessages::HalfMessages(HalfMessages&&) noexcept = default;
HalfMessages& HalfMessages::operator=(HalfMessages&& other) noexcept {
  if (impl_ && impl_ != other.impl_) impl_->stop();
  impl_ = std::move(other.impl_);
  return *this;
}
HalfMessages::~HalfMessages() {
  if (impl_) impl_->stop();
}

Result<HalfMessages> HalfMessages::open(const Engine& engine, HalfMessagesOptions options,
                                        HalfCheck check) try {
  if (auto checked = check_half_options(options); !checked) return checked.error();
  return detail::HalfMessagesImpl::open(engine, std::move(options), std::move(check));
} catch (...) {
  return current_error();
}

Result<PreparedHalf> HalfMessages::prepare(const ProducerRecord& record) try {
  if (!impl_) return moved_from();
  return impl_->prepare(record);
} catch (...) {
  return current_error();
}
Result<HalfDecision> HalfMessages::commit(std::string_view id) try {
  if (!impl_) return moved_from();
  return impl_->decide(std::string(id), HalfDecision::committed);
} catch (...) {
  return current_error();
}
Result<HalfDecision> HalfMessages::rollback(std::string_view id) try {
  if (!impl_) return moved_from();
  return impl_->decide(std::string(id), HalfDecision::rolled_back);
} catch (...) {
  return current_error();
}
Result<HalfCheckSummary> HalfMessages::check() try {
  if (!impl_) return moved_from();
  return impl_->check_all();
} catch (...) {
  return current_error();
}
Result<std::vector<HalfMessage>> HalfMessages::list() const try {
  if (!impl_) return moved_from();
  return list_half_messages(impl_->engine(), impl_->name());
} catch (...) {
  return current_error();
}

Result<std::vector<HalfMessage>> list_half_messages(const Engine& engine, std::string_view name) {
  std::vector<HalfMessage> messages;
  // A read-only engine may find what no writer has moved yet.
  for (const std::string& table : {flow::older_undecided_state(name), flow::undecided_state(name)}) {
    if (auto listed = list_table(engine, table, messages); !listed) return listed.error();
  }
  const auto is_before = [](const HalfMessage& a, const HalfMessage& b) { return a.id < b.id; };
  std::sort(messages.begin(), messages.end(), is_before);
  // One that was moved between the two looks was seen in both.
  const auto is_same = [](const HalfMessage& a, const HalfMessage& b) { return a.id == b.id; };
  messages.erase(std::unique(messages.begin(), messages.end(), is_same), messages.end());
  return messages;
}

Result<std::vector<std::string>> list_half_message_names(const Engine& engine) {
  auto states = engine.admin().list_states();
  if (!states) return states.error();
  std::set<std::string> names;
  for (const std::string& prefix : {flow::older_undecided_state({}), flow::undecided_state({})}) {
    for (const std::string& state : *states) {
      if (state.starts_with(prefix)) names.insert(state.substr(prefix.size()));
    }
  }
  return std::vector<std::string>(names.begin(), names.end());
}

}  // namespace v0
}  // namespace seriatim
