import java.nio.charset.StandardCharsets;
import java.util.*;
import java.util.concurrent.*;
import java.util.concurrent.atomic.*;
import org.apache.rocketmq.client.QueryResult;
import org.apache.rocketmq.client.consumer.*;
import org.apache.rocketmq.client.consumer.listener.*;
import org.apache.rocketmq.client.exception.MQBrokerException;
import org.apache.rocketmq.client.producer.*;
import org.apache.rocketmq.client.utils.MessageUtil;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.*;
import org.apache.rocketmq.tools.admin.DefaultMQAdminExt;

/**
 * Drives each capability of the official Java client, one after the other, against whatever cluster NAMESRV names.
 *   Capabilities NAMESRV [capability ...]     all of them without names
 * Prints `ok NAME MILLIS` or `FAILED NAME reason` per capability and exits with the number of failures.
 * It compiles with the 4.9.7 and the 5.4.0 jars; what only 5.x has is in Capabilities5.java.
 */
public class Capabilities {
    interface Check { void run() throws Exception; }

    static String namesrv;
    static final String RUN = Long.toString(System.currentTimeMillis(), 36);
    static final Map<String, Check> ALL = new LinkedHashMap<>();
    static DefaultMQProducer producer;
    static DefaultMQAdminExt admin;

    public static void main(String[] args) throws Exception {
        namesrv = args[0];
        register();
        Harness.run(ALL, Arrays.asList(args).subList(1, args.length), Capabilities::open);
    }

    static void open() throws Exception {
        producer = Harness.producer(namesrv, "JavaProducer" + RUN);
        admin = new DefaultMQAdminExt(6000);
        admin.setNamesrvAddr(namesrv);
        admin.setAdminExtGroup("JavaAdmin" + RUN);
        admin.start();
    }

    static String name(String what) { return "J_" + what + "_" + RUN; }

    static String topic(String what, int queues) throws Exception {
        String topic = name(what);
        Harness.createTopic(admin, namesrv, topic, queues);
        return topic;
    }

    static DefaultMQPushConsumer consumer(String group, String topic, String tags) throws Exception {
        DefaultMQPushConsumer c = new DefaultMQPushConsumer(group);
        c.setNamesrvAddr(namesrv);
        c.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        c.subscribe(topic, tags);
        return c;
    }

    static void register() {
        ALL.put("send_sync", Capabilities::sendSync);
        ALL.put("send_async", Capabilities::sendAsync);
        ALL.put("send_oneway", Capabilities::sendOneway);
        ALL.put("send_batch", Capabilities::sendBatch);
        ALL.put("send_large_compressed", Capabilities::sendLarge);
        ALL.put("send_refused", Capabilities::sendRefused);
        ALL.put("auto_create", Capabilities::autoCreate);
        ALL.put("properties", Capabilities::properties);
        ALL.put("tags", Capabilities::tags);
        ALL.put("sql92", Capabilities::sql);
        ALL.put("retry", Capabilities::retry);
        ALL.put("batch_ack_index", Capabilities::ackIndex);
        ALL.put("dead_letter", Capabilities::deadLetter);
        ALL.put("orderly", Capabilities::orderly);
        ALL.put("orderly_retry", Capabilities::orderlyRetry);
        ALL.put("broadcasting", Capabilities::broadcasting);
        ALL.put("rebalance", Capabilities::rebalance);
        ALL.put("delay_level", Capabilities::delayLevel);
        ALL.put("transaction", Capabilities::transaction);
        ALL.put("transaction_check", Capabilities::transactionCheck);
        ALL.put("request_reply", Capabilities::requestReply);
        ALL.put("lite_pull_subscribe", Capabilities::liteSubscribe);
        ALL.put("lite_pull_assign_seek", Capabilities::liteAssign);
        ALL.put("classic_pull", Capabilities::classicPull);
        ALL.put("query", Capabilities::query);
        ALL.put("offset_by_time", Capabilities::offsetByTime);
        ALL.put("reset_offset", Capabilities::resetOffset);
        ALL.put("consume_from_last", Capabilities::fromLast);
        ALL.put("consume_directly", Capabilities::consumeDirectly);
        ALL.put("running_info", Capabilities::runningInfo);
        ALL.put("trace", Capabilities::trace);
        ALL.put("namespace", Capabilities::namespace);
        ALL.put("admin_reads", Capabilities::adminReads);
        ALL.put("consume_backlog", Capabilities::backlog);
    }

    // --- sending ---------------------------------------------------------------------------------------------------

