package org.apache.kafka.clients.consumer.internals;

import java.util.List;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetResetStrategy;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.metrics.Metrics;
import org.apache.kafka.common.record.Records;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.FetchResponse;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.utils.BufferSupplier;
import org.apache.kafka.common.utils.LogContext;

/**
 * A fetched answer as Kafka's consumer reads it: its CompletedFetch, which drops aborted batches and markers. Lives in Kafka's package because
 * that class can be made nowhere else.
 */
public final class ConsumerFilter implements AutoCloseable {
  private final TopicPartition partition;
  private final FetchConfig config;
  private final Metrics metrics = new Metrics();
  private final FetchMetricsManager fetchMetrics = new FetchMetricsManager(metrics, new FetchMetricsRegistry());
  private final Deserializers<byte[], byte[]> bytes = new Deserializers<>(new ByteArrayDeserializer(), new ByteArrayDeserializer());

  public ConsumerFilter(TopicPartition partition, IsolationLevel isolation) {
    this.partition = partition;
    this.config = new FetchConfig(1, Integer.MAX_VALUE, 0, Integer.MAX_VALUE, Integer.MAX_VALUE, true, "", isolation);
  }

  /** Hands out what the application gets of an answer to a fetch from `position`. Returns the position after it. */
  public long take(long position, Records records, List<FetchResponseData.AbortedTransaction> aborted,
      Consumer<ConsumerRecord<byte[], byte[]>> out) {
    FetchResponseData.PartitionData answer = new FetchResponseData.PartitionData().setPartitionIndex(partition.partition())
        .setHighWatermark(FetchResponse.INVALID_HIGH_WATERMARK).setRecords(records).setAbortedTransactions(aborted);
    CompletedFetch fetch = new CompletedFetch(new LogContext(), new SubscriptionState(new LogContext(), OffsetResetStrategy.NONE),
        BufferSupplier.NO_CACHING, partition, answer, new FetchMetricsAggregator(fetchMetrics, java.util.Set.of(partition)), position,
        ApiKeys.FETCH.latestVersion());
    while (!fetch.isConsumed()) fetch.fetchRecords(config, bytes, Integer.MAX_VALUE).forEach(out);
    return fetch.nextFetchOffset();
  }

  @Override
  public void close() {
    bytes.close();
    metrics.close();
  }
}
