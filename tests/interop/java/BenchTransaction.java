import org.apache.rocketmq.client.producer.*;
import org.apache.rocketmq.common.message.*;

/** Transactions: a half message and its commit, again and again. */
final class BenchTransaction {
    static void run(String ns, String topic, BenchLoad load) throws Exception {
        TransactionMQProducer p = new TransactionMQProducer("bench_transactions");
        p.setTransactionListener(new TransactionListener() {
            public LocalTransactionState executeLocalTransaction(Message m, Object arg) { return LocalTransactionState.COMMIT_MESSAGE; }
            public LocalTransactionState checkLocalTransaction(MessageExt m) { return LocalTransactionState.COMMIT_MESSAGE; }
        });
        BenchSend.start(p, ns);
        load.drive(thread -> BenchSend.stored(p.sendMessageInTransaction(new Message(topic, load.body), null), 1));
        load.print();
        p.shutdown();
    }
}