    static void sendSync() throws Exception {
        String topic = topic("sync", 4);
        Set<Integer> queues = new HashSet<>();
        for (int i = 0; i < 8; i++) {
            SendResult r = producer.send(new Message(topic, "TagA", "k" + i, Harness.bytes("m" + i)));
            Harness.equal(SendStatus.SEND_OK, r.getSendStatus());
            Harness.that(r.getOffsetMsgId().length() >= 32, "an offset message id");
            Harness.equal("DefaultRegion", r.getRegionId());
            queues.add(r.getMessageQueue().getQueueId());
        }
        Harness.equal(4, queues.size());
    }

    static void sendAsync() throws Exception {
        String topic = topic("async", 4);
        CountDownLatch done = new CountDownLatch(100);
        AtomicReference<Throwable> failure = new AtomicReference<>();
        for (int i = 0; i < 100; i++) {
            producer.send(new Message(topic, Harness.bytes("m" + i)), new SendCallback() {
                public void onSuccess(SendResult r) { done.countDown(); }
                public void onException(Throwable e) { failure.set(e); done.countDown(); }
            });
        }
        Harness.await(done, 30);
        if (failure.get() != null) throw new Exception(failure.get());
    }

    static void sendOneway() throws Exception {
        String topic = topic("oneway", 1);
        producer.sendOneway(new Message(topic, Harness.bytes("gone")));
        Harness.eventually(10, () -> Harness.total(producer, topic) == 1, "the one-way message is stored");
    }

    static void sendBatch() throws Exception {
        String topic = topic("batch", 4);
        List<Message> batch = new ArrayList<>();
        for (int i = 0; i < 32; i++) batch.add(new Message(topic, "TagB", "b" + i, Harness.bytes("m" + i)));
        SendResult r = producer.send(batch);
        Harness.equal(SendStatus.SEND_OK, r.getSendStatus());
        Harness.equal(32, r.getOffsetMsgId().split(",").length);
        Harness.equal(32, r.getMsgId().split(",").length);
        List<MessageExt> got = Harness.collect(consumer(name("gbatch"), topic, "TagB"), 32, 60);
        Set<String> keys = new HashSet<>();
        for (MessageExt m : got) keys.add(m.getKeys());
        Harness.equal(32, keys.size());
    }

    static void sendLarge() throws Exception {
        String topic = topic("large", 1);
        byte[] body = new byte[200_000];
        for (int i = 0; i < body.length; i++) body[i] = (byte) ("abcdefgh".charAt(i % 8));
        producer.send(new Message(topic, body));
        List<MessageExt> got = Harness.collect(consumer(name("glarge"), topic, "*"), 1, 60);
        Harness.that(Arrays.equals(body, got.get(0).getBody()), "the body came back unchanged");
    }

    static void sendRefused() throws Exception {
        try {
            producer.send(new Message("TOPIC_" + RUN + "%bad|name", Harness.bytes("x")), new MessageQueue("TOPIC_" + RUN, "broker-a", 99));
            throw new Exception("a queue that does not exist was accepted");
        } catch (Exception e) {
            if (e.getMessage() != null && e.getMessage().contains("was accepted")) throw e;
        }
        String topic = topic("refused", 1);
        try {
            producer.send(new Message(topic, Harness.bytes("x")), new MessageQueue(topic, Harness.brokerName(producer, topic), 77));
            throw new Exception("queue 77 of 1 was accepted");
        } catch (MQBrokerException e) {
            Harness.that(e.getResponseCode() == 29 || e.getResponseCode() == 1, "code " + e.getResponseCode() + " names the bad queue id");
        }
    }

    static void autoCreate() throws Exception {
        String topic = name("auto");
        producer.send(new Message(topic, Harness.bytes("created by sending")));
        Harness.eventually(40, () -> producer.fetchPublishMessageQueues(topic).size() == 4, "an auto-created topic has four queues");
    }

    static void properties() throws Exception {
        String topic = topic("props", 1);
        Message m = new Message(topic, "标签", "k1 k2", 7, Harness.bytes("正文"), true);
        m.putUserProperty("顾客", "Zoë 😀");
        producer.send(m);
        MessageExt got = Harness.collect(consumer(name("gprops"), topic, "标签"), 1, 60).get(0);
        Harness.equal("标签", got.getTags());
        Harness.equal("k1 k2", got.getKeys());
        Harness.equal(7, got.getFlag());
        Harness.equal("Zoë 😀", got.getUserProperty("顾客"));
        Harness.equal("正文", new String(got.getBody(), StandardCharsets.UTF_8));
    }

