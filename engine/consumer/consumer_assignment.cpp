// A consumer's life, and what it is assigned.
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/boundary.hpp"
#include "consumer/consumer_impl.hpp"
#include "directory/option_rules.hpp"
#include "os/process.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {
namespace {

constexpr std::size_t group_bytes_max = 255;  // LMDB keys are short; see catalog::check_group_name

Result<> check(const ConsumerOptions& options) {
  if (options.commit_acks == Acks::none) {
    return Error(Errc::invalid_argument,
                 "ConsumerOptions::commit_acks is none, which promises nothing; choose leader or all");
  }
  if (auto checked = directory::check_choices(directory::consumer_choice_rules(), options); !checked)
    return checked;
  if (auto checked = directory::check_numbers(directory::consumer_option_rules(), options); !checked)
    return checked;
  if (options.auto_commit && options.group_id.empty()) {
    return Error(Errc::invalid_argument,
                 "ConsumerOptions::auto_commit is on, and group_id is empty, under which positions would be "
                 "committed; name a group, or leave auto_commit off");
  }
  if (options.group_id.size() > group_bytes_max || options.group_id.find('\0') != std::string::npos) {
    return Error(Errc::invalid_argument, "ConsumerOptions::group_id has " +
                                             std::to_string(options.group_id.size()) +
                                             " bytes; it must be at most " + std::to_string(group_bytes_max) +
                                             ", none of them zero, or empty: then nothing can be committed");
  }
  return {};
}

}  // namespace

Result<Consumer> ConsumerImpl::create(std::shared_ptr<EngineImpl> engine, ConsumerOptions options) {
  if (auto usable = engine->check_usable(); !usable) return usable.error();
  if (auto checked = check(options); !checked) return checked.error();
  return Consumer(std::make_unique<ConsumerImpl>(std::move(engine), std::move(options)));
}

ConsumerImpl::ConsumerImpl(std::shared_ptr<EngineImpl> engine_impl, ConsumerOptions consumer_options)
    : engine(std::move(engine_impl)), options(std::move(consumer_options)) {}

ConsumerImpl::~ConsumerImpl() {
  if (os::fork_generation() != engine->opened_in) subscription.forsake();
  release();
}

Result<consumer::SingleThread::Entry> ConsumerImpl::enter() {
  auto entry = thread.enter();
  if (!entry) return entry;
  if (auto usable = engine->check_usable(); !usable) return usable.error();
  return entry;
}

Result<> ConsumerImpl::assign(std::span<const TopicPartition> partitions) {
  if (!subscription && !thread.is_in_listener()) return replace_assignment(partitions);
  return Error(Errc::invalid_state,
               "this consumer subscribes to topics, and its group assigns the partitions; unsubscribe before "
               "assigning, or use another consumer");
}

Result<> ConsumerImpl::replace_assignment(std::span<const TopicPartition> partitions) {
  std::vector<std::unique_ptr<Assigned>> added;
  for (const auto& name : partitions) {
    auto log = engine->partition_log(name.topic, name.partition);
    if (!log) return log.error();
    added.push_back(std::make_unique<Assigned>(*std::move(log), name, pool));
    if (options.visibility == Visibility::durable) added.back()->reader.show_durable_only();
    if (options.isolation_level == IsolationLevel::read_uncommitted) added.back()->reader.show_uncommitted();
  }
  // From here on nothing can fail: the assignment changes as a whole.
  std::map<TopicPartition, std::unique_ptr<Assigned>*> before;
  for (auto& entry : assigned) before.emplace(entry->name(), &entry);
  std::vector<std::unique_ptr<Assigned>> next;
  std::vector<partition::PartitionLogPtr> logs;
  std::set<std::pair<TopicPartition, const partition::PartitionLog*>> taken;
  for (auto& candidate : added) {
    const auto& log = candidate->reader.log_ptr();
    if (!taken.emplace(candidate->name(), log.get()).second) continue;
    logs.push_back(log);
    const auto kept = before.find(candidate->name());
    const bool is_kept = kept != before.end() && *kept->second && (*kept->second)->reader.log_ptr() == log;
    next.push_back(is_kept ? std::move(*kept->second) : std::move(candidate));
  }
  assigned = std::move(next);
  first = 0;
  for (auto& entry : assigned) {
    const auto early = early_seeks.find(entry->name());
    if (early == early_seeks.end()) continue;
    entry->reader.seek(early->second);
    entry->pending = Pending::none;
    early_seeks.erase(early);
  }
  watch.watch(std::move(logs));
  announce_rest();
  return {};
}

std::vector<TopicPartition> ConsumerImpl::assignment() const {
  std::vector<TopicPartition> names;
  names.reserve(assigned.size());
  for (const auto& entry : assigned) names.push_back(entry->name());
  return names;
}

Result<ConsumerImpl::Assigned*> ConsumerImpl::find(const TopicPartition& topic_partition) const {
  const auto found = std::find_if(assigned.begin(), assigned.end(),
                                  [&](const auto& entry) { return entry->name() == topic_partition; });
  if (found == assigned.end()) {
    return Error(Errc::invalid_state,
                 name_text(topic_partition) + " is not assigned to this consumer; assign it first");
  }
  return found->get();
}

Result<> ConsumerImpl::set_paused(std::span<const TopicPartition> partitions, bool is_paused) {
  std::vector<Assigned*> named;
  for (const auto& name : partitions) {
    auto found = find(name);
    if (!found) return found.error();
    named.push_back(*found);
  }
  for (Assigned* entry : named) entry->is_paused = is_paused;
  announce_rest();
  return {};
}

std::vector<TopicPartition> ConsumerImpl::paused() const {
  std::vector<TopicPartition> names;
  for (const auto& entry : assigned) {
    if (entry->is_paused) names.push_back(entry->name());
  }
  return names;
}

void ConsumerImpl::close(GroupMembership wanted) noexcept {
  thread.close(wanted);
  slot->wake();
  // A thread that is inside, or the call of the listener, does the rest when it leaves.
  thread.finish_if_closed(consumer::SingleThread::Finisher::closes);
}

void ConsumerImpl::finish_close(consumer::SingleThread::Finisher finisher) noexcept {
  // The members of a forked child are the parent's.
  if (os::fork_generation() != engine->opened_in) return subscription.forsake();
  if (finisher == consumer::SingleThread::Finisher::closes) offsets.note_returned(false);
  const auto note = [this](const Result<>& done) {
    if (!done) engine->report(LogLevel::error, "closing a consumer: " + done.error().message());
  };
  const auto settle = [this] { return offsets.settle(consumer::AsyncCommits::Which::all); };
  // While it is a member: a callback may commit again. Then once more, for what the listener commits.
  note(base::answered(settle));
  note(base::answered([this] { return unsubscribe(thread.wanted_membership()); }));
  note(base::answered(settle));
  release();
}

void ConsumerImpl::release() noexcept {
  watch.end();
  assigned.clear();
  early_seeks.clear();
}

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
