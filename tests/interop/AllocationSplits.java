import java.util.*;
import org.apache.rocketmq.client.consumer.*;
import org.apache.rocketmq.client.consumer.rebalance.*;
import org.apache.rocketmq.common.message.MessageQueue;

public class AllocationSplits {
  static List<MessageQueue> queues(String topic, String spec) {
    List<MessageQueue> all = new ArrayList<>();
    for (String b : spec.split(",")) {
      int c = b.lastIndexOf(':');
      int n = Integer.parseInt(b.substring(c + 1));
      for (int i = 0; i < n; i++) all.add(new MessageQueue(topic, b.substring(0, c), i));
    }
    Collections.sort(all);
    return all;
  }
  static void run(String name, AllocateMessageQueueStrategy s, String topic, String spec, List<String> ids) {
    List<MessageQueue> all = queues(topic, spec);
    List<String> sorted = new ArrayList<>(ids);
    Collections.sort(sorted);
    StringBuilder out = new StringBuilder();
    out.append(name).append('\t').append(topic).append('\t').append(spec).append('\t').append(String.join(",", sorted)).append('\t');
    StringJoiner members = new StringJoiner("|");
    for (String id : sorted) {
      StringJoiner j = new StringJoiner(",");
      for (MessageQueue q : s.allocate("g", id, all, sorted)) j.add(String.valueOf(all.indexOf(q)));
      members.add(j.toString());
    }
    System.out.println(out.append(members));
  }
  static List<String> ids(int m, Random r) {
    List<String> l = new ArrayList<>();
    for (int i = 0; i < m; i++) l.add("192.0.2." + (i * 7 % 250 + 1) + "@" + (1000 + r.nextInt(60000)) + "#" + Math.abs(r.nextLong() % 10000000000000L));
    return l;
  }
  public static void main(String[] a) {
    Random r = new Random(42);
    for (int n : new int[]{1, 2, 3, 4, 5, 7, 8, 16, 33}) for (int m : new int[]{1, 2, 3, 4, 5, 8, 9, 17}) {
      String spec = n > 4 ? "broker-a:" + n / 2 + ",broker-b:" + (n - n / 2) : "broker-a:" + n;
      List<String> ids = ids(m, r);
      run("AVG", new AllocateMessageQueueAveragely(), "orders", spec, ids);
      run("AVG_BY_CIRCLE", new AllocateMessageQueueAveragelyByCircle(), "orders", spec, ids);
      run("CONSISTENT_HASH", new AllocateMessageQueueConsistentHash(), "orders", spec, ids);
      AllocateMessageQueueByMachineRoom room = new AllocateMessageQueueByMachineRoom();
      room.setConsumeridcs(new HashSet<>(Arrays.asList("hz", "sh")));
      run("MACHINE_ROOM hz,sh", room, "orders", "bj@b0:2,hz@b1:" + n + ",plain:1,sh@b2:" + (n / 2 + 1), ids);
      List<String> roomy = new ArrayList<>();
      for (int i = 0; i < m; i++) roomy.add((i % 3 == 0 ? "hz" : "sh") + "-" + ids.get(i));
      AllocateMachineRoomNearby.MachineRoomResolver res = new AllocateMachineRoomNearby.MachineRoomResolver() {
        public String brokerDeployIn(MessageQueue q) { return q.getBrokerName().split("-")[0]; }
        public String consumerDeployIn(String id) { return id.split("-")[0]; }
      };
      String three = "hz-a:" + n + ",sh-a:" + (n / 2 + 1) + ",bj-a:3";
      run("MACHINE_ROOM_NEARBY-AVG", new AllocateMachineRoomNearby(new AllocateMessageQueueAveragely(), res), "orders", three, roomy);
      run("MACHINE_ROOM_NEARBY-AVG_BY_CIRCLE", new AllocateMachineRoomNearby(new AllocateMessageQueueAveragelyByCircle(), res), "orders", three, roomy);
    }
    run("CONSISTENT_HASH", new AllocateMessageQueueConsistentHash(), "%RETRY%结算", "broker-a:16,broker-b:16", Arrays.asList("名@1", "\uFFFD@2", "\uD83D\uDE00@3"));
    run("AVG", new AllocateMessageQueueAveragely(), "t", "b\uFFFD:3,b\uD83D\uDE00:3,b:3", Arrays.asList("\uFFFD", "\uD83D\uDE00", "Z", "a", "_"));
  }
}