    // --- filtering ---------------------------------------------------------------------------------------------------

    static void tags() throws Exception {
        String topic = topic("tags", 2);
        for (int i = 0; i < 30; i++) producer.send(new Message(topic, "T" + i % 3, Harness.bytes("T" + i % 3)));
        List<MessageExt> got = Harness.collect(consumer(name("gtags"), topic, "T0 || T2"), 20, 60);
        for (MessageExt m : got) Harness.that(!m.getTags().equals("T1"), "only subscribed tags arrive");
    }

    static void sql() throws Exception {
        String topic = topic("sql", 2);
        for (int i = 0; i < 20; i++) {
            Message m = new Message(topic, "T", Harness.bytes("" + i));
            m.putUserProperty("a", "" + i);
            m.putUserProperty("region", i % 2 == 0 ? "east" : "west");
            producer.send(m);
        }
        DefaultMQPushConsumer c = new DefaultMQPushConsumer(name("gsql"));
        c.setNamesrvAddr(namesrv);
        c.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        c.subscribe(topic, MessageSelector.bySql("a BETWEEN 5 AND 14 AND region = 'east' AND b IS NULL"));
        List<MessageExt> got = Harness.collect(c, 5, 60);
        Set<String> bodies = new TreeSet<>();
        for (MessageExt m : got) bodies.add(new String(m.getBody()));
        Harness.equal(new TreeSet<>(Arrays.asList("6", "8", "10", "12", "14")), bodies);
    }

    // --- consuming ---------------------------------------------------------------------------------------------------

