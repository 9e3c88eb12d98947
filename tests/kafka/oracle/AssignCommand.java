import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Assignment;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.GroupSubscription;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Subscription;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.RangeAssignor;
import org.apache.kafka.clients.consumer.RoundRobinAssignor;
import org.apache.kafka.clients.consumer.StickyAssignor;
import org.apache.kafka.common.Cluster;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;

/** Assigns the groups of a file with the assignors of Kafka's consumer. */
final class AssignCommand {
  private static final int GENERATION = 7;

  private AssignCommand() {}

  static int run(List<String> arguments) throws Exception {
    for (String line : Files.readAllLines(Path.of(arguments.get(0)))) {
      GroupRequest request = new GroupRequest(line);
      System.out.println(request.answer(assign(request)));
    }
    return 0;
  }

  private static Map<String, List<GroupRequest.Partition>> assign(GroupRequest request) {
    Map<String, Subscription> subscriptions = new TreeMap<>();
    for (GroupRequest.Member member : request.members) subscriptions.put(member.id(), subscription(request.assignor, member));
    Map<String, List<GroupRequest.Partition>> answer = new TreeMap<>();
    assignor(request.assignor).assign(cluster(request), new GroupSubscription(subscriptions)).groupAssignment()
        .forEach((member, assigned) -> answer.put(member, ours(assigned.partitions())));
    return answer;
  }

  private static ConsumerPartitionAssignor assignor(String name) {
    switch (name) {
      case "range": return new RangeAssignor();
      case "roundrobin": return new RoundRobinAssignor();
      case "sticky": return new StickyAssignor();
      case "cooperative-sticky": return new CooperativeStickyAssignor();
      default: throw new IllegalArgumentException("no assignor '" + name + "' of a consumer");
    }
  }

  private static Subscription subscription(String assignor, GroupRequest.Member member) {
    List<TopicPartition> owned = new ArrayList<>();
    member.owned().forEach(partition -> owned.add(new TopicPartition(partition.topic(), partition.number())));
    ByteBuffer userData = assignor.equals("sticky") ? whatItOwned(member, owned) : null;
    Subscription subscription = new Subscription(member.topics(), userData, owned, GENERATION, Optional.empty());
    subscription.setGroupInstanceId(member.instanceId());
    return subscription;
  }

  /** A member tells the sticky assignor by its user data: its partitions are revoked before it joins. */
  private static ByteBuffer whatItOwned(GroupRequest.Member member, List<TopicPartition> owned) {
    StickyAssignor before = new StickyAssignor();
    before.onAssignment(new Assignment(owned), new ConsumerGroupMetadata("group", GENERATION, member.id(), member.instanceId()));
    return before.subscriptionUserData(new HashSet<>(member.topics()));
  }

  private static Cluster cluster(GroupRequest request) {
    Node node = new Node(0, "localhost", 9092);
    Node[] replicas = {node};
    List<PartitionInfo> partitions = new ArrayList<>();
    request.partitions.forEach((topic, count) -> {
      for (int i = 0; i < count; i++) partitions.add(new PartitionInfo(topic, i, node, replicas, replicas));
    });
    return new Cluster("cluster", List.of(node), partitions, Set.of(), Set.of());
  }

  private static List<GroupRequest.Partition> ours(List<TopicPartition> partitions) {
    List<GroupRequest.Partition> ours = new ArrayList<>();
    partitions.forEach(partition -> ours.add(new GroupRequest.Partition(partition.topic(), partition.partition())));
    return ours;
  }
}
