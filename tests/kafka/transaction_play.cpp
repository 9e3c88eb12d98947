#include "transaction_play.hpp"

#include <array>
#include <chrono>
#include <thread>
#include <utility>

namespace seriatim::kafka_test {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t actor_count = 5;
constexpr std::uint64_t keys_min = 40;
constexpr std::uint64_t keys_max = 240;
constexpr std::uint64_t value_bytes_max = 300;
/// Long enough for a begin and a send between two ticks of a busy machine, mostly: what comes too late is
/// aborted too.
constexpr milliseconds short_timeout{20};

/// Nothing times out but what is meant to, however slow the machine is.
constexpr milliseconds long_timeout = std::chrono::minutes(15);

constexpr std::array codecs{CompressionType::uncompressed, CompressionType::uncompressed,
                            CompressionType::lz4, CompressionType::zstd, CompressionType::gzip};

Error surprise(const std::string& what, const Result<>& found) {
  return {Errc::invalid_state, what + " answered '" +
                                   (found ? std::string("ok") : std::string(found.error().message())) +
                                   "': see what the play did before, by its seed"};
}

template <class T>
Result<> outcome_of(const Result<T>& result) {
  return result ? Result<>() : Result<>(result.error());
}

bool is(const Result<>& result, Errc code) { return !result && result.error().code() == code; }

}  // namespace

/// Owns what a record points at.
struct TransactionPlay::Content {
  std::optional<std::string> key{};
  std::optional<std::string> value{};
  Timestamp timestamp{};

  Record record() const {
    return {.key = key ? BytesView(*key) : BytesView(),
            .value = value ? BytesView(*value) : BytesView(),
            .timestamp = timestamp};
  }
};

TransactionPlay::TransactionPlay(std::uint64_t seed)
    : random_(seed), keys_(keys_min + random_() % (keys_max - keys_min)) {}

const std::vector<TopicPartition>& TransactionPlay::partitions() {
  static const std::vector<TopicPartition> all{{"ledger", 0}, {"orders", 0}, {"orders", 1}};
  return all;
}

std::uint64_t TransactionPlay::draw(std::uint64_t below) { return random_() % below; }

const TopicPartition& TransactionPlay::some_partition() { return partitions()[draw(partitions().size())]; }

TransactionPlay::Actor& TransactionPlay::some_actor() { return actors_[draw(actors_.size())]; }

