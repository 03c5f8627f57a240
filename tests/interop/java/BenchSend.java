import java.util.*;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.rocketmq.client.producer.*;
import org.apache.rocketmq.client.producer.selector.SelectMessageQueueByHash;
import org.apache.rocketmq.common.message.Message;

/** Sending: one at a time per thread, with or without a key that keeps an order, batches of 32, or asynchronously. */
final class BenchSend {
    static final int BATCH = 32;

    static DefaultMQProducer start(DefaultMQProducer p, String ns) throws Exception {
        p.setNamesrvAddr(ns);
        p.setCompressMsgBodyOverHowmuch(Integer.MAX_VALUE);
        p.start();
        return p;
    }

    static void run(String ns, String topic, BenchLoad load) throws Exception {
        DefaultMQProducer p = start(new DefaultMQProducer("bench_producer"), ns);
        SelectMessageQueueByHash byKey = new SelectMessageQueueByHash();
        load.drive(thread -> {
            if (load.mode.equals("ordered")) return stored(p.send(new Message(topic, "", "" + thread, load.body), byKey, "" + thread), 1);
            if (!load.mode.equals("batch")) return stored(p.send(new Message(topic, load.body)), 1);
            List<Message> l = new ArrayList<>();
            for (int j = 0; j < BATCH; j++) l.add(new Message(topic, load.body));
            return stored(p.send(l), BATCH);
        });
        load.print();
        p.shutdown();
    }

    static int stored(SendResult r, int messages) { return r.getSendStatus() == SendStatus.SEND_OK ? messages : 0; }

    static void async(String ns, String topic, BenchLoad load) throws Exception {
        DefaultMQProducer p = start(new DefaultMQProducer("bench_producer"), ns);
        Semaphore s = new Semaphore(load.concurrency);
        long[] all = new long[20_000_000];
        AtomicInteger n = new AtomicInteger();
        load.begin();
        while (!load.over()) {
            s.acquire();
            long t0 = System.nanoTime();
            p.send(new Message(topic, load.body), new SendCallback() {
                public void onSuccess(SendResult r) { long t = System.nanoTime(); s.release(); if (load.counts(t0, t)) all[n.getAndIncrement()] = t - t0; }
                public void onException(Throwable e) { s.release(); load.failed(); }
            });
        }
        s.acquire(load.concurrency);
        load.add(all, n.get(), n.get());
        load.print();
        p.shutdown();
    }
}
