package interop;

import com.fasterxml.jackson.databind.JsonNode;
import interop.Payloads.Order;
import interop.Payloads.Quote;
import interop.Payloads.Status;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.apache.rocketmq.client.impl.consumer.RebalanceImpl;
import org.apache.rocketmq.client.producer.SendCallback;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.spring.core.RocketMQTemplate;
import org.apache.rocketmq.spring.support.DefaultRocketMQListenerContainer;
import org.springframework.boot.CommandLineRunner;
import org.springframework.context.ApplicationContext;
import org.springframework.messaging.Message;
import org.springframework.messaging.support.MessageBuilder;
import org.springframework.stereotype.Component;

/** Sends as the lines of standard input say: one JSON object each, with id, how, destination, bodies and headers. */
@Component
class Commands implements CommandLineRunner {
    private static final long PATIENCE = 30_000;
    private final RocketMQTemplate template;
    private final ApplicationContext context;

    Commands(RocketMQTemplate template, ApplicationContext context) {
        this.template = template;
        this.context = context;
    }

    @Override public void run(String... args) throws IOException, InterruptedException {
        for (var container : context.getBeansOfType(DefaultRocketMQListenerContainer.class).values()) {
            while (!settled(container)) Thread.sleep(20);
        }
        Wire.print(Map.of("ready", true));
        ExecutorService threads = Executors.newCachedThreadPool();
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = lines.readLine()) != null; ) {
            JsonNode command = Wire.JSON.readTree(line);
            threads.execute(() -> answer(command));
        }
        System.exit(0);
    }

    /**
     * A new group begins at the end of a queue. Until it has the queue, a first message can come between the question for the
     * group's offset and the one for the end, and is passed over.
     */
    private static boolean settled(DefaultRocketMQListenerContainer container) {
        RebalanceImpl queues = container.getConsumer().getDefaultMQPushConsumerImpl().getRebalanceImpl();
        Set<MessageQueue> all = queues.getTopicSubscribeInfoTable().get(container.getTopic());
        return all != null && queues.getProcessQueueTable().keySet().containsAll(all);
    }

    private void answer(JsonNode command) {
        long id = command.get("id").asLong();
        try {
            Wire.print(Map.of("answer", id, "result", send(command)));
        } catch (Throwable error) {
            Wire.print(Map.of("answer", id, "error", error.toString()));
        }
    }

    private Object send(JsonNode command) throws Exception {
        String to = command.get("destination").asText();
        JsonNode how = command.get("how");
        List<Message<?>> messages = new ArrayList<>();
        for (JsonNode body : command.get("bodies")) messages.add(message(payload(body), command.get("headers")));
        Message<?> message = messages.get(0);
        return switch (how.get("as").asText()) {
            case "plain" -> sent(template.syncSend(to, message));
            case "later" -> later(to, message);
            case "oneway" -> { template.sendOneWay(to, message); yield Map.of(); }
            case "ordered" -> sent(template.syncSendOrderly(to, message, how.get("key").asText()));
            case "level" -> sent(template.syncSend(to, message, PATIENCE, how.get("level").asInt()));
            case "delay" -> sent(template.syncSendDelayTimeMills(to, message, how.get("millis").asLong()));
            case "at" -> sent(template.syncSendDeliverTimeMills(to, message, how.get("millis").asLong()));
            case "batch" -> sent(template.syncSend(to, messages));
            case "transaction" -> sent(template.sendMessageInTransaction(to, message, how.get("local").asText()));
            case "request" -> template.sendAndReceive(to, message, replied(command), PATIENCE);
            default -> throw new IllegalArgumentException("how: " + how);
        };
    }

    private Object later(String to, Message<?> message) throws Exception {
        CompletableFuture<SendResult> sent = new CompletableFuture<>();
        template.asyncSend(to, message, new SendCallback() {
            @Override public void onSuccess(SendResult result) { sent.complete(result); }
            @Override public void onException(Throwable error) { sent.completeExceptionally(error); }
        });
        return sent(sent.get());
    }

    private static Map<String, Object> sent(SendResult result) {
        return Map.of("status", result.getSendStatus(), "queue", result.getMessageQueue().getQueueId());
    }

    private static Message<?> message(Object payload, JsonNode headers) {
        MessageBuilder<Object> builder = MessageBuilder.withPayload(payload);
        headers.fields().forEachRemaining(header -> builder.setHeader(header.getKey(), header.getValue().asText()));
        return builder.build();
    }

    private static Object payload(JsonNode body) throws IOException {
        JsonNode value = body.get("value");
        return switch (body.get("kind").asText()) {
            case "order" -> Wire.JSON.treeToValue(value, Order.class);
            case "orders" -> List.of(Wire.JSON.treeToValue(value, Order[].class));
            case "text" -> value.asText();
            case "number" -> value.asLong();
            case "status" -> Status.valueOf(value.asText());
            case "bytes" -> value.binaryValue();
            default -> throw new IllegalArgumentException("kind: " + body);
        };
    }

    private static Class<?> replied(JsonNode command) {
        return switch (command.get("bodies").get(0).get("kind").asText()) {
            case "order" -> Quote.class;
            case "text" -> String.class;
            default -> byte[].class;
        };
    }
}
