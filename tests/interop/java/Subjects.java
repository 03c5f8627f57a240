import java.util.*;
import java.util.concurrent.*;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.rocketmq.client.QueryResult;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.*;
import org.apache.rocketmq.client.producer.*;
import org.apache.rocketmq.common.message.*;
import org.apache.rocketmq.tools.admin.DefaultMQAdminExt;

/**
 * Takes the subjects of the tests that Apache publishes for its brokers. Each begins with new groups on new topics without a
 * message, and is repeated: most of what goes wrong there goes wrong once in a while.
 *   Subjects NAMESRV ROUNDS [subject ...]     all of them without names
 * Prints `ok NAME MILLIS` or `FAILED NAME reason` per subject and exits with the number of failures.
 */
public class Subjects {
    interface Subject { void run(Round round) throws Exception; }

    /** Limits each wait, in seconds. */
    static final int PATIENCE = 120;
    static final int QUEUES = 4;
    static final String RUN = Long.toString(System.currentTimeMillis(), 36);
    static final AtomicInteger NAMES = new AtomicInteger();
    static final Map<String, Capabilities.Check> ALL = new LinkedHashMap<>();
    static String namesrv;
    static int rounds;
    static DefaultMQProducer producer;
    static DefaultMQAdminExt admin;

    public static void main(String[] args) throws Exception {
        namesrv = args[0];
        rounds = Integer.parseInt(args[1]);
        register();
        Harness.run(ALL, Arrays.asList(args).subList(2, args.length), Subjects::open);
    }

    static void open() throws Exception {
        producer = Harness.producer(namesrv, "Subjects" + RUN);
        admin = new DefaultMQAdminExt(6000);
        admin.setNamesrvAddr(namesrv);
        admin.setAdminExtGroup("SubjectsAdmin" + RUN);
        admin.start();
    }

    static void register() {
        add("new_group", Subjects::newGroup);
        add("new_group_of_two_topics", Subjects::twoTopics);
        add("static_balance", Subjects::staticBalance);
        add("a_member_joins", Subjects::joins);
        add("a_member_leaves", Subjects::leaves);
        add("a_member_crashes", Subjects::crashes);
        add("tags_of_several_members", Subjects::tagsOfMembers);
        add("tags_of_several_groups", Subjects::tagsOfGroups);
        add("ordered_rebalance", Subjects::orderedRebalance);
        add("retry", Subjects::retry);
        add("delay", Subjects::delay);
        add("query", Subjects::query);
        add("broadcast", Subjects::broadcast);
        add("transaction", Subjects::transaction);
        if (Harness.hasPop()) add("pop", Subjects::pop);
    }

    static void add(String name, Subject subject) {
        ALL.put(name, () -> {
            for (int i = 1; i <= rounds; i++) {
                Round round = new Round();
                try { subject.run(round); } catch (Throwable t) { throw new AssertionError("round " + i + ": " + t, t); } finally { round.close(); }
            }
        });
    }

    /** One repetition of a subject, with all that it starts. */
    static final class Round {
        final String group = name("G");
        final List<DefaultMQPushConsumer> consumers = new ArrayList<>();

        static String name(String kind) { return "S" + kind + RUN + "_" + NAMES.incrementAndGet(); }

        String topic(int queues) throws Exception {
            String topic = name("T");
            Harness.createTopic(admin, namesrv, topic, queues);
            return topic;
        }

        /** A consumer with the defaults of Java's client: a new group begins at the end. */
        DefaultMQPushConsumer consumer(String group, String topic, String tags) throws Exception {
            DefaultMQPushConsumer c = new DefaultMQPushConsumer(group);
            c.setNamesrvAddr(namesrv);
            // A client of its own, as in a process of its own.
            c.setInstanceName(name("I"));
            c.setPollNameServerInterval(1000);
            c.subscribe(topic, tags);
            consumers.add(c);
            return c;
        }

        Inbox start(DefaultMQPushConsumer c) throws Exception {
            Inbox inbox = new Inbox();
            c.registerMessageListener(inbox);
            c.start();
            return inbox;
        }

        Inbox member(String topic, String tags) throws Exception { return start(consumer(group, topic, tags)); }

