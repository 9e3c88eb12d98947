import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import kafka.log.UnifiedLog;
import kafka.server.BrokerTopicStats;
import kafka.server.RequestLocal;
import org.apache.kafka.common.record.MemoryRecords;
import org.apache.kafka.server.common.MetadataVersion;
import org.apache.kafka.storage.internals.log.AppendOrigin;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.apache.kafka.storage.internals.log.LogDirFailureChannel;
import org.apache.kafka.storage.internals.log.LogOffsetsListener;
import org.apache.kafka.storage.internals.log.LogStartOffsetIncrementReason;
import org.apache.kafka.storage.internals.log.ProducerStateEntry;
import org.apache.kafka.storage.internals.log.ProducerStateManager;
import org.apache.kafka.storage.internals.log.ProducerStateManagerConfig;
import org.apache.kafka.storage.internals.log.VerificationGuard;

/** One partition opened by Kafka's loader, with a clock and a scheduler that are deterministic. */
final class KafkaLog implements AutoCloseable {
  /** The broker's default of transaction.max.timeout.ms. */
  static final int TRANSACTION_TIMEOUT_MAX_MS = 900_000;
  private static final int LEADER_EPOCH = 0;

  final UnifiedLog log;
  final FixedTime time;

  private KafkaLog(UnifiedLog log, FixedTime time) {
    this.log = log;
    this.time = time;
  }

  /** Opens, or creates at offset `start`. Unless `clean`, every segment is recovered as after a crash. */
  static KafkaLog open(Path directory, LogConfig config, long start, boolean clean, FixedTime time) throws Exception {
    Files.createDirectories(directory);
    UnifiedLog log = UnifiedLog.apply(directory.toFile(), config, start, 0L, new InlineScheduler(), new BrokerTopicStats(false), time,
        TRANSACTION_TIMEOUT_MAX_MS, neverExpiring(), Integer.MAX_VALUE, new LogDirFailureChannel(1), clean, scala.Option.empty(), false,
        new ConcurrentHashMap<>(), false, LogOffsetsListener.NO_OP_OFFSETS_LISTENER);
    log.updateHighWatermark(log.logEndOffset());
    return new KafkaLog(log, time);
  }

  /**
   * Opens a log whose front was deleted, then moves its start to `start`. Told before, Kafka's recovery would delete the snapshot at the front
   * first, and with it what is known of transactions that began before.
   */
  static KafkaLog openFrom(long start, Path directory, LogConfig config, boolean clean, FixedTime time) throws Exception {
    KafkaLog opened = open(directory, config, Math.max(lowestBase(directory) - 1, 0), clean, time);
    opened.log.maybeIncrementLogStartOffset(start, LogStartOffsetIncrementReason.ClientRecordDeletion);
    return opened;
  }

  static long lowestBase(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(file -> file.getFileName().toString()).filter(name -> name.endsWith(".log"))
          .mapToLong(name -> Long.parseLong(name.substring(0, name.length() - ".log".length())))
          .min().orElseThrow(() -> new IllegalArgumentException(directory + " holds no .log file"));
    }
  }

  static ProducerStateManagerConfig neverExpiring() {
    return new ProducerStateManagerConfig(Integer.MAX_VALUE, false);
  }

  /** Kafka assigns offsets, epoch and, with LogAppendTime, the timestamp. */
  void append(MemoryRecords records, AppendOrigin origin) {
    log.appendAsLeader(records, LEADER_EPOCH, origin, MetadataVersion.latestProduction(), RequestLocal.NoCaching(), VerificationGuard.SENTINEL);
    log.updateHighWatermark(log.logEndOffset());
  }

  void roll() {
    log.roll(scala.Option.empty());
  }

  @Override
  public void close() {
    log.close();
  }

  static String producers(ProducerStateManager state) {
    List<String> entries = new ArrayList<>();
    state.activeProducers().values().stream().sorted((a, b) -> Long.compare(a.producerId(), b.producerId()))
        .forEach(entry -> entries.add(producer(entry)));
    return entries.toString();
  }

  private static String producer(ProducerStateEntry entry) {
    return new Json()
        .put("producer_id", entry.producerId())
        .put("producer_epoch", entry.producerEpoch())
        .put("last_sequence", entry.lastSeq())
        .put("last_offset", entry.lastDataOffset())
        .put("offset_delta", entry.lastOffsetDelta())
        .put("timestamp", entry.lastTimestamp())
        .put("coordinator_epoch", entry.coordinatorEpoch())
        .put("transaction_first_offset", entry.currentTxnFirstOffset().orElse(-1))
        .put("batches_known", entry.batchMetadata().size())
        .toString();
  }

  static Map<String, String> noDefaults() {
    return Map.of();
  }
}
