// Options in the combinations and the order in which users write them. Compiled only: a member that moves
// before one that is commonly written ahead of it fails here, and not in somebody's program.
#include <chrono>
#include <string_view>

#include <seriatim/seriatim.hpp>

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

void on_line(seriatim::LogLevel, std::string_view) {}
seriatim::PartitionId first_partition(std::string_view, seriatim::BytesView, seriatim::PartitionId) {
  return 0;
}

}  // namespace

void producers(const seriatim::Engine& engine) {
  using seriatim::Acks;
  using seriatim::CompressionType;
  using seriatim::OnFull;
  (void)engine.producer({.acks = Acks::leader});
  (void)engine.producer({.acks = Acks::leader, .linger = milliseconds(5)});
  (void)engine.producer({.acks = Acks::all, .name = "orders"});
  (void)engine.producer({.acks = Acks::leader, .linger = milliseconds(5), .name = "orders"});
  (void)engine.producer({.acks = Acks::leader, .compression_type = CompressionType::lz4});
  (void)engine.producer({.acks = Acks::leader, .enable_idempotence = true});
  (void)engine.producer({.acks = Acks::leader,
                         .linger = milliseconds(5),
                         .compression_type = CompressionType::zstd,
                         .compression_level = 3,
                         .batch_size = 1 << 20,
                         .buffer_memory = 64 << 20});
  (void)engine.producer({.linger = milliseconds(5), .batch_size = 1 << 20});
  (void)engine.producer({.linger = milliseconds(5), .compression_type = CompressionType::gzip});
  (void)engine.producer({.name = "orders", .compression_type = CompressionType::snappy});
  (void)engine.producer({.linger = milliseconds(5), .buffer_memory = 1 << 20, .on_full = OnFull::fail});
  (void)engine.producer({.buffer_memory = 1 << 20, .on_full = OnFull::block, .max_block = seconds(1)});
  (void)engine.producer({.acks = Acks::none, .partitioner = first_partition});
  (void)engine.producer({.acks = Acks::none, .partitioning = seriatim::Partitioning::sticky});
}

void transactional_producers(const seriatim::Engine& engine) {
  using seriatim::Acks;
  (void)engine.transactional_producer({.transactional_id = "billing"});
  (void)engine.transactional_producer({.transactional_id = "billing", .acks = Acks::leader});
  (void)engine.transactional_producer({.transactional_id = "billing", .transaction_timeout = seconds(10)});
  (void)engine.transactional_producer({.transactional_id = "billing",
                                       .acks = Acks::leader,
                                       .transaction_timeout = seconds(10),
                                       .compression_type = seriatim::CompressionType::lz4});
}

void consumers(const seriatim::Engine& engine) {
  using seriatim::AutoOffsetReset;
  using seriatim::IsolationLevel;
  using seriatim::Visibility;
  (void)engine.consumer({.group_id = "billing"});
  (void)engine.consumer({.group_id = "billing", .auto_offset_reset = AutoOffsetReset::latest});
  (void)engine.consumer({.group_id = "billing", .max_poll_records = 100});
  (void)engine.consumer({.group_id = "billing", .isolation_level = IsolationLevel::read_uncommitted});
  (void)engine.consumer({.group_id = "billing", .visibility = Visibility::durable});
  (void)engine.consumer({.group_id = "billing", .commit_acks = seriatim::Acks::leader});
  (void)engine.consumer({.group_id = "billing",
                         .auto_offset_reset = AutoOffsetReset::by_duration,
                         .auto_offset_reset_duration = hours(1),
                         .max_poll_records = 100,
                         .isolation_level = IsolationLevel::read_committed,
                         .visibility = Visibility::durable,
                         .wait_strategy = seriatim::WaitStrategy::spin,
                         .check_crcs = false});
  (void)engine.reader({"orders", 0}, {.isolation_level = IsolationLevel::read_uncommitted});
}

void engines() {
  using seriatim::Engine;
  using seriatim::OpenMode;
  (void)Engine::open("data", {.mode = OpenMode::read_only});
  (void)Engine::open("data", {.mode = OpenMode::read_write, .log_sink = on_line});
  (void)Engine::open("data", {.log_sink = on_line, .checkpoint_interval = seconds(10)});
  (void)Engine::open("data", {.log_sink = on_line, .journal_max_bytes = 256 << 20});
  (void)Engine::open("data", {.log_sink = on_line, .write_mode = seriatim::WriteMode::written});
  (void)Engine::open("data", {.mode = OpenMode::create_if_missing,
                              .log_sink = on_line,
                              .maintenance_interval = seconds(10),
                              .checkpoint_interval = seconds(10),
                              .transaction_max_timeout = hours(1),
                              .journal_max_bytes = 256 << 20,
                              .journal_file_bytes = 16 << 20});
}

