// A history of transactions, drawn from a seed and played through the public API: several transactional
// producers whose transactions overlap in several partitions, and others between them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <seriatim/seriatim.hpp>

namespace seriatim::kafka_test {

/// How often a thing was played, by its name: a test looks whether all of it was.
using PlayCounts = std::map<std::string, int>;

class TransactionPlay {
 public:
  explicit TransactionPlay(std::uint64_t seed);

  Result<> create_topics(const Engine& engine, const ConfigMap& config);
  /// Goes on in this engine. A transaction open in the one before is gone with that.
  Result<> move_to(const Engine& engine);
  Result<> play(int steps);
  /// Begins a transaction in every partition that stays open until the engine is closed.
  Result<> hold();
  /// Sees to it that young transactions are open in every partition.
  Result<> leave_open();

  const PlayCounts& counts() const noexcept { return counts_; }
  static const std::vector<TopicPartition>& partitions();

 private:
  struct Actor {
    std::string id{};
    CompressionType codec = CompressionType::uncompressed;
    std::optional<TransactionalProducer> producer{};
    std::optional<Transaction> open{};
  };
  struct Content;

  std::uint64_t draw(std::uint64_t below);
  const TopicPartition& some_partition();
  std::vector<Content> some_content(std::size_t count);
  Actor& some_actor();

  Result<> step();
  Result<> open_producer(Actor& actor);
  Result<> begin(Actor& actor);
  Result<> send(Actor& actor, const TopicPartition& at);
  Result<> end(Actor& actor);
  Result<> fence(Actor& actor);
  Result<> abort_by_admin(Actor& actor, bool fences);
  Result<> everywhere(Actor& actor);
  Result<> time_out();
  Result<> commit_nothing(Actor& actor);
  Result<> send_plain();
  Result<> send_numbered();

  std::mt19937_64 random_;
  std::uint64_t keys_;  ///< How many: few lose much to compaction, many little.
  PlayCounts counts_;
  std::optional<Engine> engine_;
  std::vector<Actor> actors_;
  Actor holder_{.id = "holder"};
  std::optional<Producer> plain_;
  std::optional<Producer> numbered_;
  std::map<TopicPartition, Sequence> next_sequence_;
};

}  // namespace seriatim::kafka_test
