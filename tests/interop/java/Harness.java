import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.util.*;
import java.util.concurrent.*;
import org.apache.rocketmq.client.consumer.*;
import org.apache.rocketmq.client.consumer.listener.*;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.TopicConfig;
import org.apache.rocketmq.common.message.*;
import org.apache.rocketmq.tools.admin.DefaultMQAdminExt;

/** What the capability programs share. Reflection stands where 4.9.7 and 5.x keep a class in different packages. */
final class Harness {
    interface Condition { boolean holds() throws Exception; }

    static void run(Map<String, Capabilities.Check> all, List<String> wanted, Capabilities.Check open) throws Exception {
        for (String name : wanted) if (!all.containsKey(name)) { System.out.println("FAILED " + name + " no such capability, there are " + all.keySet()); System.exit(1); }
        open.run();
        // Most of a capability's time is spent waiting for timers of the client, so several run at once.
        ExecutorService pool = Executors.newFixedThreadPool(8);
        Map<String, Future<Boolean>> results = new LinkedHashMap<>();
        for (Map.Entry<String, Capabilities.Check> e : all.entrySet()) {
            if (wanted.isEmpty() || wanted.contains(e.getKey())) results.put(e.getKey(), pool.submit(() -> passes(e.getKey(), e.getValue())));
        }
        int failed = 0;
        for (Future<Boolean> result : results.values()) if (!result.get()) failed++;
        System.out.println(results.size() - failed + " passed, " + failed + " failed");
        System.exit(failed);
    }

    static boolean passes(String name, Capabilities.Check check) {
        long start = System.currentTimeMillis();
        try {
            check.run();
            System.out.println("ok " + name + " " + (System.currentTimeMillis() - start));
            return true;
        } catch (Throwable t) {
            System.out.println("FAILED " + name + " " + t);
            if (System.getenv("VERBOSE") != null) t.printStackTrace(System.out);
            return false;
        }
    }

    static byte[] bytes(String s) { return s.getBytes(StandardCharsets.UTF_8); }

    static void equal(Object expected, Object actual) {
        if (!Objects.equals(expected, actual)) throw new AssertionError("expected " + expected + ", got " + actual);
    }

    static void that(boolean holds, String what) { if (!holds) throw new AssertionError("does not hold: " + what); }

    static void await(CountDownLatch latch, int seconds) throws Exception {
        if (!latch.await(seconds, TimeUnit.SECONDS)) throw new AssertionError(latch.getCount() + " still missing after " + seconds + " s");
    }

    static void eventually(int seconds, Condition condition, String what) throws Exception {
        long end = System.currentTimeMillis() + seconds * 1000L;
        Exception last = null;
        while (System.currentTimeMillis() < end) {
            try { if (condition.holds()) return; last = null; } catch (Exception e) { last = e; }
            Thread.sleep(100);
        }
        throw new AssertionError("not within " + seconds + " s: " + what + (last == null ? "" : ", last failure " + last));
    }

    static DefaultMQProducer producer(String namesrv, String group) throws Exception {
        DefaultMQProducer p = new DefaultMQProducer(group);
        p.setNamesrvAddr(namesrv);
        p.setSendMsgTimeout(6000);
        p.start();
        return p;
    }

    static DefaultMQProducer tracing(String namesrv, String group) throws Exception {
        DefaultMQProducer p;
        try {
            p = DefaultMQProducer.class.getConstructor(String.class, boolean.class).newInstance(group, true);
        } catch (NoSuchMethodException e) {
            p = new DefaultMQProducer(group);
            p.getClass().getMethod("setEnableTrace", boolean.class).invoke(p, true);
        }
        p.setNamesrvAddr(namesrv);
        p.start();
        return p;
    }

    static void broadcasting(DefaultMQPushConsumer c) throws Exception {
        for (Method m : DefaultMQPushConsumer.class.getMethods()) {
            if (m.getName().equals("setMessageModel")) m.invoke(c, Enum.valueOf((Class) m.getParameterTypes()[0], "BROADCASTING"));
        }
    }

    static String brokerAddr(DefaultMQAdminExt admin) throws Exception {
        return admin.examineBrokerClusterInfo().getBrokerAddrTable().values().iterator().next().getBrokerAddrs().get(0L);
    }

    static String brokerName(DefaultMQProducer p, String topic) throws Exception { return p.fetchPublishMessageQueues(topic).get(0).getBrokerName(); }

