/// @file
/// `Router`: records that are published under a routing key, to every topic that a binding sends them to
/// (RabbitMQ's exchanges: direct, topic, headers, fan-out, alternate).
#pragma once

#include <seriatim/language.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <seriatim/engine.hpp>
#include <seriatim/export.hpp>
#include <seriatim/record.hpp>
#include <seriatim/result.hpp>
#include <seriatim/transaction.hpp>
#include <seriatim/types.hpp>

namespace seriatim {
inline namespace v0 {

/// Names a binding of one router, from 1 on; never given twice.
using BindingId = std::uint64_t;

/// The condition of a binding on a message.
enum class BindingKind : std::uint8_t {
  exact,  ///< The routing key is `Binding::routing_key`.
  /// The routing key matches `Binding::routing_key` word by word. Words are separated by dots; "*" stands for
  /// one word, "#" for any number of them, none included. The empty key has no words.
  pattern,
  headers_all,  ///< Each of `Binding::headers` is a header of the record.
  headers_any,  ///< One of `Binding::headers` is a header of the record.
  fan_out,      ///< None: every message.
};

/// A rule by which messages come to a topic.
struct Binding {
  /// The target. It has to exist.
  std::string topic{};
  BindingKind kind = BindingKind::exact;
  /// Of `exact` and `pattern`: 0..255 bytes. Of others empty.
  std::string routing_key{};
  /// Of `headers_all` and `headers_any`: 1..64 names, of 1..255 bytes, with their values; a name without a
  /// value asks for the header, whatever its value. Of others empty.
  std::vector<std::pair<std::string, std::optional<std::string>>> headers{};
  /// Targets instead of `topic`, by the lowest priority that they take: {5, "urgent"} takes messages of
  /// priority 5 and above. They have to exist.
  std::map<std::uint8_t, std::string> priority_topics{};
  /// Given by the router; ignored in what is bound.
  BindingId id = 0;
};

/// Several changes in one.
struct BindingChange {
  std::vector<BindingId> unbind{};
  std::vector<Binding> bind{};
};

/// A message to publish.
///
/// Lifetime: as `Record`.
struct RoutedMessage {
  std::string_view routing_key{};  ///< 0..255 bytes.
  /// Its key chooses the partition in each target, as ProducerRecord's does.
  Record record{};
  std::uint8_t priority = 0;  ///< A higher one comes first where a binding has `priority_topics`.
  /// Time to live, 0 ms or more; nothing, or beyond the last timestamp: for ever. See flow/expiry.hpp.
  std::optional<std::chrono::milliseconds> ttl{};
};

/// The headers that a router writes behind those of the record; it leaves out headers of these names that the
/// record had before. The routing key as it is; the priority as a number, if it is not 0; the time from which
/// on the record is expired, in milliseconds since 1970.
inline constexpr std::string_view routing_key_header = "seriatim.routing_key";
inline constexpr std::string_view priority_header = "seriatim.priority";
inline constexpr std::string_view expires_header = "seriatim.expires_ms";

/// A topic that a message came to, and its place there.
struct RoutedTo {
  std::string topic{};
  RecordMetadata record{};
};

/// Targets of one publish, a contiguous range. A single one costs no allocation.
/// Threads: as a standard container.
class RoutedTargets {
 public:
  const RoutedTo* begin() const noexcept { return count_ > 1 ? many_.data() : &one_; }
  const RoutedTo* end() const noexcept { return begin() + count_; }
  RoutedTo* begin() noexcept { return count_ > 1 ? many_.data() : &one_; }
  RoutedTo* end() noexcept { return begin() + count_; }
  std::size_t size() const noexcept { return count_; }
  bool empty() const noexcept { return count_ == 0; }
  const RoutedTo& operator[](std::size_t index) const noexcept { return begin()[index]; }
  void push_back(RoutedTo target) {
    if (count_ == 0) {
      one_ = std::move(target);
    } else {
      if (count_ == 1) many_.assign(1, one_);
      many_.push_back(std::move(target));
    }
    ++count_;
  }

 private:
  RoutedTo one_{};
  std::vector<RoutedTo> many_{};  ///< All of them, where they are several.
  std::size_t count_ = 0;
};

/// The outcome of a publish.
struct Routed {
  RoutedTargets targets{};    ///< By topic; each once, however many bindings name it.
  bool is_alternate = false;  ///< No binding matched: the one target is the alternate topic.
};

/// Options of a router.
struct RouterOptions {
  /// The owner of the bindings, across restarts: 1..80 bytes without a zero byte.
  std::string name{};
  /// The fault that a publish survives once it has returned: `all`, power loss; `leader`, the death of the
  /// process. `none` is refused. Changes of bindings are made at `all`.
  Acks acks = Acks::all;
  /// Gets messages that no binding matches. It has to exist. Empty: these are an error.
  std::string alternate_topic{};
};

namespace detail {
class RouterImpl;
}

/// Publishes messages to the topics that its bindings name. Bindings are state (`__route:NAME`): they survive
/// restarts, and are changed while messages are published.
///
/// Routers of one name in one engine share their bindings: a change by one holds for all from its return on.
///
/// @code
///   auto router = Router::open(engine, {.name = "shop"}).value();
///   router.bind({.topic = "eu", .kind = BindingKind::pattern, .routing_key = "order.eu.#"}).value();
///   router.bind({.topic = "audit", .kind = BindingKind::fan_out}).value();
///   router.publish({.routing_key = "order.eu.paid", .record = {.key = "42", .value = order}}).value();
/// @endcode
///
/// Threads: any. Up to four publishes to several topics go on at a time, others wait; publishes to one topic
/// are not limited. Destroy it after the calls have returned.
class SERIATIM_API Router {
 public:
  /// Reads the bindings of the name.
  /// Errors: invalid_argument (an option out of range) · unknown_topic_or_partition (the alternate topic) ·
  /// invalid_state: a router of this name is open with other options · corrupt_metadata: a binding cannot be
  /// read · read_only, closed.
  static Result<Router> open(const Engine& engine, const RouterOptions& options);

  Router(Router&&) noexcept;
  Router& operator=(Router&&) noexcept;
  ~Router();

  /// Adds a binding. One that is there already, but for its id, is not added again: programs bind whenever
  /// they start.
  /// @return its id.
  /// Errors: as `change`.
  Result<BindingId> bind(Binding binding);
  /// Takes a binding away.
  /// Errors: as `change`.
  Result<> unbind(BindingId id);
  /// Takes away and adds, in one step: every publish sees all of it or nothing. A publish that is under way
  /// meanwhile may use the bindings from before.
  /// @return the ids of `bind`, in its order.
  /// Errors (nothing has changed): invalid_argument (a binding out of range) · not_found: an id in `unbind` ·
  /// unknown_topic_or_partition: a target · record_too_large: it is more than a transaction takes
  /// (EngineOptions::transaction_max_bytes) · as Transaction::commit; with Outcome::unknown it may be stored:
  /// the next change, or `bindings`, finds out, and publishes go by the bindings from before until then.
  /// Durability: survives power loss on return.
  /// Cost: a transaction, and work in proportion to the number of all bindings.
  Result<std::vector<BindingId>> change(const BindingChange& change);
  /// All bindings, by id.
  /// Errors: as `change`, where the outcome of one was unknown.
  Result<std::vector<Binding>> bindings() const;

  /// Appends the message to the topic of every binding that matches, or else to the alternate topic. To all
  /// of them or to none: to several in one transaction, to a single one as Producer::send does.
  /// Errors (nothing will be seen of it): invalid_argument (routing key or ttl out of range) · not_found: no
  /// binding matches, and there is no alternate topic · as Producer::send_sync, Transaction::commit and
  /// Engine::transactional_producer. unknown_topic_or_partition: a target was deleted; unbind it. With
  /// Outcome::unknown it is in all of them or in none.
  /// Durability: as RouterOptions::acks says.
  /// Cost: to one topic that of the send, and the match: a step for each word and each pattern that still
  /// fits, a comparison for each binding by headers; without such bindings a thread remembers the topics of
  /// the routing keys that it used last. To several: a transaction.
  Result<Routed> publish(const RoutedMessage& message);
  /// The same, with a transaction of the application: it is seen when that is committed.
  /// Errors: as `publish`; as Transaction::send. Behind an error of a send the transaction may have a part of
  /// the targets: abort it.
  Result<Routed> publish(Transaction& transaction, const RoutedMessage& message) const;

 private:
  friend class detail::RouterImpl;
  explicit Router(std::shared_ptr<detail::RouterImpl> impl) noexcept;
  std::shared_ptr<detail::RouterImpl> impl_;
};

/// The ones of `bindings` that match a message, in their order: a publish would go by these.
/// Errors: invalid_argument (a binding, or the message, out of range).
/// Threads: any.
SERIATIM_API Result<std::vector<Binding>> matching_bindings(std::span<const Binding> bindings,
                                                            const RoutedMessage& message);
/// The bindings of a name, by id; also in a read-only engine.
/// Errors: invalid_argument (the name), as State::scan.
/// Threads: any.
SERIATIM_API Result<std::vector<Binding>> list_bindings(const Engine& engine, std::string_view name);
/// Names that ever had a binding, sorted.
/// Errors: as Admin::list_states.
/// Threads: any.
SERIATIM_API Result<std::vector<std::string>> list_routers(const Engine& engine);

}  // namespace v0
}  // namespace seriatim
