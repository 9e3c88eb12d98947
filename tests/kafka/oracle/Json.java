import java.nio.ByteBuffer;
import java.util.HexFormat;

/** Just enough JSON: objects of numbers, booleans, nulls, ASCII words and ready-made fragments, in the order they were put. */
final class Json {
  private final StringBuilder text = new StringBuilder();

  private Json name(String name) {
    if (text.length() > 0) text.append(',');
    text.append('"').append(name).append("\":");
    return this;
  }

  Json put(String name, long value) {
    name(name).text.append(value);
    return this;
  }

  Json put(String name, boolean value) {
    name(name).text.append(value);
    return this;
  }

  Json put(String name, String value) {
    name(name).text.append(quoted(value));
    return this;
  }

  /** `fragment` is JSON already. */
  Json putRaw(String name, String fragment) {
    name(name).text.append(fragment);
    return this;
  }

  @Override
  public String toString() {
    return "{" + text + "}";
  }

  static String quoted(String value) {
    StringBuilder quoted = new StringBuilder("\"");
    for (char c : value.toCharArray()) {
      if (c == '"' || c == '\\') quoted.append('\\').append(c);
      else if (c < ' ' || c > '~') quoted.append(String.format("\\u%04x", (int) c));
      else quoted.append(c);
    }
    return quoted.append('"').toString();
  }

  /** Bytes as quoted hex, or null. Leaves the buffer's position where it was. */
  static String hex(ByteBuffer bytes) {
    if (bytes == null) return "null";
    byte[] copy = new byte[bytes.remaining()];
    bytes.duplicate().get(copy);
    return '"' + HexFormat.of().formatHex(copy) + '"';
  }
}