        /** Waits until the members share the queues of the topic, each the same number. */
        void balanced(List<DefaultMQPushConsumer> members, int each) throws Exception {
            Harness.eventually(PATIENCE, () -> Harness.ownedQueues(admin, group, members) == each, each + " queues for each of " + members.size());
        }

        void close() { for (DefaultMQPushConsumer c : consumers) c.shutdown(); }
    }

    /** What one consumer received. */
    static final class Inbox implements MessageListenerConcurrently {
        final Queue<MessageExt> seen = new ConcurrentLinkedQueue<>();

        public ConsumeConcurrentlyStatus consumeMessage(List<MessageExt> messages, ConsumeConcurrentlyContext context) {
            seen.addAll(messages);
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        }

        Set<String> texts() { return Subjects.texts(seen); }
    }

    static Set<String> texts(Collection<MessageExt> messages) {
        Set<String> texts = new TreeSet<>();
        for (MessageExt m : messages) texts.add(new String(m.getBody()));
        return texts;
    }

    /** Sends `count` messages, one queue after the other, and returns their texts. */
    static Set<String> send(String topic, String tag, int count) throws Exception {
        Set<String> texts = new TreeSet<>();
        List<MessageQueue> queues = producer.fetchPublishMessageQueues(topic);
        for (int i = 0; i < count; i++) {
            String text = tag + " " + NAMES.incrementAndGet();
            producer.send(new Message(topic, tag, Harness.bytes(text)), queues.get(i % queues.size()));
            texts.add(text);
        }
        return texts;
    }

    static void received(Set<String> sent, Inbox... inboxes) throws Exception {
        Harness.eventually(PATIENCE, () -> all(inboxes).containsAll(sent), "all " + sent.size() + " messages");
        Harness.equal(sent, all(inboxes));
    }

    static Set<String> all(Inbox... inboxes) {
        Set<String> all = new TreeSet<>();
        for (Inbox inbox : inboxes) all.addAll(inbox.texts());
        return all;
    }

    @SafeVarargs
    static Set<String> union(Set<String>... sets) {
        Set<String> all = new TreeSet<>();
        for (Set<String> set : sets) all.addAll(set);
        return all;
    }

    // --- groups ----------------------------------------------------------------------------------------------------

    /** A message goes into each of many queues while the group starts. */
    static void newGroup(Round round) throws Exception {
        String topic = round.topic(64);
        CompletableFuture<Set<String>> sent = CompletableFuture.supplyAsync(() -> {
            try { return send(topic, "a", 64); } catch (Exception e) { throw new CompletionException(e); }
        });
        Inbox inbox = new Inbox();
        DefaultMQPushConsumer c = round.consumer(round.group, topic, "*");
        c.registerMessageListener(inbox);
        c.start();
        received(sent.get(), inbox);
    }

    static void twoTopics(Round round) throws Exception {
        String one = round.topic(QUEUES), two = round.topic(QUEUES);
        DefaultMQPushConsumer c = round.consumer(round.group, one, "*");
        c.subscribe(two, "*");
        Inbox inbox = round.start(c);
        received(union(send(one, "a", 10), send(two, "a", 10)), inbox);
    }

    // --- members ---------------------------------------------------------------------------------------------------

    static void staticBalance(Round round) throws Exception {
        String topic = round.topic(QUEUES);
        Inbox one = round.member(topic, "*"), two = round.member(topic, "*");
        round.balanced(round.consumers, QUEUES / 2);
        received(send(topic, "a", 20), one, two);
        Harness.that(!one.seen.isEmpty() && !two.seen.isEmpty(), "each member has a share");
        Harness.equal(20, one.seen.size() + two.seen.size());
    }

    static void joins(Round round) throws Exception {
        String topic = round.topic(QUEUES);
        Inbox one = round.member(topic, "*");
        Set<String> before = send(topic, "a", 20);
        Inbox two = round.member(topic, "*");
        Set<String> meanwhile = send(topic, "a", 20);
        round.balanced(round.consumers, QUEUES / 2);
        received(union(before, meanwhile, send(topic, "a", 20)), one, two);
        Harness.that(!two.seen.isEmpty(), "the new member has a share");
    }

