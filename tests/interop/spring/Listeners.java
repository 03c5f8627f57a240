package interop;

import interop.Payloads.Order;
import interop.Payloads.Quote;
import interop.Payloads.Status;
import java.math.BigDecimal;
import java.util.List;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.spring.annotation.ConsumeMode;
import org.apache.rocketmq.spring.annotation.RocketMQMessageListener;
import org.apache.rocketmq.spring.annotation.SelectorType;
import org.apache.rocketmq.spring.core.RocketMQListener;
import org.apache.rocketmq.spring.core.RocketMQReplyListener;
import org.springframework.stereotype.Component;

/** Listeners of each kind. They tell the test about each message. */
final class Listeners {
    @Component
    @RocketMQMessageListener(topic = "${run}-payloads", consumerGroup = "${run}-s-order", selectorExpression = "order")
    static class Orders implements RocketMQListener<Order> {
        @Override public void onMessage(Order order) { Wire.got("order", order); }
    }

    @Component
    @RocketMQMessageListener(topic = "${run}-payloads", consumerGroup = "${run}-s-orders", selectorExpression = "orders")
    static class Lists implements RocketMQListener<List<Order>> {
        @Override public void onMessage(List<Order> orders) { Wire.got("orders", orders); }
    }

    @Component
    @RocketMQMessageListener(topic = "${run}-payloads", consumerGroup = "${run}-s-text", selectorExpression = "text")
    static class Texts implements RocketMQListener<String> {
        @Override public void onMessage(String text) { Wire.got("text", text); }
    }

    @Component
    @RocketMQMessageListener(topic = "${run}-payloads", consumerGroup = "${run}-s-number", selectorExpression = "number")
    static class Numbers implements RocketMQListener<Long> {
        @Override public void onMessage(Long number) { Wire.got("number", number); }
    }

    @Component
    @RocketMQMessageListener(topic = "${run}-payloads", consumerGroup = "${run}-s-status", selectorExpression = "status")
    static class Statuses implements RocketMQListener<Status> {
        @Override public void onMessage(Status status) { Wire.got("status", status); }
    }

    @Component
    @RocketMQMessageListener(topic = "${run}-payloads", consumerGroup = "${run}-s-bytes", selectorExpression = "bytes")
    static class Bytes implements RocketMQListener<MessageExt> {
        @Override public void onMessage(MessageExt message) { Wire.got("bytes", message.getBody()); }
    }

    @Component
    @RocketMQMessageListener(topic = "${run}-raw", consumerGroup = "${run}-s-raw")
    static class Raw implements RocketMQListener<MessageExt> {
        @Override public void onMessage(MessageExt message) { Wire.got("raw", Wire.everything(message)); }
    }

    @Component
    @RocketMQMessageListener(topic = "${run}-picked", consumerGroup = "${run}-s-tags", selectorExpression = "a || b")
    static class Tagged implements RocketMQListener<String> {
        @Override public void onMessage(String text) { Wire.got("tags", text); }
    }

    @Component
    @RocketMQMessageListener(topic = "${run}-picked", consumerGroup = "${run}-s-sql", selectorType = SelectorType.SQL92,
        selectorExpression = "region = 'north' AND amount > 5")
    static class Selected implements RocketMQListener<String> {
        @Override public void onMessage(String text) { Wire.got("sql", text); }
    }

    @Component
    @RocketMQMessageListener(topic = "${run}-ordered", consumerGroup = "${run}-s-ordered", consumeMode = ConsumeMode.ORDERLY)
    static class Ordered implements RocketMQListener<MessageExt> {
        @Override public void onMessage(MessageExt message) { Wire.got("ordered", Wire.everything(message)); }
    }

    /** A member of a group that has members in Rust too. */
    @Component
    @RocketMQMessageListener(topic = "${run}-shared", consumerGroup = "${run}-shared", delayLevelWhenNextConsume = 1)
    static class Shared implements RocketMQListener<MessageExt> {
        @Override public void onMessage(MessageExt message) {
            Wire.got("shared", Wire.everything(message));
            if ("flaky".equals(message.getTags()) && message.getReconsumeTimes() == 0) throw new IllegalStateException("flaky");
        }
    }

    @Component
    @RocketMQMessageListener(topic = "${run}-doomed", consumerGroup = "${run}-s-doomed", maxReconsumeTimes = 1,
        delayLevelWhenNextConsume = 1)
    static class Doomed implements RocketMQListener<Order> {
        @Override public void onMessage(Order order) {
            Wire.got("doomed", order);
            throw new IllegalStateException("never");
        }
    }

    /** Reads the dead letters of the group in Rust. */
    @Component
    @RocketMQMessageListener(topic = "%DLQ%${run}-r-doomed", consumerGroup = "${run}-s-dead")
    static class Dead implements RocketMQListener<MessageExt> {
        @Override public void onMessage(MessageExt message) { Wire.got("dead", Wire.everything(message)); }
    }

    @Component
    @RocketMQMessageListener(topic = "${run}-ask-spring", consumerGroup = "${run}-s-quotes", selectorExpression = "order")
    static class Quotes implements RocketMQReplyListener<Order, Quote> {
        @Override public Quote onMessage(Order order) {
            return new Quote(order.id(), order.price().multiply(BigDecimal.TEN));
        }
    }

    @Component
    @RocketMQMessageListener(topic = "${run}-ask-spring", consumerGroup = "${run}-s-echo", selectorExpression = "text")
    static class Echo implements RocketMQReplyListener<String, String> {
        @Override public String onMessage(String text) { return "you said: " + text; }
    }

    @Component
    @RocketMQMessageListener(topic = "${run}-ask-spring", consumerGroup = "${run}-s-reversed", selectorExpression = "bytes")
    static class Reversed implements RocketMQReplyListener<MessageExt, byte[]> {
        @Override public byte[] onMessage(MessageExt message) {
            byte[] body = message.getBody(), reversed = new byte[body.length];
            for (int i = 0; i < body.length; i++) reversed[i] = body[body.length - 1 - i];
            return reversed;
        }
    }
}
