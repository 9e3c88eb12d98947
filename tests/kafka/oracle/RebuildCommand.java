import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import kafka.log.UnifiedLog;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.apache.kafka.storage.internals.log.LogSegment;
import org.apache.kafka.storage.internals.log.ProducerStateManager;

/** LogSegment.recover on one segment: its indexes and the snapshot after it, as Kafka derives them from the .log alone. */
final class RebuildCommand {
  private RebuildCommand() {}

  static int run(Options options) throws IOException {
    Path directory = options.directory();
    long base = Long.parseLong(options.word(1, "the segment's base offset"));
    FixedTime time = new FixedTime(options.takeLong("now", 0));
    LogConfig config = options.logConfig(KafkaLog.noDefaults());
    ProducerStateManager state = new ProducerStateManager(UnifiedLog.parseTopicPartitionName(directory.toFile()), directory.toFile(),
        KafkaLog.TRANSACTION_TIMEOUT_MAX_MS, KafkaLog.neverExpiring(), time);
    state.truncateAndReload(KafkaLog.lowestBase(directory), base, time.milliseconds());
    try (LogSegment segment = LogSegment.open(directory.toFile(), base, config, time, true, 0, false, "")) {
      int cut = segment.recover(state, Optional.empty());
      long next = segment.readNextOffset();
      state.updateMapEndOffset(next);
      state.takeSnapshot();
      System.out.println(new Json()
          .put("bytes_cut", cut)
          .put("next_offset", next)
          .put("max_timestamp", segment.maxTimestampSoFar())
          .put("first_undecided_offset", state.firstUndecidedOffset().orElse(-1))
          .putRaw("producers", KafkaLog.producers(state)));
    }
    return 0;
  }
}