    /** 5.x has a form without a cluster; 4.9.7 wants one, as its last argument. */
    static void deleteTopicInNameServers(DefaultMQAdminExt admin, Set<String> addrs, String topic) throws Exception {
        try {
            DefaultMQAdminExt.class.getMethod("deleteTopicInNameServer", Set.class, String.class).invoke(admin, addrs, topic);
        } catch (NoSuchMethodException e) {
            DefaultMQAdminExt.class.getMethod("deleteTopicInNameServer", Set.class, String.class, String.class).invoke(admin, addrs, topic, "DefaultCluster");
        }
    }

    static void createTopic(DefaultMQAdminExt admin, String namesrv, String topic, int queues) throws Exception {
        admin.createAndUpdateTopicConfig(brokerAddr(admin), new TopicConfig(topic, queues, queues, 6));
        eventually(20, () -> admin.examineTopicRouteInfo(topic).getQueueDatas().size() == 1, "the route of " + topic);
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    static <T> T groupConfig(String group) throws Exception {
        for (Method m : DefaultMQAdminExt.class.getMethods()) {
            if (!m.getName().equals("createAndUpdateSubscriptionGroupConfig")) continue;
            Object config = m.getParameterTypes()[1].getDeclaredConstructor().newInstance();
            config.getClass().getMethod("setGroupName", String.class).invoke(config, group);
            return (T) config;
        }
        throw new IllegalStateException();
    }

    static boolean hasPop() {
        for (Method m : DefaultMQAdminExt.class.getMethods()) if (m.getName().equals("setMessageRequestMode")) return true;
        return false;
    }

    /** Has the broker serve a group by POP. Only 5.x can. */
    @SuppressWarnings({"unchecked", "rawtypes"})
    static void serveByPop(DefaultMQAdminExt admin, String topic, String group) throws Exception {
        admin.createAndUpdateSubscriptionGroupConfig(brokerAddr(admin), groupConfig(group));
        for (Method m : DefaultMQAdminExt.class.getMethods()) {
            if (!m.getName().equals("setMessageRequestMode")) continue;
            m.invoke(admin, brokerAddr(admin), topic, group, Enum.valueOf((Class) m.getParameterTypes()[3], "POP"), 8, 6000L);
            return;
        }
        throw new IllegalStateException();
    }

    /** Has the broker assign the queues of a consumer. Only 5.x can. */
    static DefaultMQPushConsumer byBroker(DefaultMQPushConsumer c) throws Exception {
        DefaultMQPushConsumer.class.getMethod("setClientRebalance", boolean.class).invoke(c, false);
        return c;
    }

    /** As `total`, and 0 for a topic that does not exist yet. */
    static long totalOrZero(DefaultMQProducer p, String topic) {
        try { return total(p, topic); } catch (Exception e) { return 0; }
    }

    static long total(DefaultMQProducer p, String topic) throws Exception {
        long sum = 0;
        for (MessageQueue q : p.fetchPublishMessageQueues(topic)) sum += p.maxOffset(q) - p.minOffset(q);
        return sum;
    }

    /** The number of queues of the topic that every member owns, or -1 while they differ. */
    static int ownedQueues(DefaultMQAdminExt admin, String group, List<DefaultMQPushConsumer> members) throws Exception {
        Set<Integer> sizes = new HashSet<>();
        for (DefaultMQPushConsumer c : members) {
            String id = c.getDefaultMQPushConsumerImpl().getmQClientFactory().getClientId();
            int n = 0;
            for (MessageQueue q : admin.getConsumerRunningInfo(group, id, false).getMqTable().keySet()) if (!q.getTopic().startsWith("%RETRY%")) n++;
            sizes.add(n);
        }
        return sizes.size() == 1 ? sizes.iterator().next() : -1;
    }

    static List<MessageExt> collect(DefaultMQPushConsumer c, int count, int seconds) throws Exception {
        List<MessageExt> seen = Collections.synchronizedList(new ArrayList<>());
        CountDownLatch all = new CountDownLatch(count);
        c.registerMessageListener((MessageListenerConcurrently) (msgs, ctx) -> { for (MessageExt m : msgs) { seen.add(m); all.countDown(); } return ConsumeConcurrentlyStatus.CONSUME_SUCCESS; });
        c.start();
        try { await(all, seconds); } finally { c.shutdown(); }
        return new ArrayList<>(seen);
    }
}
