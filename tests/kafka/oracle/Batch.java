import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.ControlRecordType;
import org.apache.kafka.common.record.EndTransactionMarker;
import org.apache.kafka.common.record.MemoryRecords;
import org.apache.kafka.common.record.MemoryRecordsBuilder;
import org.apache.kafka.common.record.RecordBatch;
import org.apache.kafka.common.record.SimpleRecord;
import org.apache.kafka.common.record.TimestampType;

/** One batch to be built by Kafka's MemoryRecordsBuilder; setters return this. */
final class Batch {
  /** An arbitrary instant, the one that the worked examples of the format use. */
  static final long T = 1_700_000_000_000L;

  private final List<SimpleRecord> records = new ArrayList<>();
  private Compression compression = Compression.NONE;
  private long producerId = RecordBatch.NO_PRODUCER_ID;
  private short producerEpoch = RecordBatch.NO_PRODUCER_EPOCH;
  private int baseSequence = RecordBatch.NO_SEQUENCE;
  private boolean transactional = false;
  private EndTransactionMarker marker = null;
  private long markerTimestamp = RecordBatch.NO_TIMESTAMP;

  static Batch of() {
    return new Batch();
  }

  static Batch marker(long producerId, int epoch, ControlRecordType type, long timestamp) {
    Batch batch = new Batch().producer(producerId, epoch, RecordBatch.NO_SEQUENCE);
    batch.marker = new EndTransactionMarker(type, 0);
    batch.markerTimestamp = timestamp;
    return batch;
  }

  Batch compressed(Compression with) {
    compression = with;
    return this;
  }

  Batch producer(long id, int epoch, int sequence) {
    producerId = id;
    producerEpoch = (short) epoch;
    baseSequence = sequence;
    return this;
  }

  Batch transactional() {
    transactional = true;
    return this;
  }

  Batch record(long timestamp, byte[] key, byte[] value, Header... headers) {
    records.add(new SimpleRecord(timestamp, key, value, headers));
    return this;
  }

  Batch record(long timestamp, String key, String value, Header... headers) {
    return record(timestamp, bytes(key), bytes(value), headers);
  }

  boolean isMarker() {
    return marker != null;
  }

  int count() {
    return records.size();
  }

  MemoryRecords build() {
    if (marker != null) {
      return MemoryRecords.withEndTransactionMarker(0L, markerTimestamp, 0, producerId, producerEpoch, marker);
    }
    ByteBuffer room = ByteBuffer.allocate(1 << 16);  // grows by itself
    try (MemoryRecordsBuilder builder = MemoryRecords.builder(room, RecordBatch.CURRENT_MAGIC_VALUE, compression, TimestampType.CREATE_TIME,
        0L, RecordBatch.NO_TIMESTAMP, producerId, producerEpoch, baseSequence, transactional, RecordBatch.NO_PARTITION_LEADER_EPOCH)) {
      records.forEach(builder::append);
      return builder.build();
    }
  }

  static Header header(String key, byte[] value) {
    return new RecordHeader(key, value);
  }

  static byte[] bytes(String text) {
    return text == null ? null : text.getBytes(StandardCharsets.UTF_8);
  }

  static byte[] repeated(char what, int times) {
    byte[] bytes = new byte[times];
    Arrays.fill(bytes, (byte) what);
    return bytes;
  }
}
