import java.nio.charset.StandardCharsets;
import java.util.*;
import java.util.stream.Collectors;
import org.apache.rocketmq.client.consumer.AllocateMessageQueueStrategy;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.consumer.rebalance.*;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/**
 * A member of consumer groups: Member NAMESRV (TOPIC GROUP STRATEGY)... Prints "member TOPIC CLIENTID" when it has started in
 * a group and "got TOPIC QUEUE BODY" for each message; ends with its standard input.
 * The strategy BROADCAST is a member of a group in which everybody reads everything, and keeps its offsets in a file.
 * A client id that contains @far is in another room than the brokers; STRATEGY/far is such a member.
 */
public final class Member {
    public static void main(String[] args) throws Exception {
        List<DefaultMQPushConsumer> consumers = new ArrayList<>();
        for (int i = 1; i < args.length; i += 3) consumers.add(member(args[0], args[i], args[i + 1], args[i + 2]));
        while (System.in.read() >= 0) { }
        for (DefaultMQPushConsumer consumer : consumers) consumer.shutdown();
        System.exit(0);
    }

    static DefaultMQPushConsumer member(String namesrv, String topic, String group, String strategy) throws Exception {
        DefaultMQPushConsumer consumer = new DefaultMQPushConsumer(group);
        consumer.setNamesrvAddr(namesrv);
        consumer.setInstanceName((strategy.endsWith("/far") ? "far" : "near") + "-java-" + group);
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        // What was printed counts as read when it stops.
        consumer.setAwaitTerminationMillisWhenShutdown(10_000);
        consumer.subscribe(topic, "*");
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
            for (MessageExt m : messages) System.out.println("got " + topic + " " + m.getQueueId() + " " + new String(m.getBody(), StandardCharsets.UTF_8));
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        if (strategy.equals("BROADCAST")) Harness.broadcasting(consumer);
        else consumer.setAllocateMessageQueueStrategy(strategy(strategy.replace("/far", "")));
        consumer.start();
        System.out.println("member " + topic + " " + consumer.getDefaultMQPushConsumerImpl().getmQClientFactory().getClientId());
        return consumer;
    }

    static AllocateMessageQueueStrategy strategy(String name) {
        switch (name) {
            case "AVG": return new AllocateMessageQueueAveragely();
            case "AVG_BY_CIRCLE": return new AllocateMessageQueueAveragelyByCircle();
            case "CONSISTENT_HASH": return new AllocateMessageQueueConsistentHash();
            case "MACHINE_ROOM": return room();
            case "MACHINE_ROOM_NEARBY": return new AllocateMachineRoomNearby(new AllocateMessageQueueAveragely(), new Rooms());
            case "CONFIG": return new EvenQueues();
            default: throw new IllegalArgumentException(name);
        }
    }

    static AllocateMessageQueueStrategy room() {
        AllocateMessageQueueByMachineRoom strategy = new AllocateMessageQueueByMachineRoom();
        strategy.setConsumeridcs(Collections.singleton("near"));
        return strategy;
    }

    static final class Rooms implements AllocateMachineRoomNearby.MachineRoomResolver {
        public String brokerDeployIn(MessageQueue queue) { return "near"; }
        public String consumerDeployIn(String clientId) { return clientId.contains("@far") ? "far" : "near"; }
    }

    /** Queues by their numbers, which have to be known to be configured: filled in at the first split. */
    static final class EvenQueues extends AllocateMessageQueueByConfig {
        @Override public List<MessageQueue> allocate(String group, String me, List<MessageQueue> queues, List<String> members) {
            setMessageQueueList(queues.stream().filter(queue -> queue.getTopic().startsWith("%RETRY%") || queue.getQueueId() % 2 == 0).collect(Collectors.toList()));
            return super.allocate(group, me, queues, members);
        }
    }
}
