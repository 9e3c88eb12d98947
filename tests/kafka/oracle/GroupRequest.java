import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.StringJoiner;
import java.util.TreeMap;
import java.util.TreeSet;

/** One line of the comparison of assignors: the assignor, the topics and the members of a group. Knows nothing of Kafka's: both of its versions read it. */
final class GroupRequest {
  record Partition(String topic, int number) implements Comparable<Partition> {
    static Partition parse(String text) {
      int colon = text.indexOf(':');
      return new Partition(text.substring(0, colon), Integer.parseInt(text.substring(colon + 1)));
    }

    @Override
    public int compareTo(Partition other) {
      int byTopic = topic.compareTo(other.topic);
      return byTopic != 0 ? byTopic : Integer.compare(number, other.number);
    }

    @Override
    public String toString() {
      return topic + ":" + number;
    }
  }

  record Member(String id, Optional<String> instanceId, List<String> topics, List<Partition> owned) {}

  private static final String NOTHING = "-";

  final String assignor;
  final SortedMap<String, Integer> partitions = new TreeMap<>();
  /** In the order of their ids. */
  final List<Member> members = new ArrayList<>();

  /** ASSIGNOR, then TOPIC=COUNT and blanks between, then for each member "ID INSTANCE TOPIC,... TOPIC:NUMBER,..."; "-" is nothing, tabs part. */
  GroupRequest(String line) {
    String[] fields = line.split("\t");
    assignor = fields[0];
    for (String topic : words(fields[1], " ")) {
      int equals = topic.indexOf('=');
      partitions.put(topic.substring(0, equals), Integer.parseInt(topic.substring(equals + 1)));
    }
    for (String text : List.of(fields).subList(2, fields.length)) members.add(member(text.split(" ")));
  }

  private static Member member(String[] words) {
    List<Partition> owned = new ArrayList<>();
    for (String partition : words(words[3], ",")) owned.add(Partition.parse(partition));
    return new Member(words[0], words[1].equals(NOTHING) ? Optional.empty() : Optional.of(words[1]), words(words[2], ","), owned);
  }

  private static List<String> words(String text, String between) {
    return text.equals(NOTHING) ? List.of() : List.of(text.split(between));
  }

  /** "ID TOPIC:NUMBER,..." for each member, tabs between. */
  String answer(Map<String, ? extends Collection<Partition>> assignment) {
    StringJoiner answer = new StringJoiner("\t");
    for (Member member : members) {
      Collection<Partition> assigned = assignment.get(member.id());
      StringJoiner text = new StringJoiner(",");
      text.setEmptyValue(NOTHING);
      if (assigned != null) new TreeSet<>(assigned).forEach(partition -> text.add(partition.toString()));
      answer.add(member.id() + " " + text);
    }
    return answer.toString();
  }
}
