import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.record.RecordBatch;

/** Records, codecs, sizes, timestamps and segments, without producer state. */
final class BasicScenarios {
  private static final long T = Batch.T;
  private static final int LZ4_BLOCK_BYTES = 64 << 10;  // Kafka's lz4 block; batches around and beyond it meet the linked-blocks trap
  private static final int SNAPPY_BLOCK_BYTES = 32 << 10;

  private BasicScenarios() {}

  static void addTo(Map<String, WriteCommand.Entry> scenarios) {
    scenarios.put("records", new WriteCommand.Entry(Map.of(), BasicScenarios::records));
    scenarios.put("codecs", new WriteCommand.Entry(Map.of(), BasicScenarios::codecs));
    scenarios.put("large", new WriteCommand.Entry(Map.of("max.message.bytes", "8388608"), BasicScenarios::large));
    scenarios.put("log-append-time", new WriteCommand.Entry(Map.of("message.timestamp.type", "LogAppendTime"), BasicScenarios::logAppendTime));
    scenarios.put("segments", new WriteCommand.Entry(Map.of("segment.bytes", "20000", "index.interval.bytes", "1024"), BasicScenarios::segments));
    scenarios.put("random", new WriteCommand.Entry(Map.of("segment.bytes", "300000", "max.message.bytes", "250000"), BasicScenarios::random));
  }

  static List<Compression> codecs() {
    return List.of(Compression.NONE, Compression.gzip().build(), Compression.gzip().level(9).build(), Compression.snappy().build(),
        Compression.lz4().build(), Compression.lz4().level(17).build(), Compression.zstd().build(), Compression.zstd().level(-5).build(),
        Compression.zstd().level(19).build());
  }

  private static void records(WriteCommand.Partition partition, long seed) {
    partition.append(Batch.of().record(T, "k", "hello"));
    partition.append(Batch.of().record(T, null, "null key").record(T, "", "empty key").record(T, "empty value", "")
        .record(T, "tombstone", null).record(T, (String) null, null).record(T, "", ""));
    partition.append(Batch.of().record(T + 100, "later", "1").record(T - 86_400_003L, "a day before", "2").record(T + 50, "between", "3"));
    partition.append(Batch.of().record(RecordBatch.NO_TIMESTAMP, "no timestamp", "v"));
    partition.append(Batch.of().record(0, "epoch", "v").record(Long.MAX_VALUE / 2, "far future", "v"));
    partition.append(Batch.of().record(T, "headers", "v", Batch.header("one", Batch.bytes("1")), Batch.header("null", null),
        Batch.header("empty", new byte[0]), Batch.header("one", Batch.bytes("again")), Batch.header("", Batch.bytes("no name")),
        Batch.header("\u00e4\u20ac\ud83d\ude00", new byte[] {0, -1, 127, -128})));
    Header[] many = new Header[200];
    for (int i = 0; i < many.length; ++i) many[i] = Batch.header("h" + i, Batch.repeated('x', i));
    partition.append(Batch.of().record(T, "many headers", "v", many));
    Batch varints = Batch.of();  // lengths on both sides of every varint width in reach
    for (int length : new int[] {0, 1, 62, 63, 64, 65, 8190, 8191, 8192, 8193}) {
      varints.record(T + length, Batch.repeated('k', length), Batch.repeated('v', length));
    }
    partition.append(varints);
  }

  private static void codecs(WriteCommand.Partition partition, long seed) {
    Random random = new Random(seed);
    for (Compression codec : codecs()) {
      partition.append(Batch.of().compressed(codec).record(T, "k", "hello hello hello hello").record(T + 1, "k", "hello hello hello hello"));
      partition.append(Batch.of().compressed(codec).record(T, (String) null, null));
      Batch batch = Batch.of().compressed(codec);
      for (int i = 0; i < 300; ++i) batch.record(T + i, bytes(random, 8), bytes(random, 40), Batch.header("h", bytes(random, 5)));
      partition.append(batch);
    }
  }

  private static void large(WriteCommand.Partition partition, long seed) {
    Random random = new Random(seed);
    for (Compression codec : codecs()) {
      for (int size : new int[] {SNAPPY_BLOCK_BYTES, LZ4_BLOCK_BYTES - 100, LZ4_BLOCK_BYTES, LZ4_BLOCK_BYTES + 1, 300_000}) {
        partition.append(Batch.of().compressed(codec).record(T, Batch.bytes("same"), Batch.repeated('a', size)));
        partition.append(Batch.of().compressed(codec).record(T, Batch.bytes("random"), bytes(random, size)));
      }
      Batch batch = Batch.of().compressed(codec);
      for (int i = 0; i < 2_000; ++i) batch.record(T + i, Batch.bytes("key-" + i % 50), Batch.bytes("value " + i + " of a batch that compresses well"));
      partition.append(batch);
    }
  }

  private static void logAppendTime(WriteCommand.Partition partition, long seed) {
    long clock = T + 123_456;
    for (Compression codec : codecs()) {
      partition.clock(clock);
      partition.append(Batch.of().compressed(codec).record(T, "k", "hello").record(T + 5, "k", "world").record(RecordBatch.NO_TIMESTAMP, "k", "!"));
      clock += 1_000;
    }
  }

  private static void segments(WriteCommand.Partition partition, long seed) {
    Random random = new Random(seed);
    for (int i = 0; i < 400; ++i) {
      long timestamp = T + i * 10L - (i % 7 == 0 ? 500 : 0);  // a late record now and then: the time index must not go back
      partition.append(Batch.of().record(timestamp, Batch.bytes("key-" + i), bytes(random, random.nextInt(600))));
    }
  }

  private static void random(WriteCommand.Partition partition, long seed) {
    Random random = new Random(seed);
    List<Compression> codecs = codecs();
    for (int i = 0; i < 300; ++i) {
      Batch batch = Batch.of().compressed(codecs.get(random.nextInt(codecs.size())));
      int count = 1 + random.nextInt(random.nextInt(10) == 0 ? 400 : 8);
      for (int j = 0; j < count; ++j) {
        byte[] key = random.nextInt(5) == 0 ? null : bytes(random, random.nextInt(40));
        byte[] value = random.nextInt(8) == 0 ? null : bytes(random, random.nextInt(random.nextInt(50) == 0 ? 20_000 : 200));
        Header[] headers = new Header[random.nextInt(3)];
        for (int h = 0; h < headers.length; ++h) headers[h] = Batch.header("h" + h, random.nextBoolean() ? null : bytes(random, h));
        batch.record(T + random.nextInt(100_000), key, value, headers);
      }
      partition.append(batch);
    }
  }

  static byte[] bytes(Random random, int size) {
    byte[] bytes = new byte[size];
    random.nextBytes(bytes);
    return bytes;
  }
}