std::vector<TransactionPlay::Content> TransactionPlay::some_content(std::size_t count) {
  const auto now = std::chrono::floor<milliseconds>(std::chrono::system_clock::now());
  std::vector<Content> made(count);
  for (Content& content : made) {
    content.timestamp = now - milliseconds(draw(5'000));
    if (draw(20) != 0) content.key = "key-" + std::to_string(draw(keys_));
    if (draw(8) == 0) continue;
    content.value.emplace(draw(value_bytes_max), ' ');
    for (char& byte : *content.value) byte = static_cast<char>('a' + draw(26));
  }
  return made;
}

Result<> TransactionPlay::create_topics(const Engine& engine, const ConfigMap& config) {
  std::map<std::string, PartitionId> counts;
  for (const TopicPartition& at : partitions()) ++counts[at.topic];
  for (const auto& [name, count] : counts) {
    auto created = engine.admin().create_topic({.name = name, .partition_count = count, .config = config});
    if (!created) return created.error();
  }
  return {};
}

Result<> TransactionPlay::move_to(const Engine& engine) {
  actors_.clear();
  engine_ = engine;
  auto plain = engine.producer({.acks = Acks::leader});
  if (!plain) return plain.error();
  plain_ = *std::move(plain);
  auto numbered = engine.producer({.acks = Acks::leader, .name = "numbered"});
  if (!numbered) return numbered.error();
  numbered_ = *std::move(numbered);
  for (const TopicPartition& at : partitions()) {
    const auto last = numbered_->last_sequence(at);
    if (!last) return last.error();
    next_sequence_[at] = *last ? **last + 1 : 0;
  }
  actors_.resize(actor_count);
  for (std::size_t i = 0; i < actor_count; ++i) {
    actors_[i].id = "actor-" + std::to_string(i);
    actors_[i].codec = codecs[i];
    if (auto opened = open_producer(actors_[i]); !opened) return opened;
  }
  return open_producer(holder_);
}

Result<> TransactionPlay::play(int steps) {
  for (int i = 0; i < steps; ++i) {
    if (auto done = step(); !done) return done.error().with_context("step " + std::to_string(i));
  }
  return {};
}

Result<> TransactionPlay::step() {
  const std::uint64_t what = draw(100);
  Actor& actor = some_actor();
  if (what < 52) return send(actor, some_partition());
  if (what < 70) return end(actor);
  if (what < 80) return send_plain();
  if (what < 88) return send_numbered();
  if (what < 91) return fence(actor);
  if (what < 93) return abort_by_admin(actor, false);
  if (what < 94) return abort_by_admin(actor, true);
  if (what < 97) return everywhere(actor);
  if (what < 98) return commit_nothing(actor);
  return what < 99 ? time_out() : Result<>();
}

Result<> TransactionPlay::open_producer(Actor& actor) {
  auto opened = engine_->transactional_producer({.transactional_id = actor.id,
                                                 .acks = draw(4) == 0 ? Acks::all : Acks::leader,
                                                 .transaction_timeout = long_timeout,
                                                 .compression_type = actor.codec});
  if (!opened) return opened.error();
  actor.producer = *std::move(opened);
  return {};
}

Result<> TransactionPlay::begin(Actor& actor) {
  if (actor.open) return {};
  auto begun = actor.producer->begin();
  if (!begun) return begun.error();
  actor.open = *std::move(begun);
  return {};
}

Result<> TransactionPlay::send(Actor& actor, const TopicPartition& at) {
  if (auto begun = begin(actor); !begun) return begun;
  const auto content = some_content(1 + draw(4));
  std::vector<Record> records;
  for (const Content& one : content) records.push_back(one.record());
  ++counts_["sent"];
  return outcome_of(actor.open->append(at, records));
}

Result<> TransactionPlay::end(Actor& actor) {
  if (!actor.open) return {};
  const std::uint64_t how = draw(10);
  Transaction ending = *std::exchange(actor.open, std::nullopt);
  if (how < 5) {
    ++counts_["committed"];
    return ending.commit();
  }
  ++counts_["aborted"];
  return how < 8 ? ending.abort() : Result<>();  // Else its destructor aborts it.
}

// Fences the actor, as a second instance of an application does the first.
Result<> TransactionPlay::fence(Actor& actor) {
  if (!actor.open) return {};
  Transaction old = *std::exchange(actor.open, std::nullopt);
  if (auto opened = open_producer(actor); !opened) return opened;
  const auto content = some_content(1);
  const std::array records{content.front().record()};
  const auto late = outcome_of(old.append(some_partition(), records));
  if (!is(late, Errc::producer_fenced)) return surprise("a send of a fenced holder", late);
  ++counts_["fenced"];
  return {};
}

Result<> TransactionPlay::abort_by_admin(Actor& actor, bool fences) {
  if (!actor.open) return {};
  const auto admin = engine_->admin();
  auto ended = fences ? admin.fence_producer(actor.id) : admin.abort_transaction(actor.id);
  if (!ended) return ended;
  Transaction old = *std::exchange(actor.open, std::nullopt);
  const auto late = old.commit();
  if (!is(late, fences ? Errc::producer_fenced : Errc::transaction_abortable))
    return surprise("a commit after an administrator's abort", late);
  ++counts_[fences ? "fenced by an administrator" : "aborted by an administrator"];
  return fences ? open_producer(actor) : Result<>();
}

Result<> TransactionPlay::everywhere(Actor& actor) {
  for (const TopicPartition& at : partitions()) {
    if (auto sent = send(actor, at); !sent) return sent;
  }
  ++counts_["everywhere"];
  return end(actor);
}

Result<> TransactionPlay::commit_nothing(Actor& actor) {
  if (actor.open) return {};
  if (auto begun = begin(actor); !begun) return begun;
  ++counts_["empty"];
  return std::exchange(actor.open, std::nullopt)->commit();
}

Result<> TransactionPlay::time_out() {
  auto producer = engine_->transactional_producer(
      {.transactional_id = "slow", .acks = Acks::leader, .transaction_timeout = short_timeout});
  if (!producer) return producer.error();
  auto open = producer->begin();
  if (!open) return open.error();
  const auto content = some_content(1);
  const std::array records{content.front().record()};
  const auto sent = outcome_of(open->append(some_partition(), records));
  if (!sent && !is(sent, Errc::transaction_abortable)) return sent;
  std::this_thread::sleep_for(short_timeout + milliseconds(1));
  const auto late = open->commit();
  if (!is(late, Errc::transaction_abortable)) return surprise("a commit after the time-out", late);
  ++counts_["timed out"];
  return {};
}

Result<> TransactionPlay::send_plain() {
  const auto content = some_content(1 + draw(3));
  std::vector<Record> records;
  for (const Content& one : content) records.push_back(one.record());
  ++counts_["plain"];
  return outcome_of(plain_->append(some_partition(), records));
}

// Every fourth batch is sent twice.
Result<> TransactionPlay::send_numbered() {
  const TopicPartition& at = some_partition();
  Sequence& next = next_sequence_[at];
  const auto content = some_content(1 + draw(3));
  std::vector<Record> records;
  for (const Content& one : content) records.push_back(one.record());
  auto first = numbered_->append(at, records, next);
  if (!first) return first.error();
  ++counts_["numbered"];
  if (draw(4) == 0) {
    const auto again = numbered_->append(at, records, next);
    if (!again || !again->duplicate) return surprise("a repeated batch", outcome_of(again));
    ++counts_["repeated"];
  }
  next += static_cast<Sequence>(records.size());
  return {};
}

Result<> TransactionPlay::hold() {
  for (const TopicPartition& at : partitions()) {
    if (auto sent = send(holder_, at); !sent) return sent;
  }
  return {};
}

Result<> TransactionPlay::leave_open() {
  for (std::size_t i = 0; i < partitions().size(); ++i) {
    if (auto sent = send(actors_[i], partitions()[i]); !sent) return sent;
  }
  // Committed, and seen by no read_committed reader before those are.
  Actor& last = actors_.back();
  for (const TopicPartition& at : partitions()) {
    if (auto sent = send(last, at); !sent) return sent;
  }
  ++counts_["committed"];
  return std::exchange(last.open, std::nullopt)->commit();
}

}  // namespace seriatim::kafka_test
