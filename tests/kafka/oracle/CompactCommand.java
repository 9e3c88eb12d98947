import java.util.Map;
import kafka.log.Cleaner;
import kafka.log.LogCleanerManager;
import kafka.log.LogToClean;
import kafka.log.OffsetsToClean;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.apache.kafka.storage.internals.log.SkimpyOffsetMap;
import org.apache.kafka.storage.internals.utils.Throttler;
import scala.Option;
import scala.runtime.BoxedUnit;

/** One pass of Kafka's own cleaner over everything it may clean at the time given. */
final class CompactCommand {
  private static final int KEY_MAP_BYTES = 8 << 20;
  private static final int BUFFER_BYTES = 512 << 10;  // the broker's default of log.cleaner.io.buffer.size
  private static final int BUFFER_BYTES_MAX = 64 << 20;
  private static final double KEY_MAP_FILL_MAX = 0.9;  // the broker's default of log.cleaner.io.buffer.load.factor

  private CompactCommand() {}

  static int run(Options options) throws Exception {
    FixedTime time = new FixedTime(options.takeLong("now", 0));
    long dirty = options.takeLong("dirty", -1);
    boolean clean = options.takeBoolean("clean", false);
    LogConfig config = options.logConfig(Map.of("cleanup.policy", "compact"));
    try (KafkaLog partition = KafkaLog.open(options.directory(), config, 0, clean, time)) {
      OffsetsToClean range = LogCleanerManager.cleanableOffsets(partition.log, dirty < 0 ? Option.empty() : Option.apply(dirty),
          time.milliseconds());
      Cleaner cleaner = new Cleaner(0, new SkimpyOffsetMap(KEY_MAP_BYTES), BUFFER_BYTES, BUFFER_BYTES_MAX, KEY_MAP_FILL_MAX,
          new Throttler(Double.MAX_VALUE, Long.MAX_VALUE, "cleaner-io", "bytes", time), time, ignored -> BoxedUnit.UNIT);
      var result = cleaner.clean(new LogToClean(partition.log.topicPartition(), partition.log, range.firstDirtyOffset(),
          range.firstUncleanableDirtyOffset(), true));
      System.out.println(new Json()
          .put("first_dirty_offset", range.firstDirtyOffset())
          .put("first_uncleanable_offset", range.firstUncleanableDirtyOffset())
          .put("cleaned_to", (Long) result._1())
          .put("messages_read", result._2().messagesRead())
          .put("messages_written", result._2().messagesWritten())
          .putRaw("log", LoadCommand.describe(partition.log)));
    }
    return 0;
  }
}