void topics(const seriatim::Admin& admin) {
  (void)admin.create_topic({.name = "orders"});
  (void)admin.create_topic({.name = "orders", .partition_count = 4});
  (void)admin.create_topic({.name = "orders", .if_not_exists = true});
  (void)admin.create_topic({.name = "orders", .config = {{"retention.ms", "7d"}}});
  (void)admin.create_topic({.name = "orders",
                            .partition_count = 4,
                            .config = {{"cleanup.policy", "compact"}},
                            .if_not_exists = true});
}

void others(const seriatim::Engine& engine) {
  using seriatim::HalfMessages;
  (void)HalfMessages::open(engine, {.name = "orders"});
  (void)HalfMessages::open(engine, {.name = "orders", .check_after = seconds(10)});
  (void)HalfMessages::open(engine, {.name = "orders", .check_after = seconds(10), .max_checks = 3});
  (void)HalfMessages::open(engine, {.name = "orders", .checks_in_background = false});
  (void)seriatim::Router::open(engine, {.name = "shop"});
  (void)seriatim::Router::open(engine, {.name = "shop", .acks = seriatim::Acks::leader});
  (void)seriatim::Router::open(engine, {.name = "shop", .alternate_topic = "lost"});
  using seriatim::Deduplicator;
  (void)Deduplicator::open(engine, {.name = "orders"});
  (void)Deduplicator::open(engine, {.name = "orders", .window_time = hours(1)});
  (void)Deduplicator::open(engine, {.name = "orders", .window_time = hours(1), .window_count = 1'000});
  (void)Deduplicator::open(engine, {.name = "orders", .wait = seconds(1)});
  (void)Deduplicator::open(engine, {.name = "orders", .transactions = {.acks = seriatim::Acks::leader}});
  using seriatim::Requester;
  (void)Requester::open(engine, {.reply_topic = "replies"});
  (void)Requester::open(engine, {.reply_topic = "replies", .reply_partition = 0});

  using seriatim::RetryConsumer;
  const auto handle = [](const seriatim::RecordView&, const seriatim::RetryAttempt&, seriatim::RetryOutput&) {
    return seriatim::Result<>();
  };
  (void)RetryConsumer::open(engine, {.group_id = "billing", .topics = {"orders"}}, handle);
  (void)RetryConsumer::open(engine,
                            {.group_id = "billing",
                             .topics = {"orders"},
                             .policy = {.max_attempts = 3, .delay = seconds(1), .jitter = 0.1},
                             .keeps_order_per_key = true},
                            handle);
  (void)RetryConsumer::open(
      engine, {.group_id = "billing", .topics = {"orders"}, .workers = 2, .delivers_in_background = false},
      handle);
  (void)seriatim::DeadLetterReplay::open(engine,
                                         {.topic = "orders.DLQ", .filter = {.key = "k"}, .to = "orders"});
  using seriatim::Processor;
  const auto handler = [](const seriatim::RecordView&, seriatim::ProcessorOutput&) {
    return seriatim::Result<>();
  };
  const auto decide = [](const seriatim::ProcessorFailure&) { return seriatim::OnFailure::skip; };
  (void)Processor::open(engine, {.group_id = "billing", .topics = {"orders"}}, handler);
  (void)Processor::open(engine,
                        {.group_id = "billing",
                         .topics = {"orders"},
                         .delivery = seriatim::Delivery::exactly_once,
                         .workers = 2,
                         .acks = seriatim::Acks::leader,
                         .on_failure = decide,
                         .retry_backoff = seconds(1),
                         .consumer = {.max_poll_records = 100}},
                        handler);
  (void)Processor::open(engine, {.group_id = "billing", .workers = 4, .pattern = {"orders-.*"}}, handler);
  (void)seriatim::verify("data", {.topics = {"orders"}});
  (void)seriatim::verify("data", {.topics = {"orders"}, .deep = false});
  (void)seriatim::verify("data", {.deep = false});
  (void)seriatim::repair("data", {.dry_run = true});
  (void)seriatim::repair("data", {.accept_loss = true, .log_sink = on_line});
}
