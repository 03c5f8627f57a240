import java.util.*;
import java.util.concurrent.*;
import java.util.concurrent.atomic.*;
import org.apache.rocketmq.client.consumer.*;
import org.apache.rocketmq.client.consumer.listener.*;
import org.apache.rocketmq.client.producer.*;
import org.apache.rocketmq.common.compression.CompressionType;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.*;
import org.apache.rocketmq.common.message.MessageRequestMode;
import org.apache.rocketmq.tools.admin.DefaultMQAdminExt;

/** Capabilities that the 4.9.7 client does not have; run as Capabilities is. */
public class Capabilities5 {
    static String namesrv;
    static final String RUN = Long.toString(System.currentTimeMillis(), 36);
    static final Map<String, Capabilities.Check> ALL = new LinkedHashMap<>();
    static DefaultMQProducer producer;
    static DefaultMQAdminExt admin;

    public static void main(String[] args) throws Exception {
        namesrv = args[0];
        ALL.put("timer_delay", Capabilities5::timerDelay);
        ALL.put("timer_deliver_at", Capabilities5::timerDeliverAt);
        ALL.put("recall", Capabilities5::recall);
        ALL.put("compression_types", Capabilities5::compression);
        ALL.put("pop", Capabilities5::pop);
        ALL.put("pop_redelivery", Capabilities5::popRedelivery);
        ALL.put("broker_side_assignment", Capabilities5::assignment);
        ALL.put("auto_batch", Capabilities5::autoBatch);
        ALL.put("heartbeat_v2", Capabilities5::heartbeatV2);
        ALL.put("namespace_v2", Capabilities5::namespaceV2);
        Harness.run(ALL, Arrays.asList(args).subList(1, args.length), Capabilities5::open);
    }

    static void open() throws Exception {
        producer = Harness.producer(namesrv, "Java5Producer" + RUN);
        admin = new DefaultMQAdminExt(6000);
        admin.setNamesrvAddr(namesrv);
        admin.setAdminExtGroup("Java5Admin" + RUN);
        admin.start();
    }

    static String name(String what) { return "J5_" + what + "_" + RUN; }

    static String topic(String what, int queues) throws Exception {
        String topic = name(what);
        Harness.createTopic(admin, namesrv, topic, queues);
        return topic;
    }

    static DefaultMQPushConsumer consumer(String group, String topic) throws Exception {
        DefaultMQPushConsumer c = new DefaultMQPushConsumer(group);
        c.setNamesrvAddr(namesrv);
        c.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        c.subscribe(topic, "*");
        return c;
    }

    static void deliveredAfter(String topic, Message m, long delayMs) throws Exception {
        long sent = System.currentTimeMillis();
        SendResult r = producer.send(m);
        long stored = System.currentTimeMillis();
        Harness.that(r.getRecallHandle() != null, "a timer message has a recall handle");
        MessageExt got = Harness.collect(consumer(name("g" + delayMs), topic), 1, 60).get(0);
        long due = got.getStoreTimestamp();
        Harness.that(due >= sent + delayMs - 50 && due < stored + delayMs + 3500, "delivered after " + delayMs + " ms, took " + (due - sent));
    }

    static void timerDelay() throws Exception {
        String topic = topic("timer", 1);
        Message m = new Message(topic, Harness.bytes("in 3.5 s"));
        m.setDelayTimeMs(3500);
        deliveredAfter(topic, m, 3500);
    }

    static void timerDeliverAt() throws Exception {
        String topic = topic("deliver", 1);
        Message m = new Message(topic, Harness.bytes("at a point in time"));
        m.setDeliverTimeMs(System.currentTimeMillis() + 2500);
        deliveredAfter(topic, m, 2500);
    }

    static void recall() throws Exception {
        String topic = topic("recall", 1);
        Message recalled = new Message(topic, Harness.bytes("recalled"));
        recalled.setDelayTimeMs(8000);
        SendResult r = producer.send(recalled);
        Message kept = new Message(topic, Harness.bytes("kept"));
        kept.setDelayTimeMs(10_000);
        producer.send(kept);
        Harness.equal(r.getMsgId(), producer.recallMessage(topic, r.getRecallHandle()));
        MessageExt got = Harness.collect(consumer(name("grecall"), topic), 1, 60).get(0);
        Harness.equal("kept", new String(got.getBody()));
        Harness.equal(1L, Harness.total(producer, topic));
    }

    static void compression() throws Exception {
        String topic = topic("compress", 1);
        byte[] body = new byte[50_000];
        for (int i = 0; i < body.length; i++) body[i] = (byte) ("abcdefgh".charAt(i % 8));
        for (CompressionType type : CompressionType.values()) {
            DefaultMQProducer p = new DefaultMQProducer(name("p" + type));
            p.setNamesrvAddr(namesrv);
            p.setCompressType(type);
            p.start();
            try { p.send(new Message(topic, body)); } finally { p.shutdown(); }
        }
        for (MessageExt m : Harness.collect(consumer(name("gcompress"), topic), 3, 60)) Harness.that(Arrays.equals(body, m.getBody()), "unchanged");
    }

    static DefaultMQPushConsumer popConsumer(String group, String topic) throws Exception {
        admin.createAndUpdateSubscriptionGroupConfig(Harness.brokerAddr(admin), Harness.groupConfig(group));
        admin.setMessageRequestMode(Harness.brokerAddr(admin), topic, group, MessageRequestMode.POP, 8, 3000);
        DefaultMQPushConsumer c = consumer(group, topic);
        c.setClientRebalance(false);
        return c;
    }

