// A share consumer's life, and its topics.
#include "consumer/share/share_consumer_impl.hpp"

#include <algorithm>

#include "base/boundary.hpp"
#include "base/saturate.hpp"
#include "directory/option_rules.hpp"
#include "os/process.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {
namespace {

Result<> check(const ShareConsumerOptions& options) {
  if (options.commit_acks == Acks::none) {
    return Error(Errc::invalid_argument,
                 "ShareConsumerOptions::commit_acks is none, which promises nothing; choose leader or all");
  }
  if (auto checked = directory::check_choices(directory::share_consumer_choice_rules(), options); !checked)
    return checked;
  return directory::check_numbers(directory::share_consumer_option_rules(), options);
}

}  // namespace

Result<ShareConsumer> ShareConsumerImpl::create(std::shared_ptr<EngineImpl> engine,
                                                ShareConsumerOptions options,
                                                std::shared_ptr<group::LetterWriter> letters) {
  if (auto usable = engine->check_writable(); !usable) return usable.error();
  if (auto checked = check(options); !checked) return checked.error();
  auto settings =
      engine->share_groups.members().settings(options.group_id, [&]() -> Result<ShareGroupConfig> {
        auto stored = engine->share_groups.settings(options.group_id);
        return stored ? group::parse_stored_settings(*stored) : Result<ShareGroupConfig>(stored.error());
      });
  if (!settings) return settings.error();
  return ShareConsumer(std::make_unique<ShareConsumerImpl>(std::move(engine), std::move(options),
                                                           std::move(letters), *std::move(settings)));
}

ShareConsumerImpl::ShareConsumerImpl(std::shared_ptr<EngineImpl> engine_impl,
                                     ShareConsumerOptions consumer_options,
                                     std::shared_ptr<group::LetterWriter> letter_writer,
                                     group::ShareSettingsPtr group_settings)
    : engine(std::move(engine_impl)),
      options(std::move(consumer_options)),
      letters(std::move(letter_writer)),
      settings(std::move(group_settings)),
      member(engine->share_groups.members().new_id()) {}

ShareConsumerImpl::~ShareConsumerImpl() {
  if (os::fork_generation() != engine->opened_in) return;
  release();
}

Result<consumer::SingleThread::Entry> ShareConsumerImpl::enter() {
  auto entry = thread.enter();
  if (!entry) return entry;
  if (auto usable = engine->check_usable(); !usable) return usable.error();
  return entry;
}

ShareGroupConfig ShareConsumerImpl::config() const {
  const auto current = settings->load();
  return *current;
}

consumer::ShareStep ShareConsumerImpl::step(const ShareGroupConfig& config) const {
  return {.member = member,
          .config = config,
          .now_ms = base::ms_of_ns(engine->clock.monotonic_ns()),
          .splits_batches = options.acquire_mode == ShareAcquireMode::record_limit,
          .letters = *letters};
}

Result<> ShareConsumerImpl::subscribe(std::vector<std::string> wanted) {
  std::set<std::string> next(wanted.begin(), wanted.end());
  if (topics.empty()) engine->share_groups.members().join(options.group_id);
  topics = std::move(next);
  known_topics.reset();
  return find_sources();
}

Result<> ShareConsumerImpl::unsubscribe() {
  if (topics.empty()) return {};
  accept_implicitly();
  auto committed = base::answered([&] { return commit(options.commit_acks, Told::by_call); });
  release();
  return committed;
}

Result<> ShareConsumerImpl::close() {
  auto committed = unsubscribe();
  thread.close(GroupMembership::leave);
  return committed;
}

// A member that cannot say that it let go is found out by its locks.
void ShareConsumerImpl::release() noexcept {
  if (topics.empty()) return;
  topics.clear();
  engine->share_groups.members().leave(options.group_id);
  const bool can_store = engine->check_usable().ok();
  auto released = base::answered([&]() -> Result<> {
    const ShareGroupConfig now = config();
    Result<> first;
    for (const auto& source : sources) {
      if (!can_store) break;
      auto left = source->leave(step(now));
      if (!left && first) first = left;
    }
    auto stored = can_store ? acknowledge_frames(Acks::leader) : Result<>();
    return first ? stored : first;
  });
  sources.clear();
  known_topics.reset();
  if (released) return;
  engine->report(LogLevel::warn, "share group " + options.group_id +
                                     ": a member left, and its records wait for their locks to run out: " +
                                     released.error().message());
}

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
