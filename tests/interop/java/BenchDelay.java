import java.util.Arrays;
import java.util.concurrent.atomic.*;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.*;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.*;

/** Timers: COUNT messages sent now, due one after the other over a span that begins later; how late each of them comes. */
final class BenchDelay {
    static final int CONCURRENCY = 64;
    /** How long the last one is waited for after its time, and a second delivery once all have come. */
    static final long PATIENCE_MS = 30_000, AFTERWARDS_MS = 2_000;
    static final long MISSING = Long.MIN_VALUE;

    private final AtomicLongArray late;
    private final AtomicInteger received = new AtomicInteger(), duplicates = new AtomicInteger(), failed = new AtomicInteger();

    BenchDelay(int count) {
        late = new AtomicLongArray(count);
        for (int i = 0; i < count; i++) late.set(i, MISSING);
    }

    static void run(String ns, String topic, int count, int after, int over) throws Exception {
        BenchDelay delay = new BenchDelay(count);
        DefaultMQProducer p = BenchSend.start(new DefaultMQProducer("bench_timers"), ns);
        // Makes the topic, so that the consumer finds its queues.
        p.send(new Message(topic, "none of them".getBytes()));
        DefaultMQPushConsumer c = delay.consume(ns, topic);
        long start = System.currentTimeMillis(), end = start + (after + over) * 1000L + PATIENCE_MS;
        delay.sendAll(p, topic, start + after * 1000L, over * 1000.0 / count);
        double sending = (System.currentTimeMillis() - start) / 1e3;
        while (delay.received.get() < count && System.currentTimeMillis() < end) Thread.sleep(5);
        if (delay.received.get() == count) Thread.sleep(AFTERWARDS_MS);
        c.shutdown();
        p.shutdown();
        delay.print(sending);
    }

    private DefaultMQPushConsumer consume(String ns, String topic) throws Exception {
        DefaultMQPushConsumer c = new DefaultMQPushConsumer("g-" + topic);
        c.setNamesrvAddr(ns);
        c.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        c.subscribe(topic, "*");
        c.registerMessageListener((MessageListenerConcurrently) (msgs, ctx) -> {
            for (MessageExt m : msgs) note(new String(m.getBody()).split(" "));
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        c.start();
        return c;
    }

    /** The body names the message: its number, and the millisecond at which it is due. */
    private void note(String[] body) {
        if (body.length != 2) return;
        long now = System.currentTimeMillis();
        if (late.compareAndSet(Integer.parseInt(body[0]), MISSING, now - Long.parseLong(body[1]))) received.incrementAndGet();
        else duplicates.incrementAndGet();
    }

    private void sendAll(DefaultMQProducer p, String topic, long first, double step) throws Exception {
        Thread[] threads = new Thread[CONCURRENCY];
        for (int i = 0; i < CONCURRENCY; i++) {
            int begin = i;
            threads[i] = new Thread(() -> { for (int k = begin; k < late.length(); k += CONCURRENCY) send(p, topic, k, first + (long) (k * step)); });
            threads[i].start();
        }
        for (Thread t : threads) t.join();
    }

    private void send(DefaultMQProducer p, String topic, int number, long due) {
        Message m = new Message(topic, (number + " " + due).getBytes());
        m.setDeliverTimeMs(due);
        try { p.send(m); } catch (Exception e) { failed.incrementAndGet(); }
    }

    private void print(double sending) {
        long[] l = new long[late.length()];
        for (int i = 0; i < l.length; i++) l[i] = late.get(i);
        l = Arrays.stream(l).filter(ms -> ms != MISSING).sorted().toArray();
        long early = Arrays.stream(l).filter(ms -> ms < 0).count();
        System.out.printf("{\"client\":\"java\",\"mode\":\"delay\",\"count\":%d,\"send_seconds\":%.3f,\"failed\":%d,\"lost\":%d,\"early\":%d,\"duplicates\":%d,\"min_ms\":%d,\"p50_ms\":%d,\"p99_ms\":%d,\"max_ms\":%d}%n",
            late.length(), sending, failed.get(), late.length() - failed.get() - l.length, early, duplicates.get(), Bench.quantile(l, 0), Bench.quantile(l, .5), Bench.quantile(l, .99), Bench.quantile(l, 1));
    }
}
