import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.record.ControlRecordType;
import org.apache.kafka.common.record.DefaultRecordBatch;
import org.apache.kafka.common.record.EndTransactionMarker;
import org.apache.kafka.common.record.FileLogInputStream.FileChannelRecordBatch;
import org.apache.kafka.common.record.FileRecords;
import org.apache.kafka.common.record.MemoryRecords;
import org.apache.kafka.common.record.Record;
import org.apache.kafka.common.record.TimestampType;

/** Prints what Kafka's file reader finds: a line per batch, a line per record, a last line that says how the walk ended. */
final class ReadCommand {
  private static final int EXIT_FAULT = 3;

  private ReadCommand() {}

  static int run(List<String> files) throws IOException {
    if (files.isEmpty()) throw new IllegalArgumentException("argument 1 is missing: a .log file");
    boolean whole = true;
    PrintStream out = new PrintStream(new java.io.BufferedOutputStream(System.out, 1 << 16), false, StandardCharsets.US_ASCII);
    for (String file : files) {
      try (FileRecords records = FileRecords.open(Path.of(file).toFile(), false, 0, false)) {
        whole &= new Walk(out).file(records);
      }
    }
    out.flush();
    return whole ? 0 : EXIT_FAULT;
  }

  private static final class Walk {
    private final PrintStream out;
    private long position = 0;

    Walk(PrintStream out) {
      this.out = out;
    }

    boolean file(FileRecords records) throws IOException {
      try {
        for (FileChannelRecordBatch batch : records.batches()) batch(batch);
      } catch (KafkaException | IllegalArgumentException problem) {
        out.println(new Json().putRaw("fault", new Json().put("position", position)
            .put("message", problem.getClass().getSimpleName() + ": " + problem.getMessage()).toString()));
        return false;
      }
      out.println(new Json().putRaw("end", new Json().put("position", position).toString()));
      return true;
    }

    private void batch(FileChannelRecordBatch onFile) throws IOException {
      ByteBuffer bytes = ByteBuffer.allocate(onFile.sizeInBytes());
      onFile.writeTo(bytes);
      bytes.flip();
      DefaultRecordBatch batch = (DefaultRecordBatch) MemoryRecords.readableRecords(bytes).batches().iterator().next();
      header(batch, onFile.isValid());
      for (Record record : onFile) record(batch, record);
      position = onFile.position() + (long) onFile.sizeInBytes();
    }

    private void header(DefaultRecordBatch batch, boolean valid) {
      Json fields = new Json()
          .put("position", position)
          .put("size", batch.sizeInBytes())
          .put("base_offset", batch.baseOffset())
          .put("last_offset", batch.lastOffset())
          .put("leader_epoch", batch.partitionLeaderEpoch())
          .put("magic", batch.magic())
          .put("crc", String.format("%08x", batch.checksum()))
          .put("valid", valid)
          .put("codec", batch.compressionType().name)
          .put("log_append_time", batch.timestampType() == TimestampType.LOG_APPEND_TIME)
          .put("transactional", batch.isTransactional())
          .put("control", batch.isControlBatch())
          .put("delete_horizon", batch.deleteHorizonMs().isPresent())
          .put("base_timestamp", batch.baseTimestamp())
          .put("max_timestamp", batch.maxTimestamp())
          .put("producer_id", batch.producerId())
          .put("producer_epoch", batch.producerEpoch())
          .put("base_sequence", batch.baseSequence())
          .put("last_sequence", batch.lastSequence())
          .put("count", batch.countOrNull());
      out.println(new Json().putRaw("batch", fields.toString()));
    }

    private void record(DefaultRecordBatch batch, Record record) {
      Json fields = new Json()
          .put("offset", record.offset())
          .put("timestamp", record.timestamp())
          .put("sequence", record.sequence())
          .putRaw("key", Json.hex(record.key()))
          .putRaw("value", Json.hex(record.value()))
          .putRaw("headers", headers(record.headers()));
      if (batch.isControlBatch()) control(record, fields);
      out.println(new Json().putRaw("record", fields.toString()));
    }

    private static void control(Record record, Json fields) {
      ControlRecordType type = ControlRecordType.parse(record.key());
      fields.put("control", type.name().toLowerCase(java.util.Locale.ROOT));
      if (type == ControlRecordType.COMMIT || type == ControlRecordType.ABORT) {
        fields.put("coordinator_epoch", EndTransactionMarker.deserialize(record).coordinatorEpoch());
      }
    }

    private static String headers(Header[] headers) {
      StringBuilder list = new StringBuilder("[");
      for (Header header : headers) {
        if (list.length() > 1) list.append(',');
        ByteBuffer value = header.value() == null ? null : ByteBuffer.wrap(header.value());
        list.append('[').append(Json.hex(ByteBuffer.wrap(header.key().getBytes(StandardCharsets.UTF_8)))).append(',')
            .append(Json.hex(value)).append(']');
      }
      return list.append(']').toString();
    }
  }
}
