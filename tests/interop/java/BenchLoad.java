import java.util.*;
import java.util.concurrent.atomic.AtomicLong;

/** How much is sent for how long, by threads, and what came of it. */
final class BenchLoad {
    /** Sends; the number of messages stored, 0 when not all of them were. */
    interface Send { int once(int thread) throws Exception; }

    final String mode;
    final int concurrency, seconds, size;
    final byte[] body;
    private final List<long[]> latencies = new ArrayList<>();
    private final AtomicLong sent = new AtomicLong(), failed = new AtomicLong();
    private long from, to;

    BenchLoad(String[] a) {
        mode = a[0];
        concurrency = Integer.parseInt(a[3]);
        seconds = Integer.parseInt(a[4]);
        size = Integer.parseInt(a[5]);
        body = new byte[size];
        Arrays.fill(body, (byte) 'x');
    }

    void begin() {
        from = System.nanoTime() + 1_000_000_000L;
        to = from + seconds * 1_000_000_000L;
    }

    boolean over() { return System.nanoTime() >= to; }
    boolean counts(long begun, long ended) { return begun >= from && ended <= to; }
    void failed() { failed.incrementAndGet(); }

    void add(long[] all, int n, long messages) {
        synchronized (latencies) { latencies.add(Arrays.copyOf(all, n)); }
        sent.addAndGet(messages);
    }

    void drive(Send send) throws Exception {
        begin();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < concurrency; i++) {
            int number = i;
            Thread t = new Thread(() -> work(send, number));
            t.start();
            threads.add(t);
        }
        for (Thread t : threads) t.join();
    }

    private void work(Send send, int number) {
        long[] all = new long[4_000_000 / Math.max(1, concurrency / 8)];
        int n = 0;
        long messages = 0;
        while (!over()) {
            long t0 = System.nanoTime();
            try {
                int stored = send.once(number);
                long t1 = System.nanoTime();
                if (stored == 0) failed();
                else if (counts(t0, t1)) { all[n++] = t1 - t0; messages += stored; }
            } catch (Exception e) { failed(); }
        }
        add(all, n, messages);
    }

    void print() {
        long[] l = latencies.stream().flatMapToLong(Arrays::stream).sorted().toArray();
        System.out.printf("{\"client\":\"java\",\"mode\":\"%s\",\"concurrency\":%d,\"body\":%d,\"msgs_per_s\":%.0f,\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f,\"failed\":%d}%n",
            mode, concurrency, size, sent.get() / (double) seconds, Bench.quantile(l, .5) / 1e6, Bench.quantile(l, .99) / 1e6, Bench.quantile(l, 1) / 1e6, failed.get());
    }
}
