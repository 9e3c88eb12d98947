// The implementation behind `ShareConsumer`. Its functions are called with the consumer entered (see
// SingleThread), except for wakeup.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <seriatim/share_consumer.hpp>

#include "consumer/group/single_thread.hpp"
#include "consumer/parker.hpp"
#include "consumer/record_pool.hpp"
#include "consumer/share/share_source.hpp"
#include "directory/engine_impl.hpp"
#include "group/share/letter_writer.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {

struct ShareConsumerImpl {
  /// Checks the options.
  /// @param letters  of this engine.
  /// Errors: as Engine::share_consumer.
  static Result<ShareConsumer> create(std::shared_ptr<EngineImpl> engine, ShareConsumerOptions options,
                                      std::shared_ptr<group::LetterWriter> letters);

  ShareConsumerImpl(std::shared_ptr<EngineImpl> engine, ShareConsumerOptions options,
                    std::shared_ptr<group::LetterWriter> letters, group::ShareSettingsPtr settings);
  ~ShareConsumerImpl();
  ShareConsumerImpl(const ShareConsumerImpl&) = delete;
  ShareConsumerImpl& operator=(const ShareConsumerImpl&) = delete;

  /// Errors: closed; invalid_state: another thread is inside, or this is a forked child.
  Result<consumer::SingleThread::Entry> enter();

  // share_consumer_impl.cpp
  Result<> subscribe(std::vector<std::string> topics);
  Result<> unsubscribe();
  Result<> close();
  /// Lets go of everything; nothing is committed.
  void release() noexcept;
  bool is_implicit() const noexcept {
    return options.acknowledgement_mode == ShareAcknowledgementMode::implicit;
  }

  // share_poll.cpp
  Result<ShareRecords> poll(std::chrono::milliseconds timeout);
  Result<> check_answered() const;
  using Sources = std::vector<std::unique_ptr<consumer::ShareSource>>;
  /// Brings the sources in line with the topics that there are.
  Result<> find_sources();
  Result<std::unique_ptr<consumer::ShareSource>> make_source(const TopicPartition& at,
                                                             const catalog::Id& topic_id,
                                                             partition::PartitionLogPtr log);
  Result<> replace_sources(const std::vector<consumer::ShareSource*>& kept, Sources next,
                           directory::TopicRegistry::Ptr of);
  /// Lets the group begin there, unless it has.
  Result<> begin(group::SharePartition& partition, const partition::PartitionLogPtr& log);
  Result<std::optional<ShareRecords>> collect();
  Result<> take_from_sources(const consumer::SharePoll& taking);
  void tell_once(const Error& error);
  void wait(std::int64_t deadline_ns);
  bool has_news(const consumer::ShareStep& now) const;
  bool must_return() const noexcept;

  // share_commit.cpp
  Result<> acknowledge(std::string_view topic, PartitionId partition, Offset offset, AcknowledgeType type);
  enum class Told : std::uint8_t { by_call, by_callback_alone };
  /// Stores what is answered.
  Result<> commit(Acks acks, Told told);
  Result<> commit_each(Acks acks, std::optional<Error>& first_refused);
  /// Implicit mode: everything that is in hand is accepted.
  void accept_implicitly();
  /// Waits until everything of this consumer is as safe as `acks` says.
  Result<> acknowledge_frames(Acks acks);

  ShareGroupConfig config() const;
  consumer::ShareStep step(const ShareGroupConfig& config) const;

  const std::shared_ptr<EngineImpl> engine;
  const ShareConsumerOptions options;
  const std::shared_ptr<group::LetterWriter> letters;
  const group::ShareSettingsPtr settings;  ///< Of the group.
  const group::ShareMemberId member;
  const std::shared_ptr<consumer::RecordPool> pool = std::make_shared<consumer::RecordPool>();
  const std::shared_ptr<consumer::Parker> slot = std::make_shared<consumer::Parker>();
  consumer::SingleThread thread{[this](auto) { release(); }};

  std::set<std::string> topics;
  directory::TopicRegistry::Ptr known_topics;  ///< The sources are those of.
  Sources sources;                             ///< Of higher priority first.
  std::optional<Error> unopened;               ///< Why a partition is not among them.
  std::size_t turn = 0;
  AcknowledgementCallback callback;
  bool is_stuck = false;         ///< A source has something that it could not give.
  std::string last_told;         ///< To the log sink.
  std::uint64_t frames_lsn = 0;  ///< Of the newest frame that no source of now has staged.
  std::uint64_t safe_lsn = 0;    ///< Frames up to here survive the process.
};

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
