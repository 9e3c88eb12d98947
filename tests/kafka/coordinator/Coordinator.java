import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.coordinator.group.api.assignor.ConsumerGroupPartitionAssignor;
import org.apache.kafka.coordinator.group.api.assignor.SubscribedTopicDescriber;
import org.apache.kafka.coordinator.group.api.assignor.SubscriptionType;
import org.apache.kafka.coordinator.group.assignor.RangeAssignor;
import org.apache.kafka.coordinator.group.assignor.UniformAssignor;
import org.apache.kafka.coordinator.group.modern.Assignment;
import org.apache.kafka.coordinator.group.modern.GroupSpecImpl;
import org.apache.kafka.coordinator.group.modern.MemberSubscriptionAndAssignmentImpl;

/** Assigns the groups of a file with the assignors of Kafka's group coordinator. Every answer is a line on stdout. */
public final class Coordinator {
  /** Ids from here on have hash codes that sort as they do, in the tables of up to 12 topics that the assignors keep them in. */
  private static final int FIRST_TOPIC_ID = 16;

  private final GroupRequest request;
  private final Map<String, Uuid> ids = new HashMap<>();
  private final Map<Uuid, String> names = new HashMap<>();

  private Coordinator(GroupRequest request) {
    this.request = request;
    for (String topic : request.partitions.keySet()) {
      Uuid id = new Uuid(0, FIRST_TOPIC_ID + ids.size());
      ids.put(topic, id);
      names.put(id, topic);
    }
  }

  public static void main(String[] arguments) throws Exception {
    for (String line : Files.readAllLines(Path.of(arguments[0]))) {
      GroupRequest request = new GroupRequest(line);
      System.out.println(request.answer(new Coordinator(request).assign()));
    }
  }

  private Map<String, List<GroupRequest.Partition>> assign() {
    Map<String, MemberSubscriptionAndAssignmentImpl> members = new LinkedHashMap<>();
    Map<Uuid, Map<Integer, String>> owners = new HashMap<>();
    Set<Set<String>> subscriptions = new HashSet<>();
    for (GroupRequest.Member member : request.members) {
      members.put(member.id(), member(member, owners));
      subscriptions.add(new HashSet<>(member.topics()));
    }
    SubscriptionType type = subscriptions.size() == 1 ? SubscriptionType.HOMOGENEOUS : SubscriptionType.HETEROGENEOUS;
    Map<String, List<GroupRequest.Partition>> answer = new TreeMap<>();
    assignor().assign(new GroupSpecImpl(members, type, owners), new Topics()).members()
        .forEach((member, assigned) -> answer.put(member, ours(assigned.partitions())));
    return answer;
  }

  private ConsumerGroupPartitionAssignor assignor() {
    switch (request.assignor) {
      case "range": return new RangeAssignor();
      case "uniform": return new UniformAssignor();
      default: throw new IllegalArgumentException("no assignor '" + request.assignor + "' of a coordinator");
    }
  }

  private MemberSubscriptionAndAssignmentImpl member(GroupRequest.Member member, Map<Uuid, Map<Integer, String>> owners) {
    Set<Uuid> subscribed = new LinkedHashSet<>();
    for (String topic : member.topics()) {
      if (ids.containsKey(topic)) subscribed.add(ids.get(topic));
    }
    Map<Uuid, Set<Integer>> owned = new LinkedHashMap<>();
    for (GroupRequest.Partition partition : member.owned()) {
      Uuid id = ids.get(partition.topic());
      if (id == null) continue;
      owned.computeIfAbsent(id, unused -> new LinkedHashSet<>()).add(partition.number());
      owners.computeIfAbsent(id, unused -> new HashMap<>()).put(partition.number(), member.id());
    }
    return new MemberSubscriptionAndAssignmentImpl(Optional.empty(), member.instanceId(), subscribed, new Assignment(owned));
  }

  private List<GroupRequest.Partition> ours(Map<Uuid, Set<Integer>> partitions) {
    List<GroupRequest.Partition> ours = new ArrayList<>();
    partitions.forEach((id, numbers) -> numbers.forEach(number -> ours.add(new GroupRequest.Partition(names.get(id), number))));
    return ours;
  }

  private final class Topics implements SubscribedTopicDescriber {
    @Override
    public int numPartitions(Uuid id) {
      return request.partitions.getOrDefault(names.get(id), -1);
    }

    @Override
    public Set<String> racksForPartition(Uuid id, int partition) {
      return Set.of();
    }
  }
}
