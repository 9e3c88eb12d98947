/// @file
/// seriatim: Kafka's log inside your process. Start here.
///
/// A data directory holds topics; a topic has partitions; a partition is an append-only log of records,
/// numbered by offset. One process writes, any number read. There is no server.
///
/// @code
///   auto engine = seriatim::Engine::open("/var/lib/app/queue").value();
///   engine.admin().create_topic({.name = "orders", .partition_count = 4, .if_not_exists = true}).value();
///   auto producer = engine.producer().value();
///   producer.send_sync({.topic = "orders", .key = "user-42", .value = "hello"}).value();
///   auto consumer = engine.consumer({.group_id = "billing"}).value();
///   consumer.assign_topic("orders").value();
///   auto records = consumer.poll(std::chrono::seconds(1)).value();
///   for (const seriatim::RecordView& record : records) handle(record.key(), record.value());
///   consumer.commit_sync(records).value();
/// @endcode
///
/// Every call returns a `Result`: a value or an `Error`; `.value()` throws instead, for those who like that.
/// A handle that was moved from answers `closed`, as one that was closed does; functions of it that return no
/// `Result` answer that there is nothing: -1, false, or empty.
/// Reading order: engine.hpp, producer.hpp, consumer.hpp, record.hpp, transaction.hpp, state.hpp, task.hpp,
/// assignor.hpp, share_consumer.hpp, share_group.hpp, admin.hpp, log_reader.hpp; then the recipes, in
/// seriatim/flow, and docs/durability.md.
#pragma once

#include <seriatim/language.hpp>

#include <seriatim/admin.hpp>
#include <seriatim/assignor.hpp>
#include <seriatim/consumer.hpp>
#include <seriatim/engine.hpp>
#include <seriatim/error.hpp>
#include <seriatim/exception.hpp>
#include <seriatim/flow/catch_up.hpp>
#include <seriatim/flow/dead_letters.hpp>
#include <seriatim/flow/deduplicator.hpp>
#include <seriatim/flow/delayed_messages.hpp>
#include <seriatim/flow/expiry.hpp>
#include <seriatim/flow/half_message.hpp>
#include <seriatim/flow/parallel_consumer.hpp>
#include <seriatim/flow/processor.hpp>
#include <seriatim/flow/relay.hpp>
#include <seriatim/flow/request_reply.hpp>
#include <seriatim/flow/retry_consumer.hpp>
#include <seriatim/flow/router.hpp>
#include <seriatim/inspect.hpp>
#include <seriatim/log_reader.hpp>
#include <seriatim/metrics.hpp>
#include <seriatim/partition_retention.hpp>
#include <seriatim/partitioning.hpp>
#include <seriatim/producer.hpp>
#include <seriatim/record.hpp>
#include <seriatim/repair.hpp>
#include <seriatim/result.hpp>
#include <seriatim/share_consumer.hpp>
#include <seriatim/share_group.hpp>
#include <seriatim/state.hpp>
#include <seriatim/task.hpp>
#include <seriatim/topic_config.hpp>
#include <seriatim/transaction.hpp>
#include <seriatim/types.hpp>