    static void leaves(Round round) throws Exception {
        String topic = round.topic(QUEUES);
        Inbox one = round.member(topic, "*"), two = round.member(topic, "*");
        round.balanced(round.consumers, QUEUES / 2);
        Set<String> before = send(topic, "a", 20);
        round.consumers.get(1).shutdown();
        received(union(before, send(topic, "a", 20)), one, two);
        round.balanced(round.consumers.subList(0, 1), QUEUES);
    }

    /** Its connections break, and it says nothing to anybody. */
    static void crashes(Round round) throws Exception {
        String topic = round.topic(QUEUES);
        Inbox one = round.member(topic, "*"), two = round.member(topic, "*");
        round.balanced(round.consumers, QUEUES / 2);
        Set<String> before = send(topic, "a", 20);
        received(before, one, two);
        round.consumers.get(1).getDefaultMQPushConsumerImpl().getmQClientFactory().getMQClientAPIImpl().getRemotingClient().shutdown();
        received(union(before, send(topic, "a", 20)), one, two);
        round.balanced(round.consumers.subList(0, 1), QUEUES);
    }

    // --- tags ------------------------------------------------------------------------------------------------------

    static void tagsOfMembers(Round round) throws Exception {
        String topic = round.topic(QUEUES);
        Inbox one = round.member(topic, "a || b"), two = round.member(topic, "a || b");
        send(topic, "c", 8);
        Set<String> sent = union(send(topic, "a", 8), send(topic, "b", 8));
        send(topic, "c", 8);
        received(union(sent, send(topic, "a", 4)), one, two);
    }

    static void tagsOfGroups(Round round) throws Exception {
        String topic = round.topic(QUEUES);
        Inbox a = round.member(topic, "a");
        Inbox b = round.start(round.consumer(Round.name("G"), topic, "b"));
        Inbox all = round.start(round.consumer(Round.name("G"), topic, "*"));
        Set<String> ofA = send(topic, "a", 10), ofB = send(topic, "b", 10);
        received(ofA, a);
        received(ofB, b);
        received(union(ofA, ofB), all);
    }

    // --- order, time and state ---------------------------------------------------------------------------------------

    /** Each queue is read in its order, without a gap, while a second member takes half of the queues over. */
    static void orderedRebalance(Round round) throws Exception {
        String topic = round.topic(QUEUES);
        Map<Integer, List<Long>> offsets = new ConcurrentHashMap<>();
        MessageListenerOrderly listener = (messages, context) -> {
            for (MessageExt m : messages) offsets.computeIfAbsent(m.getQueueId(), q -> Collections.synchronizedList(new ArrayList<>())).add(m.getQueueOffset());
            return ConsumeOrderlyStatus.SUCCESS;
        };
        for (int member = 0; member < 2; member++) {
            DefaultMQPushConsumer c = round.consumer(round.group, topic, "*");
            c.registerMessageListener(listener);
            c.start();
            send(topic, "a", 20);
        }
        round.balanced(round.consumers, QUEUES / 2);
        send(topic, "a", 20);
        Harness.eventually(PATIENCE, () -> offsets.values().stream().mapToInt(it -> new HashSet<>(it).size()).sum() == 60, "all 60 messages");
        for (List<Long> queue : offsets.values()) {
            long next = 0;
            for (long offset : queue) {
                // A queue that changes hands may begin again at what was committed, and never skips a message.
                Harness.that(offset <= next, "message " + next + " before " + offset + " in " + queue);
                next = Math.max(next, offset + 1);
            }
        }
    }

    static void retry(Round round) throws Exception {
        String topic = round.topic(1);
        Set<String> again = ConcurrentHashMap.newKeySet();
        DefaultMQPushConsumer c = round.consumer(round.group, topic, "*");
        c.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
            for (MessageExt m : messages) if (m.getReconsumeTimes() == 1) again.add(new String(m.getBody()));
            context.setDelayLevelWhenNextConsume(1);
            return messages.get(0).getReconsumeTimes() == 0 ? ConsumeConcurrentlyStatus.RECONSUME_LATER : ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        c.start();
        Set<String> sent = send(topic, "a", 3);
        Harness.eventually(PATIENCE, () -> {
            // The client learns of the retry topic after its start, and would take its queue 20 s later.
            c.getDefaultMQPushConsumerImpl().getmQClientFactory().rebalanceImmediately();
            return again.equals(sent);
        }, "a second try of each");
    }

