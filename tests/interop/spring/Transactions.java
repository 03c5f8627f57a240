package interop;

import java.nio.charset.StandardCharsets;
import org.apache.rocketmq.spring.annotation.RocketMQTransactionListener;
import org.apache.rocketmq.spring.core.RocketMQLocalTransactionListener;
import org.apache.rocketmq.spring.core.RocketMQLocalTransactionState;
import org.springframework.messaging.Message;

/** Decides about half messages, its own and those of the producer in Rust that has the same group. */
@RocketMQTransactionListener
class Transactions implements RocketMQLocalTransactionListener {
    /** The argument is COMMIT, ROLLBACK or UNKNOWN. */
    @Override public RocketMQLocalTransactionState executeLocalTransaction(Message message, Object argument) {
        return RocketMQLocalTransactionState.valueOf((String) argument);
    }

    @Override public RocketMQLocalTransactionState checkLocalTransaction(Message message) {
        Wire.got("checked", new String((byte[]) message.getPayload(), StandardCharsets.UTF_8));
        return RocketMQLocalTransactionState.valueOf((String) message.getHeaders().get("verdict"));
    }
}
