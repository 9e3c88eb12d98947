import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.internals.ConsumerFilter;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.message.FetchResponseData.AbortedTransaction;
import org.apache.kafka.storage.internals.log.FetchDataInfo;
import org.apache.kafka.storage.internals.log.FetchIsolation;
import org.apache.kafka.storage.internals.log.LogConfig;

/** Reads a partition as a consumer does: the broker's read and its list of aborted transactions, then the consumer's own filter. */
final class FetchCommand {
  private FetchCommand() {}

  static int run(Options options) throws Exception {
    String[] starts = options.takeText("from", "0").split(",");
    long logStart = options.takeLong("start", 0);
    int bytes = (int) options.takeLong("bytes", 4096);
    boolean clean = options.takeBoolean("clean", false);
    FixedTime time = new FixedTime(options.takeLong("now", 0));
    LogConfig config = options.logConfig(KafkaLog.noDefaults());
    try (KafkaLog partition = KafkaLog.openFrom(logStart, options.directory(), config, clean, time)) {
      System.out.println(new Json()
          .put("log_start_offset", partition.log.logStartOffset())
          .put("last_stable_offset", partition.log.lastStableOffset())
          .put("log_end_offset", partition.log.logEndOffset()));
      for (IsolationLevel isolation : List.of(IsolationLevel.READ_UNCOMMITTED, IsolationLevel.READ_COMMITTED)) {
        for (String start : starts) System.out.println(read(partition, isolation, Long.parseLong(start), bytes));
      }
    }
    return 0;
  }

  /** Fetch after fetch of about `bytes`, up to where the isolation level ends. */
  private static Json read(KafkaLog partition, IsolationLevel isolation, long start, int bytes) throws Exception {
    boolean committed = isolation == IsolationLevel.READ_COMMITTED;
    FetchIsolation bound = committed ? FetchIsolation.TXN_COMMITTED : FetchIsolation.HIGH_WATERMARK;
    List<String> records = new ArrayList<>();
    try (ConsumerFilter consumer = new ConsumerFilter(partition.log.topicPartition(), isolation)) {
      long position = start;
      FetchDataInfo fetched = partition.log.read(position, bytes, bound, true);
      while (fetched.records.sizeInBytes() > 0) {
        Optional<List<AbortedTransaction>> aborted = fetched.abortedTransactions;
        position = consumer.take(position, fetched.records, aborted.orElse(null), found -> records.add(record(found)));
        fetched = partition.log.read(position, bytes, bound, true);
      }
    }
    return new Json().put("isolation", committed ? "read_committed" : "read_uncommitted").put("from", start)
        .putRaw("records", records.toString().replace(" ", ""));
  }

  private static String record(ConsumerRecord<byte[], byte[]> found) {
    return "[" + found.offset() + "," + found.timestamp() + "," + hex(found.key()) + "," + hex(found.value()) + "]";
  }

  private static String hex(byte[] bytes) {
    return Json.hex(bytes == null ? null : ByteBuffer.wrap(bytes));
  }
}
