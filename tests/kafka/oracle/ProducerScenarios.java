import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.ControlRecordType;

/** Idempotent and transactional producers, and logs that are worth compacting. */
final class ProducerScenarios {
  private static final long T = Batch.T;
  private static final long A = 1L << 42;
  private static final long B = A + 1;
  private static final ControlRecordType ABORT = ControlRecordType.ABORT;
  private static final ControlRecordType COMMIT = ControlRecordType.COMMIT;

  private ProducerScenarios() {}

  static void addTo(Map<String, WriteCommand.Entry> scenarios) {
    scenarios.put("idempotent", new WriteCommand.Entry(Map.of(), ProducerScenarios::idempotent));
    scenarios.put("transactions", new WriteCommand.Entry(Map.of("segment.bytes", "30000"), ProducerScenarios::transactions));
    scenarios.put("indexes", new WriteCommand.Entry(Map.of(), ProducerScenarios::indexes));
    scenarios.put("compaction", new WriteCommand.Entry(Map.of("segment.bytes", "16384", "cleanup.policy", "compact"), ProducerScenarios::compaction));
    scenarios.put("compaction-transactions",
        new WriteCommand.Entry(Map.of("segment.bytes", "16384", "cleanup.policy", "compact"), ProducerScenarios::compactionTransactions));
  }

  private static void idempotent(WriteCommand.Partition partition, long seed) {
    partition.append(Batch.of().producer(A, 0, 0).record(T, "a", "1"));
    partition.append(Batch.of().producer(A, 0, 1).record(T, "a", "2").record(T, "a", "3"));
    partition.append(Batch.of().producer(B, 7, Integer.MAX_VALUE - 1).record(T, "b", "1").record(T, "b", "2").record(T, "b", "wrapped to 0"));
    partition.append(Batch.of().producer(B, 7, 1).record(T, "b", "3"));
    partition.append(Batch.of().producer(A, 1, 0).compressed(Compression.zstd().build()).record(T, "a", "new epoch").record(T, "a", "x"));
    partition.append(Batch.of().record(T, "plain", "between"));
  }

  /** Several producers at once; aborts, commits, a marker without data, and one transaction left open. */
  private static void transactions(WriteCommand.Partition partition, long seed) {
    Random random = new Random(seed);
    int producers = 4;
    int[] sequence = new int[producers];
    boolean[] open = new boolean[producers];
    for (int i = 0; i < 300; ++i) {
      int who = random.nextInt(producers);
      long timestamp = T + i;
      if (open[who] && random.nextInt(4) == 0) {
        partition.append(Batch.marker(A + who, 0, random.nextBoolean() ? ABORT : COMMIT, timestamp));
        open[who] = false;
      } else if (random.nextInt(6) == 0) {
        partition.append(Batch.of().record(timestamp, Batch.bytes("plain"), BasicScenarios.bytes(random, 100)));
      } else {
        Batch batch = Batch.of().producer(A + who, 0, sequence[who]).transactional();
        int count = 1 + random.nextInt(3);
        for (int j = 0; j < count; ++j) batch.record(timestamp, Batch.bytes("k" + who), BasicScenarios.bytes(random, random.nextInt(900)));
        partition.append(batch);
        sequence[who] += count;
        open[who] = true;
      }
    }
    partition.append(Batch.marker(A + producers, 3, COMMIT, T + 300));
    partition.append(Batch.of().producer(A + producers + 1, 0, 0).transactional().record(T + 301, "open", "for ever"));
  }

  /** The log of the format's worked example: interleaved transactions whose .index, .timeindex, .txnindex and .snapshot are known. */
  private static void indexes(WriteCommand.Partition partition, long seed) {
    for (int i = 0; i < 8; ++i) {
      partition.append(Batch.of().producer(i % 2 == 0 ? A : B, 0, i / 2).transactional().record(T + i, null, Batch.repeated('v', 1502)));
    }
    partition.append(Batch.marker(A, 0, ABORT, T + 8));
    partition.append(Batch.of().record(T + 9, null, Batch.repeated('v', 1502)).record(T + 10, null, Batch.repeated('v', 1501)));
    partition.append(Batch.marker(B, 0, ABORT, T + 11));
    partition.append(Batch.of().producer(A, 1, 0).transactional().record(T + 12, null, new byte[10]));
    partition.append(Batch.marker(A, 1, COMMIT, T + 13));
  }

  private static void compaction(WriteCommand.Partition partition, long seed) {
    Random random = new Random(seed);
    List<Compression> codecs = new ArrayList<>(BasicScenarios.codecs());
    int sequence = 0;
    for (int i = 0; i < 500; ++i) {
      boolean idempotent = random.nextInt(3) == 0;
      Batch batch = Batch.of().compressed(i % 4 == 0 ? codecs.get(random.nextInt(codecs.size())) : Compression.NONE);
      int count = 1 + random.nextInt(4);
      for (int j = 0; j < count; ++j) {
        byte[] value = random.nextInt(6) == 0 ? null : BasicScenarios.bytes(random, random.nextInt(300));
        batch.record(T + i * 10L + j - random.nextInt(5), Batch.bytes("key-" + random.nextInt(600)), value, Batch.header("n", Batch.bytes("" + i)));
      }
      if (idempotent) {
        batch.producer(A, 0, sequence);
        sequence += count;
      }
      partition.append(batch);
    }
    partition.roll();
  }

  private static void compactionTransactions(WriteCommand.Partition partition, long seed) {
    Random random = new Random(seed);
    int[] sequence = new int[3];
    boolean[] open = new boolean[3];
    for (int i = 0; i < 500; ++i) {
      int who = random.nextInt(3);
      if (open[who] && random.nextInt(3) == 0) {
        partition.append(Batch.marker(A + who, 0, random.nextBoolean() ? ABORT : COMMIT, T + i));
        open[who] = false;
        continue;
      }
      Batch batch = Batch.of().producer(A + who, 0, sequence[who]).transactional();
      int count = 1 + random.nextInt(3);
      for (int j = 0; j < count; ++j) {
        byte[] value = random.nextInt(6) == 0 ? null : BasicScenarios.bytes(random, random.nextInt(300));
        batch.record(T + i, Batch.bytes("key-" + random.nextInt(250)), value);
      }
      partition.append(batch);
      sequence[who] += count;
      open[who] = true;
    }
    for (int who = 0; who < 3; ++who) partition.append(Batch.marker(A + who, 0, COMMIT, T + 500));
    partition.roll();
  }
}
