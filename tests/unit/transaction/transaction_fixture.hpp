// A coordinator with partitions and a journal around it, on a file system that can be made to fail.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "format/batch/batch_builder.hpp"
#include "journal/journal.hpp"
#include "transaction/transaction_coordinator.hpp"
#include "unit/partition/writer_fixture.hpp"

namespace seriatim::test {

using transaction::Phase;

inline constexpr ProducerId first_producer = ProducerId{1} << 40;

/// One change of state; none once it was cleared.
struct OneChange final : transaction::DecisionEffects {
  explicit OneChange(std::function<void(std::uint64_t)> what) : call(std::move(what)) {}
  bool is_empty() const noexcept override { return call == nullptr; }
  std::size_t bytes() const noexcept override { return call ? format::decided_state_head_bytes + 2 : 0; }
  void describe(format::JournalDecision& decision) const override {
    if (call) decision.state.push_back({.name = "s", .key = base::as_bytes("k")});
  }
  void apply(std::uint64_t lsn) override {
    if (call) call(lsn);
  }
  void clear() noexcept override { call = nullptr; }

  std::function<void(std::uint64_t)> call;
};

/// One partition is `writer.partition`; the journal is on the same file system.
struct TransactionFixture {
  TransactionFixture() {
    world = std::make_unique<WriterWorld>(vfs);
    journal = must(journal::Journal::open(
        {.directory = temp / "journal", .incarnation = 1, .file_bytes = 64U << 10, .vfs = vfs}, {}));
    world->environment.journal = journal.get();
    coordinator =
        std::make_unique<transaction::TransactionCoordinator>(transaction::TransactionCoordinatorEnvironment{
            .journal = *journal,
            .gate = gate,
            .clock = world->clock,
            .decision_bytes_max = 4096,
            .new_producer_id = [this]() -> Result<ProducerId> { return next_id++; },
            .store_id = [this](const std::string& id, const catalog::TransactionalId& record) -> Result<> {
              if (store_failure) return *store_failure;
              stored[id] = record;
              return {};
            },
            .make_room = [this]() -> Result<> {
              ++rooms_asked;
              return {};
            },
            .with_reserve =
                [this](const std::function<Result<>()>& work) {
                  ++reserves_spent;
                  return work();
                }});
    for (int i = 0; i < 2; ++i) {
      partition::PartitionRequest request{.name = {"topic", i},
                                          .directory = temp / ("topic-" + std::to_string(i))};
      partitions.push_back(must(partition::Partition::open(world->environment, request)));
    }
  }

  transaction::HolderPtr open(const std::string& id = "id",
                              std::chrono::milliseconds timeout = std::chrono::minutes(1)) {
    return must(coordinator->open(id, timeout));
  }
  Result<partition::PartitionAppend> try_send(transaction::Holder& holder, std::uint64_t number,
                                              std::size_t at = 0) {
    format::FrameOptions plain;
    return coordinator->append(
        holder, number,
        {.partition = *partitions[at],
         .topic_id = topic_id,
         .options = plain,
         .frame = [this](const format::FrameOptions& options, format::FramedBatch& framed) -> Result<> {
           builder.clear();
           if (auto added = builder.append({.value = "value", .timestamp_ms = t0_ms}); !added) return added;
           return builder.frame(options, framed);
         }});
  }
  partition::PartitionAppend send(transaction::Holder& holder, std::uint64_t number, std::size_t at = 0) {
    return must(try_send(holder, number, at));
  }
  Result<> commit(transaction::Holder& holder, std::uint64_t number,
                  partition::Durability durability = partition::Durability::durable) {
    return coordinator->commit(holder, number, durability);
  }
  /// The open transaction is to change something beside the logs: `applied` is called when it does.
  static void change_state(transaction::Holder& holder, std::function<void(std::uint64_t)> applied) {
    const base::MutexLock lock(holder.mutex);
    holder.effects = std::make_unique<OneChange>(std::move(applied));
  }
  Phase phase_of(const std::string& id) const {
    for (const auto& info : coordinator->list()) {
      if (info.transactional_id == id) return info.phase;
    }
    FAIL("no transactional id " << id);
    return Phase::empty;
  }
  Offset stable(std::size_t at) const { return partitions[at]->last_stable_offset(); }

  TempDir temp;
  FailingVfs vfs;
  std::unique_ptr<WriterWorld> world;
  std::unique_ptr<journal::Journal> journal;
  partition::VisibilityGate gate;
  std::unique_ptr<transaction::TransactionCoordinator> coordinator;
  std::vector<partition::PartitionPtr> partitions;
  format::BatchBuilder builder;
  format::Id topic_id{std::byte{7}};
  ProducerId next_id = first_producer;
  std::map<std::string, catalog::TransactionalId> stored;
  std::optional<Error> store_failure;
  int rooms_asked = 0;
  int reserves_spent = 0;
};

template <class T>
Errc code_of(const Result<T>& result) {
  return result ? Errc{} : result.error().code();
}

}  // namespace seriatim::test
