import java.util.ArrayList;
import java.util.List;
import kafka.log.UnifiedLog;
import org.apache.kafka.storage.internals.log.AbortedTxn;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.apache.kafka.storage.internals.log.LogSegment;

/** Opens a partition directory with Kafka's loader and prints what the broker would believe about it. */
final class LoadCommand {
  private LoadCommand() {}

  static int run(Options options) throws Exception {
    FixedTime time = new FixedTime(options.takeLong("now", 0));
    boolean clean = options.takeBoolean("clean", false);
    long start = options.takeLong("start", 0);
    long end = options.takeLong("truncate", Long.MAX_VALUE);
    LogConfig config = options.logConfig(KafkaLog.noDefaults());
    try (KafkaLog partition = KafkaLog.openFrom(start, options.directory(), config, clean, time)) {
      if (end < partition.log.logEndOffset()) partition.log.truncateTo(end);
      System.out.println(describe(partition.log));
    }
    return 0;
  }

  static String describe(UnifiedLog log) throws Exception {
    List<String> segments = new ArrayList<>();
    List<String> aborted = new ArrayList<>();
    for (LogSegment segment : log.logSegments()) {
      segments.add(new Json().put("base_offset", segment.baseOffset()).put("size", segment.size())
          .put("max_timestamp", segment.maxTimestampSoFar()).toString());
      for (AbortedTxn transaction : segment.txnIndex().allAbortedTxns()) aborted.add(transaction(transaction));
    }
    return new Json()
        .put("log_start_offset", log.logStartOffset())
        .put("last_stable_offset", log.lastStableOffset())
        .put("log_end_offset", log.logEndOffset())
        .putRaw("segments", segments.toString())
        .putRaw("aborted", aborted.toString())
        .putRaw("producers", KafkaLog.producers(log.producerStateManager()))
        .toString();
  }

  private static String transaction(AbortedTxn transaction) {
    return new Json().put("producer_id", transaction.producerId()).put("first_offset", transaction.firstOffset())
        .put("last_offset", transaction.lastOffset()).put("last_stable_offset", transaction.lastStableOffset()).toString();
  }
}
