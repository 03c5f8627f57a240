import java.io.*;
import java.nio.file.*;
import java.util.*;
import java.util.concurrent.*;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.commons.cli.Options;
import org.apache.commons.cli.ParseException;
import org.apache.commons.cli.PosixParser;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.*;
import org.apache.rocketmq.client.producer.*;
import org.apache.rocketmq.common.MQVersion;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.*;
import org.apache.rocketmq.srvutil.ServerUtil;
import org.apache.rocketmq.tools.admin.DefaultMQAdminExt;
import org.apache.rocketmq.tools.command.MQAdminStartup;
import org.apache.rocketmq.tools.command.SubCommand;

/**
 * Apache's own mqadmin, command by command, against whatever cluster NAMESRV names; all in this JVM, as each one of its own
 * would take a second to start.
 *   Admin NAMESRV [command ...]     all rows of AdminTable without names; SHOW=1 prints what each command said
 * Prints `ok ROW MILLIS` or `FAILED ROW reason`, and how many there were of each; exits with the number of failures.
 */
public class Admin {
    static final String RUN = Long.toString(System.currentTimeMillis(), 36);
    static final Map<String, String> NAMES = new LinkedHashMap<>();
    /** Something of the client's own threads may still write while a command runs. */
    static final PrintStream OUT = System.out;
    static DefaultMQPushConsumer consumer;
    static DefaultMQProducer producer, tracing;
    static DefaultMQAdminExt admin;

    public static void main(String[] args) {
        int failed = 1;
        try {
            prepare(args[0]);
            System.setOut(HEARD);
            System.setErr(HEARD);
            failed = run(Arrays.asList(args).subList(1, args.length));
        } catch (Throwable t) {
            t.printStackTrace(OUT);
        }
        OUT.flush();
        // Clients and endless commands still run.
        Runtime.getRuntime().halt(failed);
    }

    /**
     * Commands of a chain run one after the other, chains of a stage side by side: a client takes up to 3 s to shut down.
     * They were not made to share a JVM, so what fails beside others is tried once more alone.
     */
    static int run(List<String> wanted) throws Exception {
        int passed = 0, failed = 0;
        for (List<List<AdminTable.Row>> stage : AdminTable.stages()) {
            for (AdminTable.Row row : failing(stage, wanted)) if (passes(row)) passed++; else failed++;
            passed += done;
        }
        OUT.println(passed + " passed, " + failed + " failed");
        return failed;
    }

    static int done;
    /** Those of 4.x do not all give their clients a name of their own. */
    static final int SIDE_BY_SIDE = MQVersion.getVersionDesc(MQVersion.CURRENT_VERSION).startsWith("V4") ? 1 : 8;

    static List<AdminTable.Row> failing(List<List<AdminTable.Row>> stage, List<String> wanted) throws Exception {
        List<AdminTable.Row> again = Collections.synchronizedList(new ArrayList<>());
        AtomicInteger good = new AtomicInteger();
        ExecutorService pool = Executors.newFixedThreadPool(SIDE_BY_SIDE);
        List<Future<?>> chains = new ArrayList<>();
        for (List<AdminTable.Row> chain : stage) chains.add(pool.submit(() -> {
            for (AdminTable.Row row : chain) {
                if (!row.exists() || !wanted.isEmpty() && !wanted.contains(row.name())) continue;
                if (passes(row)) good.incrementAndGet(); else again.add(row);
            }
            return null;
        }));
        pool.shutdown();
        for (Future<?> chain : chains) chain.get();
        done = good.get();
        return again;
    }

    static boolean passes(AdminTable.Row row) throws Exception {
        alone();
        long start = System.currentTimeMillis();
        String missing = row.missingFrom(run(row));
        for (; missing != null && row.comesLater() && System.currentTimeMillis() < start + 60_000; missing = row.missingFrom(run(row))) Thread.sleep(1000);
        OUT.println(missing == null ? "ok " + row + " " + (System.currentTimeMillis() - start) : "FAILED " + row + " does not say " + missing);
        return missing == null;
    }

    /** A command names its client by the millisecond, and adds to the list that others look themselves up in. */
    static synchronized void alone() throws InterruptedException { Thread.sleep(50); }

    /** A topic with messages in it, one of them dead, a member that has consumed them, a producer, and a trace. */
    static void prepare(String namesrv) throws Exception {
        admin = new DefaultMQAdminExt(6000);
        admin.setNamesrvAddr(namesrv);
        admin.setAdminExtGroup("JavaAdmin" + RUN);
        admin.setInstanceName("admin" + RUN);
        admin.start();
        name("ns", namesrv);
        name("broker", Harness.brokerAddr(admin));
        for (String what : new String[] {"topic", "group", "producers", "other", "copies"}) name(what, "A_" + what + "_" + RUN);
        name("folder", Files.createTempDirectory("mqadmin").toString());
        Files.write(Paths.get(fill("{folder}/topics.json")), Harness.bytes(fill("[{\"topicName\":\"{other}_list\",\"readQueueNums\":2,\"writeQueueNums\":2,\"perm\":6,\"order\":false,\"topicFilterType\":\"SINGLE_TAG\",\"topicSysFlag\":0,\"attributes\":{}}]")));
        Files.write(Paths.get(fill("{folder}/groups.json")), Harness.bytes(fill("[{\"groupName\":\"{other}_list\",\"consumeEnable\":true,\"retryQueueNums\":1,\"retryMaxTimes\":3}]")));
        Harness.createTopic(admin, namesrv, fill("{topic}"), 2);
        producer = Harness.producer(namesrv, fill("{producers}"));
        name("brokerName", Harness.brokerName(producer, fill("{topic}")));
        consume();
        send();
        trace(namesrv);
    }