    static void delay(Round round) throws Exception {
        String topic = round.topic(1);
        Inbox inbox = round.member(topic, "*");
        Message message = new Message(topic, Harness.bytes("late"));
        message.setDelayTimeLevel(1);
        producer.send(message);
        received(Collections.singleton("late"), inbox);
        MessageExt got = inbox.seen.peek();
        Harness.that(got.getStoreTimestamp() - got.getBornTimestamp() >= 900, "a second passes, not " + (got.getStoreTimestamp() - got.getBornTimestamp()) + " ms");
    }

    static void query(Round round) throws Exception {
        String topic = round.topic(1), key = Round.name("K");
        Harness.equal(0L, admin.maxOffset(new MessageQueue(topic, Harness.brokerName(producer, topic), 0)));
        SendResult sent = producer.send(new Message(topic, "a", key, Harness.bytes("found")));
        long now = System.currentTimeMillis();
        Harness.eventually(PATIENCE, () -> {
            QueryResult found = admin.queryMessage(topic, key, 10, now - 60_000, now + 60_000);
            return texts(found.getMessageList()).equals(Collections.singleton("found"));
        }, "the message is found by its key");
        Harness.equal("found", new String(admin.viewMessage(topic, sent.getMsgId()).getBody()));
        Harness.equal("found", new String(admin.viewMessage(topic, sent.getOffsetMsgId()).getBody()));
    }

    /** A member that starts later receives what is sent from then on. */
    static void broadcast(Round round) throws Exception {
        String topic = round.topic(QUEUES);
        DefaultMQPushConsumer first = round.consumer(round.group, topic, "*"), second = round.consumer(round.group, topic, "*");
        Harness.broadcasting(first);
        Harness.broadcasting(second);
        Inbox early = round.start(first);
        begun(first, topic);
        Set<String> before = send(topic, "a", 8);
        received(before, early);
        Inbox late = round.start(second);
        begun(second, topic);
        Set<String> after = send(topic, "a", 8);
        received(union(before, after), early);
        received(after, late);
    }

    /** Waits until a consumer reads every queue of the topic: a broadcasting one begins where it found their ends. */
    static void begun(DefaultMQPushConsumer c, String topic) throws Exception {
        Harness.eventually(PATIENCE, () -> {
            Set<MessageQueue> queues = new HashSet<>(c.getDefaultMQPushConsumerImpl().consumerRunningInfo().getMqTable().keySet());
            queues.removeIf(queue -> !queue.getTopic().equals(topic));
            return queues.size() == QUEUES;
        }, "every queue is read");
    }

    static void transaction(Round round) throws Exception {
        String topic = round.topic(QUEUES);
        TransactionMQProducer p = new TransactionMQProducer(Round.name("P"));
        p.setNamesrvAddr(namesrv);
        p.setInstanceName(Round.name("I"));
        p.setTransactionListener(new TransactionListener() {
            public LocalTransactionState executeLocalTransaction(Message m, Object state) { return (LocalTransactionState) state; }
            public LocalTransactionState checkLocalTransaction(MessageExt m) { return LocalTransactionState.UNKNOW; }
        });
        p.start();
        try {
            Inbox inbox = round.member(topic, "*");
            Set<String> committed = new TreeSet<>();
            for (int i = 0; i < 8; i++) {
                p.sendMessageInTransaction(new Message(topic, Harness.bytes("given up " + i)), LocalTransactionState.ROLLBACK_MESSAGE);
                p.sendMessageInTransaction(new Message(topic, Harness.bytes("meant " + i)), LocalTransactionState.COMMIT_MESSAGE);
                committed.add("meant " + i);
            }
            received(committed, inbox);
        } finally { p.shutdown(); }
    }

    static void pop(Round round) throws Exception {
        String topic = round.topic(QUEUES);
        Harness.serveByPop(admin, topic, round.group);
        Inbox one = round.start(Harness.byBroker(round.consumer(round.group, topic, "*")));
        Inbox two = round.start(Harness.byBroker(round.consumer(round.group, topic, "*")));
        received(send(topic, "a", 20), one, two);
        for (MessageExt m : one.seen) Harness.that(m.getProperty("POP_CK") != null, "a receipt");
    }
}
