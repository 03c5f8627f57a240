import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.rocketmq.client.consumer.*;
import org.apache.rocketmq.client.consumer.listener.*;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.*;
import org.apache.rocketmq.tools.admin.DefaultMQAdminExt;

/** Push consumption of what is stored: queue by queue, in order, by POP, or through an SQL filter. */
final class BenchConsume {
    private final AtomicLong n = new AtomicLong(), retried = new AtomicLong(), first = new AtomicLong(), last = new AtomicLong();
    private final long count;

    BenchConsume(long count) { this.count = count; }

    static void run(String mode, String ns, String topic, String group, long count, int timeout) throws Exception {
        DefaultMQPushConsumer c = new DefaultMQPushConsumer(group);
        c.setNamesrvAddr(ns);
        c.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        c.subscribe(topic, mode.equals("sql") ? MessageSelector.bySql("bucket = 7") : MessageSelector.byTag("*"));
        if (mode.equals("pop")) switchToPop(ns, topic, group, c);
        BenchConsume progress = new BenchConsume(count);
        if (mode.equals("orderly")) c.registerMessageListener((MessageListenerOrderly) (msgs, ctx) -> { progress.note(msgs); return ConsumeOrderlyStatus.SUCCESS; });
        else c.registerMessageListener((MessageListenerConcurrently) (msgs, ctx) -> { progress.note(msgs); return ConsumeConcurrentlyStatus.CONSUME_SUCCESS; });
        c.start();
        progress.await(mode, timeout);
        c.shutdown();
    }

    static void switchToPop(String ns, String topic, String group, DefaultMQPushConsumer c) throws Exception {
        DefaultMQAdminExt admin = new DefaultMQAdminExt();
        admin.setNamesrvAddr(ns);
        admin.start();
        admin.setMessageRequestMode(Harness.brokerAddr(admin), topic, group, MessageRequestMode.POP, 8, 3000);
        admin.shutdown();
        c.setClientRebalance(false);
    }

    private void note(List<MessageExt> msgs) {
        long t = System.nanoTime();
        first.compareAndSet(0, t);
        for (MessageExt m : msgs) if (m.getReconsumeTimes() > 0) retried.incrementAndGet();
        if (n.addAndGet(msgs.size()) >= count) last.compareAndSet(0, t);
    }

    private void await(String mode, int timeout) throws Exception {
        long end = System.nanoTime() + timeout * 1_000_000_000L;
        while (last.get() == 0 && System.nanoTime() < end) Thread.sleep(5);
        double s = ((last.get() == 0 ? System.nanoTime() : last.get()) - first.get()) / 1e9;
        System.out.printf("{\"client\":\"java\",\"mode\":\"%s\",\"received\":%d,\"seconds\":%.3f,\"msgs_per_s\":%.0f,\"retried\":%d}%n", mode, n.get(), s, n.get() / s, retried.get());
    }
}
