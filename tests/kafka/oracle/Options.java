import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.storage.internals.log.LogConfig;

/** Arguments of a subcommand: positional words, and name=value pairs that are topic configurations unless a command takes them. */
final class Options {
  private final List<String> words = new ArrayList<>();
  private final Map<String, String> pairs = new HashMap<>();

  Options(List<String> arguments) {
    for (String argument : arguments) {
      int equals = argument.indexOf('=');
      if (equals < 0) {
        words.add(argument);
      } else {
        pairs.put(argument.substring(0, equals), argument.substring(equals + 1));
      }
    }
  }

  String word(int index, String meaning) {
    if (index >= words.size()) throw new IllegalArgumentException("argument " + (index + 1) + " is missing: " + meaning);
    return words.get(index);
  }

  Path directory() {
    return Path.of(word(0, "the partition directory, TOPIC-NUMBER")).toAbsolutePath();
  }

  /** Takes a pair out, so that what remains is topic configuration. */
  long takeLong(String name, long otherwise) {
    String text = pairs.remove(name);
    return text == null ? otherwise : Long.parseLong(text);
  }

  String takeText(String name, String otherwise) {
    String text = pairs.remove(name);
    return text == null ? otherwise : text;
  }

  boolean takeBoolean(String name, boolean otherwise) {
    String text = pairs.remove(name);
    return text == null ? otherwise : Boolean.parseBoolean(text);
  }

  /** The remaining pairs over `defaults`; an unknown name is an error, Kafka itself would ignore it. */
  LogConfig logConfig(Map<String, String> defaults) {
    Properties properties = new Properties();
    properties.putAll(defaults);
    properties.putAll(pairs);
    LogConfig.validateNames(properties);
    return new LogConfig(properties);
  }
}