    static void name(String what, String is) { NAMES.put(what, is); }

    static String fill(String text) {
        for (Map.Entry<String, String> e : NAMES.entrySet()) text = text.replace("{" + e.getKey() + "}", e.getValue());
        return text;
    }

    static void consume() throws Exception {
        consumer = new DefaultMQPushConsumer(fill("{group}"));
        consumer.setNamesrvAddr(fill("{ns}"));
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        consumer.setMaxReconsumeTimes(0);
        consumer.subscribe(fill("{topic}"), "*");
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) ->
            messages.get(0).getKeys() != null && messages.get(0).getKeys().contains("dies") ? ConsumeConcurrentlyStatus.RECONSUME_LATER : ConsumeConcurrentlyStatus.CONSUME_SUCCESS);
        consumer.start();
        name("client", consumer.getDefaultMQPushConsumerImpl().getmQClientFactory().getClientId());
    }

    static void send() throws Exception {
        List<MessageQueue> queues = producer.fetchPublishMessageQueues(fill("{topic}"));
        for (int i = 0; i < 8; i++) {
            SendResult sent = producer.send(new Message(fill("{topic}"), "TagA", i == 7 ? "dies" : "key" + i, Harness.bytes("body " + i)), queues.get(i % 2));
            if (i == 0) { name("id", sent.getMsgId()); name("offsetId", sent.getOffsetMsgId()); }
        }
        Harness.eventually(90, () -> {
            consumer.getDefaultMQPushConsumerImpl().persistConsumerOffset();
            return admin.examineConsumeStats(fill("{group}"), fill("{topic}")).computeTotalDiff() == 0;
        }, "everything is consumed");
        Harness.eventually(90, () -> Harness.totalOrZero(producer, fill("%DLQ%{group}")) == 1, "a message is dead");
    }

    static void trace(String namesrv) throws Exception {
        tracing = Harness.tracing(namesrv, fill("{producers}_traced"));
        name("tracedId", tracing.send(new Message(fill("{topic}"), "TagA", "traced", Harness.bytes("traced"))).getMsgId());
        Harness.eventually(90, () -> admin.queryMessage("RMQ_SYS_TRACE_TOPIC", fill("{tracedId}"), 8, 0, Long.MAX_VALUE).getMessageList().size() > 0, "the trace is indexed");
    }

    /** What a command prints, on either stream. */
    static String run(AdminTable.Row row) throws Exception {
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        String[] args = row.args();
        SAID.set(said);
        String unknown = unknownOption(args);
        if (unknown != null) return unknown;
        if (row.endless()) untilSaid(row, args, said); else MQAdminStartup.main0(args, null);
        String text = said.toString("UTF-8") + row.files();
        if (System.getenv("SHOW") != null) OUT.println("== " + String.join(" ", args) + "\n" + text);
        return text;
    }

    /** Why this version of the tools would end the JVM instead of running a command; null when it would not. */
    static String unknownOption(String[] args) throws Exception {
        for (SubCommand command : commands()) {
            if (!command.commandName().equals(args[0])) continue;
            try {
                new PosixParser().parse(command.buildCommandlineOptions(ServerUtil.buildCommandlineOptions(new Options())), Arrays.copyOfRange(args, 1, args.length));
            } catch (ParseException e) {
                return e.getMessage();
            }
        }
        return null;
    }

    static synchronized List<SubCommand> commands() throws Exception {
        if (allCommands().isEmpty()) MQAdminStartup.initCommand();
        return new ArrayList<>(allCommands());
    }

    /** The next run makes them anew. */
    static synchronized void forgetCommands() throws Exception { allCommands().clear(); }

    @SuppressWarnings("unchecked")
    private static List<SubCommand> allCommands() throws Exception {
        java.lang.reflect.Field list = Arrays.stream(MQAdminStartup.class.getDeclaredFields()).filter(f -> List.class.isAssignableFrom(f.getType())).findFirst().get();
        list.setAccessible(true);
        return (List<SubCommand>) list.get(null);
    }

    static void untilSaid(AdminTable.Row row, String[] args, ByteArrayOutputStream said) throws Exception {
        Thread thread = new Thread(() -> MQAdminStartup.main0(args, null));
        thread.setDaemon(true);
        thread.start();
        long end = System.currentTimeMillis() + 10_000;
        while (System.currentTimeMillis() < end && row.missingFrom(said.toString("UTF-8")) != null) Thread.sleep(50);
        thread.interrupt();
    }

    /** Each command writes to the buffer of the thread that runs it, and so do the threads it starts. */
    static final InheritableThreadLocal<ByteArrayOutputStream> SAID = new InheritableThreadLocal<>();

    static final PrintStream HEARD = new PrintStream(new OutputStream() {
        @Override public void write(int b) { if (SAID.get() != null) SAID.get().write(b); }
        @Override public void write(byte[] bytes, int from, int count) { if (SAID.get() != null) SAID.get().write(bytes, from, count); }
    }, true);
}