    static void pop() throws Exception {
        String topic = topic("pop", 4), group = name("gpop");
        DefaultMQPushConsumer c = popConsumer(group, topic);
        for (int i = 0; i < 100; i++) producer.send(new Message(topic, Harness.bytes("m" + i)));
        Set<String> bodies = new HashSet<>();
        for (MessageExt m : Harness.collect(c, 100, 60)) {
            Harness.that(m.getProperty("POP_CK") != null, "a receipt");
            bodies.add(new String(m.getBody()));
        }
        Harness.equal(100, bodies.size());
    }

    static void popRedelivery() throws Exception {
        String topic = topic("popagain", 1), group = name("gpopagain");
        DefaultMQPushConsumer c = popConsumer(group, topic);
        producer.send(new Message(topic, Harness.bytes("again")));
        BlockingQueue<Integer> attempts = new LinkedBlockingQueue<>();
        c.registerMessageListener((MessageListenerConcurrently) (msgs, ctx) -> {
            attempts.add(msgs.get(0).getReconsumeTimes());
            return attempts.size() < 2 ? ConsumeConcurrentlyStatus.RECONSUME_LATER : ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        c.start();
        try {
            Harness.equal(0, attempts.poll(60, TimeUnit.SECONDS));
            Harness.equal(1, attempts.poll(90, TimeUnit.SECONDS));
        } finally { c.shutdown(); }
    }

    static void assignment() throws Exception {
        String topic = topic("assign", 4), group = name("gassign");
        admin.createAndUpdateSubscriptionGroupConfig(Harness.brokerAddr(admin), Harness.groupConfig(group));
        DefaultMQPushConsumer c = consumer(group, topic);
        c.setClientRebalance(false);
        for (int i = 0; i < 20; i++) producer.send(new Message(topic, Harness.bytes("m" + i)));
        Harness.equal(20, Harness.collect(c, 20, 60).size());
    }

    static void autoBatch() throws Exception {
        String topic = topic("autobatch", 1);
        DefaultMQProducer p = new DefaultMQProducer(name("pautobatch"));
        p.setNamesrvAddr(namesrv);
        p.setAutoBatch(true);
        p.start();
        CountDownLatch done = new CountDownLatch(50);
        AtomicReference<Throwable> failure = new AtomicReference<>();
        try {
            for (int i = 0; i < 50; i++) p.send(new Message(topic, Harness.bytes("m" + i)), new SendCallback() {
                public void onSuccess(SendResult r) { done.countDown(); }
                public void onException(Throwable e) { failure.set(e); done.countDown(); }
            });
            Harness.await(done, 20);
        } finally { p.shutdown(); }
        if (failure.get() != null) throw new Exception(failure.get());
        Harness.eventually(10, () -> Harness.total(producer, topic) == 50, "fifty messages are stored");
    }

    static void heartbeatV2() throws Exception {
        String topic = topic("heartbeat", 1);
        DefaultMQPushConsumer c = consumer(name("gheartbeat"), topic);
        c.setUseHeartbeatV2(true);
        producer.send(new Message(topic, Harness.bytes("v2")));
        Harness.equal(1, Harness.collect(c, 1, 60).size());
    }

    /** The second kind of namespace is named beside each request and changes no name: brokers that know no such thing ignore it. */
    static void namespaceV2() throws Exception {
        String topic = topic("nsv2", 2), group = name("gnsv2");
        DefaultMQProducer p = new DefaultMQProducer(name("pnsv2"));
        p.setNamesrvAddr(namesrv);
        p.setNamespaceV2("NSV2");
        p.setSendMsgTimeout(6000);
        p.start();
        DefaultMQPushConsumer c = consumer(group, topic);
        c.setNamespaceV2("NSV2");
        Queue<String> seen = new ConcurrentLinkedQueue<>();
        c.registerMessageListener((MessageListenerConcurrently) (msgs, ctx) -> {
            ctx.setDelayLevelWhenNextConsume(1);
            for (MessageExt m : msgs) seen.add(m.getTopic() + " " + new String(m.getBody()) + " " + m.getReconsumeTimes());
            return msgs.get(0).getReconsumeTimes() == 0 ? ConsumeConcurrentlyStatus.RECONSUME_LATER : ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        c.start();
        try {
            p.send(new Message(topic, Harness.bytes("one")));
            p.send(Arrays.asList(new Message(topic, Harness.bytes("two")), new Message(topic, Harness.bytes("three"))));
            Harness.eventually(90, () -> seen.size() == 6, "each message and its retry, got " + seen);
        } finally { c.shutdown(); p.shutdown(); }
        Set<String> expected = new HashSet<>();
        for (String body : new String[] {"one", "two", "three"}) for (int attempt = 0; attempt < 2; attempt++) expected.add(topic + " " + body + " " + attempt);
        Harness.equal(expected, new HashSet<>(seen));
        Harness.equal(3, Harness.collect(consumer(name("gplain"), topic), 3, 60).size());
        Harness.that(admin.examineConsumeStats(group).getOffsetTable().keySet().stream().anyMatch(q -> q.getTopic().equals(topic)), "the group has offsets under its plain name");
    }
}