    static void retry() throws Exception {
        String topic = topic("retry", 1), group = name("gretry");
        producer.send(new Message(topic, "T", "key", Harness.bytes("again")));
        BlockingQueue<MessageExt> seen = new LinkedBlockingQueue<>();
        DefaultMQPushConsumer c = consumer(group, topic, "*");
        c.registerMessageListener((MessageListenerConcurrently) (msgs, ctx) -> {
            seen.addAll(msgs);
            ctx.setDelayLevelWhenNextConsume(1);
            return msgs.get(0).getReconsumeTimes() < 2 ? ConsumeConcurrentlyStatus.RECONSUME_LATER : ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        c.start();
        try {
            for (int attempt = 0; attempt < 3; attempt++) {
                MessageExt m = seen.poll(60, TimeUnit.SECONDS);
                Harness.that(m != null, "attempt " + attempt + " arrives");
                Harness.equal(attempt, m.getReconsumeTimes());
                Harness.equal(topic, m.getTopic());
                Harness.equal("key", m.getKeys());
            }
        } finally { c.shutdown(); }
    }

    /** Of a batch what is after the acknowledged index comes again, and nothing else. */
    static void ackIndex() throws Exception {
        String topic = topic("ackindex", 1), group = name("gackindex");
        List<Message> batch = new ArrayList<>();
        for (int i = 0; i < 32; i++) batch.add(new Message(topic, Harness.bytes("" + i)));
        producer.send(batch);
        Set<String> acknowledged = ConcurrentHashMap.newKeySet(), refused = ConcurrentHashMap.newKeySet();
        Queue<String> again = new ConcurrentLinkedQueue<>();
        AtomicInteger largest = new AtomicInteger();
        DefaultMQPushConsumer c = consumer(group, topic, "*");
        c.setConsumeMessageBatchMaxSize(8);
        c.registerMessageListener((MessageListenerConcurrently) (msgs, ctx) -> {
            largest.accumulateAndGet(msgs.size(), Math::max);
            int good = 0;
            while (good < msgs.size() && msgs.get(good).getReconsumeTimes() > 0) again.add(new String(msgs.get(good++).getBody()));
            for (int half = good + (msgs.size() - good) / 2; good < half; good++) acknowledged.add(new String(msgs.get(good).getBody()));
            for (int i = good; i < msgs.size(); i++) refused.add(new String(msgs.get(i).getBody()));
            ctx.setAckIndex(good - 1);
            ctx.setDelayLevelWhenNextConsume(1);
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        c.start();
        try {
            Harness.eventually(90, () -> acknowledged.size() + refused.size() == 32 && again.size() >= refused.size(), "the refused again");
        } finally { c.shutdown(); }
        Harness.equal(8, largest.get());
        Harness.equal(refused.size(), again.size());
        Harness.equal(refused, new HashSet<>(again));
        Harness.that(acknowledged.size() >= 8 && Collections.disjoint(acknowledged, refused), "a part of each batch was acknowledged");
    }

    static void deadLetter() throws Exception {
        String topic = topic("dlq", 1), group = name("gdlq");
        producer.send(new Message(topic, "T", "poison", Harness.bytes("poison")));
        DefaultMQPushConsumer c = consumer(group, topic, "*");
        c.setMaxReconsumeTimes(1);
        c.registerMessageListener((MessageListenerConcurrently) (msgs, ctx) -> { ctx.setDelayLevelWhenNextConsume(1); return ConsumeConcurrentlyStatus.RECONSUME_LATER; });
        c.start();
        try {
            Harness.eventually(90, () -> Harness.total(producer, "%DLQ%" + group) == 1, "the message is in the dead letter queue");
        } finally { c.shutdown(); }
        List<MessageExt> dead = Harness.collect(consumer(name("gdlqread"), "%DLQ%" + group, "*"), 1, 60);
        Harness.equal("poison", dead.get(0).getKeys());
    }

    static void orderly() throws Exception {
        String topic = topic("order", 4), group = name("gorder");
        for (int i = 0; i < 200; i++) {
            producer.send(new Message(topic, Harness.bytes(i % 10 + ":" + i / 10)),
                (queues, m, key) -> queues.get(Math.abs(key.hashCode()) % queues.size()), "key" + i % 10);
        }
        Map<String, List<Integer>> byKey = new ConcurrentHashMap<>();
        CountDownLatch all = new CountDownLatch(200);
        DefaultMQPushConsumer c = consumer(group, topic, "*");
        c.registerMessageListener((MessageListenerOrderly) (msgs, ctx) -> {
            for (MessageExt m : msgs) {
                String[] part = new String(m.getBody()).split(":");
                byKey.computeIfAbsent(part[0], k -> Collections.synchronizedList(new ArrayList<>())).add(Integer.parseInt(part[1]));
                all.countDown();
            }
            return ConsumeOrderlyStatus.SUCCESS;
        });
        c.start();
        try { Harness.await(all, 60); } finally { c.shutdown(); }
        List<Integer> expected = new ArrayList<>();
        for (int i = 0; i < 20; i++) expected.add(i);
        for (List<Integer> got : byKey.values()) Harness.equal(expected, got);
    }

    static void orderlyRetry() throws Exception {
        String topic = topic("orderretry", 1), group = name("gorderretry");
        for (int i = 0; i < 5; i++) producer.send(new Message(topic, Harness.bytes("" + i)));
        List<String> seen = Collections.synchronizedList(new ArrayList<>());
        AtomicInteger refusals = new AtomicInteger();
        CountDownLatch all = new CountDownLatch(5);
        DefaultMQPushConsumer c = consumer(group, topic, "*");
        c.setSuspendCurrentQueueTimeMillis(100);
        c.registerMessageListener((MessageListenerOrderly) (msgs, ctx) -> {
            String body = new String(msgs.get(0).getBody());
            if (body.equals("2") && refusals.incrementAndGet() <= 2) return ConsumeOrderlyStatus.SUSPEND_CURRENT_QUEUE_A_MOMENT;
            seen.add(body);
            all.countDown();
            return ConsumeOrderlyStatus.SUCCESS;
        });
        c.start();
        try { Harness.await(all, 60); } finally { c.shutdown(); }
        Harness.equal(Arrays.asList("0", "1", "2", "3", "4"), seen);
        Harness.equal(3, refusals.get());
    }

    static void broadcasting() throws Exception {
        String topic = topic("broadcast", 2), group = name("gbroadcast");
        List<AtomicInteger> counts = new ArrayList<>();
        List<DefaultMQPushConsumer> members = new ArrayList<>();
        try {
            for (int i = 0; i < 2; i++) {
                AtomicInteger n = new AtomicInteger();
                counts.add(n);
                DefaultMQPushConsumer c = consumer(group, topic, "*");
                c.setInstanceName("member" + i + RUN);
                Harness.broadcasting(c);
                c.registerMessageListener((MessageListenerConcurrently) (msgs, ctx) -> { n.addAndGet(msgs.size()); return ConsumeConcurrentlyStatus.CONSUME_SUCCESS; });
                c.start();
                members.add(c);
            }
            for (int i = 0; i < 10; i++) producer.send(new Message(topic, Harness.bytes("all")));
            Harness.eventually(60, () -> counts.get(0).get() == 10 && counts.get(1).get() == 10, "both members see all ten: " + counts);
        } finally { for (DefaultMQPushConsumer c : members) c.shutdown(); }
    }

    static void rebalance() throws Exception {
        String topic = topic("rebalance", 4), group = name("grebalance");
        Map<Integer, Set<Integer>> queues = new ConcurrentHashMap<>();
        Set<String> bodies = ConcurrentHashMap.newKeySet();
        List<DefaultMQPushConsumer> members = new ArrayList<>();
        try {
            for (int i = 0; i < 2; i++) {
                int member = i;
                DefaultMQPushConsumer c = consumer(group, topic, "*");
                c.setInstanceName("half" + i + RUN);
                c.registerMessageListener((MessageListenerConcurrently) (msgs, ctx) -> {
                    for (MessageExt m : msgs) {
                        if (!bodies.add(new String(m.getBody()))) continue;
                        if (new String(m.getBody()).startsWith("after")) queues.computeIfAbsent(member, k -> ConcurrentHashMap.newKeySet()).add(m.getQueueId());
                    }
                    return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
                });
                c.start();
                members.add(c);
            }
            Harness.eventually(60, () -> Harness.ownedQueues(admin, group, members) == 2, "each member owns two queues");
            for (int i = 0; i < 40; i++) producer.send(new Message(topic, Harness.bytes("after" + i)));
            Harness.eventually(60, () -> bodies.size() == 40, "every message is seen once, got " + bodies.size());
            Harness.equal(2, queues.get(0).size());
            Harness.equal(2, queues.get(1).size());
        } finally { for (DefaultMQPushConsumer c : members) c.shutdown(); }
    }

    static void delayLevel() throws Exception {
        String topic = topic("delay", 1);
        Message m = new Message(topic, Harness.bytes("later"));
        m.setDelayTimeLevel(2);
        long sent = System.currentTimeMillis();
        producer.send(m);
        long stored = System.currentTimeMillis();
        MessageExt got = Harness.collect(consumer(name("gdelay"), topic, "*"), 1, 60).get(0);
        long due = got.getStoreTimestamp();
        Harness.that(due >= sent + 4900 && due < stored + 8000, "level 2 is delivered after 5 s, took " + (due - sent) + " ms");
    }

    static TransactionMQProducer transactional(String group, TransactionListener listener) throws Exception {
        TransactionMQProducer p = new TransactionMQProducer(group);
        p.setNamesrvAddr(namesrv);
        p.setTransactionListener(listener);
        p.start();
        return p;
    }

    static void transaction() throws Exception {
        String topic = topic("tx", 1);
        TransactionMQProducer p = transactional(name("ptx"), new TransactionListener() {
            public LocalTransactionState executeLocalTransaction(Message m, Object arg) { return (LocalTransactionState) arg; }
            public LocalTransactionState checkLocalTransaction(MessageExt m) { return LocalTransactionState.UNKNOW; }
        });
        try {
            p.sendMessageInTransaction(new Message(topic, Harness.bytes("rolled back")), LocalTransactionState.ROLLBACK_MESSAGE);
            p.sendMessageInTransaction(new Message(topic, "T", "tx", Harness.bytes("committed")), LocalTransactionState.COMMIT_MESSAGE);
            MessageExt got = Harness.collect(consumer(name("gtx"), topic, "*"), 1, 60).get(0);
            Harness.equal("committed", new String(got.getBody()));
            Harness.equal(1L, Harness.total(producer, topic));
        } finally { p.shutdown(); }
    }

    static void transactionCheck() throws Exception {
        String topic = topic("txcheck", 1);
        AtomicInteger checks = new AtomicInteger();
        TransactionMQProducer p = transactional(name("ptxcheck"), new TransactionListener() {
            public LocalTransactionState executeLocalTransaction(Message m, Object arg) { return LocalTransactionState.UNKNOW; }
            public LocalTransactionState checkLocalTransaction(MessageExt m) { checks.incrementAndGet(); return LocalTransactionState.COMMIT_MESSAGE; }
        });
        try {
            Message m = new Message(topic, Harness.bytes("checked"));
            m.putUserProperty("CHECK_IMMUNITY_TIME_IN_SECONDS", "1");
            p.sendMessageInTransaction(m, null);
            MessageExt got = Harness.collect(consumer(name("gtxcheck"), topic, "*"), 1, 90).get(0);
            Harness.equal("checked", new String(got.getBody()));
            Harness.that(checks.get() >= 1, "the broker asked");
        } finally { p.shutdown(); }
    }

    static void requestReply() throws Exception {
        String topic = topic("request", 1);
        DefaultMQProducer replier = Harness.producer(namesrv, name("replier"));
        DefaultMQPushConsumer c = consumer(name("grequest"), topic, "*");
        c.registerMessageListener((MessageListenerConcurrently) (msgs, ctx) -> {
            try {
                for (MessageExt m : msgs) replier.send(MessageUtil.createReplyMessage(m, Harness.bytes("re: " + new String(m.getBody()))), 3000);
            } catch (Exception e) { return ConsumeConcurrentlyStatus.RECONSUME_LATER; }
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        c.start();
        try {
            // When the consumer's first split meets its periodic heartbeat, brokers do not learn of its new subscription, and
            // refuse its pulls, until the heartbeat after: 30 s.
            Message reply = producer.request(new Message(topic, Harness.bytes("hello")), 60_000);
            Harness.equal("re: hello", new String(reply.getBody()));
        } finally { c.shutdown(); replier.shutdown(); }
    }

    // --- pulling -----------------------------------------------------------------------------------------------------

    static void liteSubscribe() throws Exception {
        String topic = topic("lite", 4);
        for (int i = 0; i < 20; i++) producer.send(new Message(topic, Harness.bytes("m" + i)));
        DefaultLitePullConsumer c = new DefaultLitePullConsumer(name("glite"));
        c.setNamesrvAddr(namesrv);
        c.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        c.subscribe(topic, "*");
        c.start();
        try {
            Set<String> seen = new HashSet<>();
            long end = System.currentTimeMillis() + 60_000;
            while (seen.size() < 20 && System.currentTimeMillis() < end) for (MessageExt m : c.poll(1000)) seen.add(new String(m.getBody()));
            Harness.equal(20, seen.size());
            c.commitSync();
        } finally { c.shutdown(); }
    }

    static void liteAssign() throws Exception {
        String topic = topic("liteassign", 1);
        for (int i = 0; i < 10; i++) producer.send(new Message(topic, Harness.bytes("" + i)));
        DefaultLitePullConsumer c = new DefaultLitePullConsumer(name("gliteassign"));
        c.setNamesrvAddr(namesrv);
        c.setAutoCommit(false);
        c.start();
        try {
            Collection<MessageQueue> queues = c.fetchMessageQueues(topic);
            c.assign(queues);
            c.seek(queues.iterator().next(), 7);
            List<String> seen = new ArrayList<>();
            long end = System.currentTimeMillis() + 60_000;
            while (seen.size() < 3 && System.currentTimeMillis() < end) for (MessageExt m : c.poll(1000)) seen.add(new String(m.getBody()));
            Harness.equal(Arrays.asList("7", "8", "9"), seen);
        } finally { c.shutdown(); }
    }

    @SuppressWarnings("deprecation")
    static void classicPull() throws Exception {
        String topic = topic("pull", 1);
        for (int i = 0; i < 5; i++) producer.send(new Message(topic, Harness.bytes("" + i)));
        DefaultMQPullConsumer c = new DefaultMQPullConsumer(name("gpull"));
        c.setNamesrvAddr(namesrv);
        c.start();
        try {
            MessageQueue queue = c.fetchSubscribeMessageQueues(topic).iterator().next();
            PullResult r = c.pull(queue, "*", 0, 32);
            Harness.equal(PullStatus.FOUND, r.getPullStatus());
            Harness.equal(5, r.getMsgFoundList().size());
            Harness.equal(5L, r.getNextBeginOffset());
            Harness.equal(PullStatus.NO_NEW_MSG, c.pull(queue, "*", 5, 32).getPullStatus());
            Harness.equal(PullStatus.OFFSET_ILLEGAL, c.pull(queue, "*", 500, 32).getPullStatus());
            c.updateConsumeOffset(queue, 5);
            Harness.equal(5L, c.maxOffset(queue));
            Harness.equal(0L, c.minOffset(queue));
        } finally { c.shutdown(); }
    }

    // --- queries and administration ------------------------------------------------------------------------------------

    static void query() throws Exception {
        String topic = topic("query", 1);
        SendResult sent = producer.send(new Message(topic, "T", "order-77 other", Harness.bytes("find me")));
        long now = System.currentTimeMillis();
        Harness.eventually(20, () -> {
            QueryResult r = admin.queryMessage(topic, "order-77", 10, now - 60_000, now + 60_000);
            return r.getMessageList().size() == 1 && new String(r.getMessageList().get(0).getBody()).equals("find me");
        }, "the message is found by key");
        Harness.equal("find me", new String(admin.viewMessage(topic, sent.getMsgId()).getBody()));
        Harness.equal("find me", new String(admin.viewMessage(topic, sent.getOffsetMsgId()).getBody()));
    }

    static void offsetByTime() throws Exception {
        String topic = topic("bytime", 1);
        for (int i = 0; i < 3; i++) producer.send(new Message(topic, Harness.bytes("before")));
        Thread.sleep(50);
        long mark = System.currentTimeMillis();
        Thread.sleep(50);
        producer.send(new Message(topic, Harness.bytes("after")));
        MessageQueue queue = producer.fetchPublishMessageQueues(topic).get(0);
        Harness.eventually(10, () -> admin.searchOffset(queue, mark) == 3, "the offset of the mark is 3, got " + admin.searchOffset(queue, mark));
        Harness.equal(0L, admin.minOffset(queue));
        Harness.equal(4L, admin.maxOffset(queue));
    }

    static void resetOffset() throws Exception {
        String topic = topic("reset", 1), group = name("greset");
        for (int i = 0; i < 5; i++) producer.send(new Message(topic, Harness.bytes("" + i)));
        AtomicInteger seen = new AtomicInteger();
        DefaultMQPushConsumer c = consumer(group, topic, "*");
        c.setPersistConsumerOffsetInterval(500);
        c.registerMessageListener((MessageListenerConcurrently) (msgs, ctx) -> { seen.addAndGet(msgs.size()); return ConsumeConcurrentlyStatus.CONSUME_SUCCESS; });
        c.start();
        try {
            Harness.eventually(60, () -> seen.get() == 5, "the first five");
            MessageQueue queue = producer.fetchPublishMessageQueues(topic).get(0);
            Harness.eventually(60, () -> admin.examineConsumeStats(group).getOffsetTable().get(queue) != null
                && admin.examineConsumeStats(group).getOffsetTable().get(queue).getConsumerOffset() == 5, "the offset is stored");
            admin.resetOffsetByTimestamp(topic, group, 0L, true);
            Harness.eventually(60, () -> seen.get() == 10, "the five again, got " + seen.get());
        } finally { c.shutdown(); }
    }

    static void fromLast() throws Exception {
        String topic = topic("last", 1), group = name("glast");
        // A new group on a queue whose first messages are still in memory starts at 0 on every broker: so pretend it is known.
        for (int i = 0; i < 3; i++) producer.send(new Message(topic, Harness.bytes("old")));
        MessageQueue queue = producer.fetchPublishMessageQueues(topic).get(0);
        admin.createAndUpdateSubscriptionGroupConfig(Harness.brokerAddr(admin), Harness.groupConfig(group));
        admin.updateConsumeOffset(Harness.brokerAddr(admin), group, queue, 3);
        DefaultMQPushConsumer c = consumer(group, topic, "*");
        c.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_LAST_OFFSET);
        BlockingQueue<String> seen = new LinkedBlockingQueue<>();
        c.registerMessageListener((MessageListenerConcurrently) (msgs, ctx) -> { for (MessageExt m : msgs) seen.add(new String(m.getBody())); return ConsumeConcurrentlyStatus.CONSUME_SUCCESS; });
        c.start();
        try {
            producer.send(new Message(topic, Harness.bytes("new")));
            Harness.equal("new", seen.poll(60, TimeUnit.SECONDS));
        } finally { c.shutdown(); }
    }

    static void consumeDirectly() throws Exception {
        String topic = topic("direct", 1), group = name("gdirect");
        AtomicInteger seen = new AtomicInteger();
        DefaultMQPushConsumer c = consumer(group, topic, "*");
        c.registerMessageListener((MessageListenerConcurrently) (msgs, ctx) -> { seen.addAndGet(msgs.size()); return ConsumeConcurrentlyStatus.CONSUME_SUCCESS; });
        c.start();
        try {
            SendResult sent = producer.send(new Message(topic, Harness.bytes("once more")));
            Harness.eventually(60, () -> seen.get() == 1, "consumed");
            String client = admin.examineConsumerConnectionInfo(group).getConnectionSet().iterator().next().getClientId();
            Object result = admin.consumeMessageDirectly(group, client, topic, sent.getOffsetMsgId());
            Harness.that(result.toString().contains("CR_SUCCESS"), "direct consumption succeeds: " + result);
            Harness.equal(2, seen.get());
        } finally { c.shutdown(); }
    }

    static void runningInfo() throws Exception {
        String topic = topic("running", 2), group = name("grunning");
        DefaultMQPushConsumer c = consumer(group, topic, "*");
        c.registerMessageListener((MessageListenerConcurrently) (msgs, ctx) -> ConsumeConcurrentlyStatus.CONSUME_SUCCESS);
        c.start();
        try {
            Harness.eventually(60, () -> admin.examineConsumerConnectionInfo(group).getConnectionSet().size() == 1, "one connection");
            String client = admin.examineConsumerConnectionInfo(group).getConnectionSet().iterator().next().getClientId();
            Harness.eventually(60, () -> admin.getConsumerRunningInfo(group, client, false).getMqTable().size() == 3, "two queues and the retry queue");
            Harness.that(admin.getConsumerRunningInfo(group, client, true).getJstack() != null, "a stack trace");
        } finally { c.shutdown(); }
    }

    static void trace() throws Exception {
        String topic = topic("trace", 1);
        DefaultMQProducer p = Harness.tracing(namesrv, name("ptrace"));
        try {
            long before = Harness.totalOrZero(producer, "RMQ_SYS_TRACE_TOPIC");
            p.send(new Message(topic, "T", "traced", Harness.bytes("traced")));
            Harness.eventually(60, () -> Harness.totalOrZero(producer, "RMQ_SYS_TRACE_TOPIC") > before, "a trace record is stored");
        } finally { p.shutdown(); }
    }

    @SuppressWarnings("deprecation")
    static void namespace() throws Exception {
        String plain = name("ns");
        Harness.createTopic(admin, namesrv, "NSX%" + plain, 1);
        DefaultMQProducer p = new DefaultMQProducer("NSX", name("pns"));
        p.setNamesrvAddr(namesrv);
        p.start();
        DefaultMQPushConsumer c = new DefaultMQPushConsumer("NSX", name("gns"));
        c.setNamesrvAddr(namesrv);
        c.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        c.subscribe(plain, "*");
        try {
            p.send(new Message(plain, Harness.bytes("inside")));
            MessageExt got = Harness.collect(c, 1, 60).get(0);
            Harness.equal(plain, got.getTopic());
            Harness.equal("NSX", got.getProperty("INSTANCE_ID"));
        } finally { p.shutdown(); }
    }

    static void adminReads() throws Exception {
        String topic = topic("admin", 3);
        producer.send(new Message(topic, Harness.bytes("x")));
        Harness.equal(1, admin.examineBrokerClusterInfo().getBrokerAddrTable().size());
        Harness.equal(3, admin.examineTopicRouteInfo(topic).getQueueDatas().get(0).getReadQueueNums());
        Harness.eventually(10, () -> admin.examineTopicStats(topic).getOffsetTable().size() == 3, "three queues in the statistics");
        String addr = Harness.brokerAddr(admin);
        Harness.that(admin.fetchBrokerRuntimeStats(addr).getTable().containsKey("brokerVersionDesc"), "runtime statistics");
        Harness.that(admin.getBrokerConfig(addr).containsKey("brokerName"), "the broker configuration");
        Harness.that(admin.fetchAllTopicList().getTopicList().contains(topic), "the topic list has it");
        admin.deleteTopicInBroker(Collections.singleton(addr), topic);
        Harness.deleteTopicInNameServers(admin, new HashSet<>(Arrays.asList(namesrv.split(";"))), topic);
        Harness.that(!admin.fetchAllTopicList().getTopicList().contains(topic), "the topic is gone");
    }

    static void backlog() throws Exception {
        String topic = topic("backlog", 4);
        int count = 28_000;
        List<Message> batch = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            batch.add(new Message(topic, Harness.bytes("" + i)));
            if (batch.size() == 1000) { producer.send(batch); batch.clear(); }
        }
        Set<String> seen = ConcurrentHashMap.newKeySet();
        AtomicInteger retried = new AtomicInteger();
        CountDownLatch all = new CountDownLatch(count);
        DefaultMQPushConsumer c = consumer(name("gbacklog"), topic, "*");
        c.registerMessageListener((MessageListenerConcurrently) (msgs, ctx) -> {
            for (MessageExt m : msgs) {
                if (m.getReconsumeTimes() > 0) retried.incrementAndGet();
                if (seen.add(new String(m.getBody()))) all.countDown();
            }
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        c.start();
        try { Harness.await(all, 60); } finally { c.shutdown(); }
        Harness.equal(0, retried.get());
    }
}
