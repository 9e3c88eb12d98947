import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.storage.internals.log.AppendOrigin;

/** Writes a partition with Kafka's own append path, from a fixed set of named scenarios. */
final class WriteCommand {
  /** The inputs of a scenario: the open partition, and the random seed for those that use one. */
  interface Scenario {
    void write(Partition partition, long seed) throws Exception;
  }

  /** The partition being written, with shorthands that scenarios read well with. */
  static final class Partition {
    private final KafkaLog kafka;

    Partition(KafkaLog kafka) {
      this.kafka = kafka;
    }

    long append(Batch batch) {
      long base = kafka.log.logEndOffset();
      kafka.append(batch.build(), batch.isMarker() ? AppendOrigin.COORDINATOR : AppendOrigin.CLIENT);
      return base;
    }

    void roll() {
      kafka.roll();
    }

    void clock(long ms) {
      kafka.time.set(ms);
    }
  }

  private WriteCommand() {}

  static int run(Options options) throws Exception {
    Map<String, Entry> scenarios = new TreeMap<>();
    BasicScenarios.addTo(scenarios);
    ProducerScenarios.addTo(scenarios);
    if (options.word(0, "the partition directory").equals("list")) {
      scenarios.keySet().forEach(System.out::println);
      return 0;
    }
    String name = options.word(1, "a scenario, 'write list' prints them");
    Entry entry = scenarios.get(name);
    if (entry == null) throw new IllegalArgumentException("no scenario '" + name + "'; there are " + scenarios.keySet());
    long seed = options.takeLong("seed", 1);
    FixedTime time = new FixedTime(options.takeLong("now", Batch.T));
    try (KafkaLog kafka = KafkaLog.open(options.directory(), options.logConfig(entry.config), 0, true, time)) {
      entry.scenario.write(new Partition(kafka), seed);
      Json config = new Json();
      new TreeMap<>(entry.config).forEach(config::put);
      System.out.println(new Json().putRaw("config", config.toString()).putRaw("log", LoadCommand.describe(kafka.log)));
    }
    return 0;
  }

  /** A scenario and the topic configuration it wants. */
  static final class Entry {
    final Map<String, String> config;
    final Scenario scenario;

    Entry(Map<String, String> config, Scenario scenario) {
      this.config = config;
      this.scenario = scenario;
    }
  }

}
