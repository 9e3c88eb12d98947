import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.kafka.common.record.MemoryRecords;
import org.apache.kafka.common.record.MutableRecordBatch;
import org.apache.kafka.storage.internals.log.LogConfig;

/** Appends ready-made batches one at a time with the offsets they carry, then rolls: the way a follower takes over a leader's bytes. */
final class AppendCommand {
  private AppendCommand() {}

  static int run(Options options) throws Exception {
    Path file = Path.of(options.word(1, "a file of batches"));
    long start = options.takeLong("start", 0);
    FixedTime time = new FixedTime(options.takeLong("now", 0));
    LogConfig config = options.logConfig(KafkaLog.noDefaults());
    MemoryRecords records = MemoryRecords.readableRecords(ByteBuffer.wrap(Files.readAllBytes(file)));
    try (KafkaLog partition = KafkaLog.open(options.directory(), config, start, true, time)) {
      for (MutableRecordBatch batch : records.batches()) {
        ByteBuffer bytes = ByteBuffer.allocate(batch.sizeInBytes());
        batch.writeTo(bytes);
        bytes.flip();
        partition.log.appendAsFollower(MemoryRecords.readableRecords(bytes));
      }
      partition.roll();
      System.out.println(LoadCommand.describe(partition.log));
    }
    return 0;
  }
}
