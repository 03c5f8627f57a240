package interop;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.rocketmq.common.message.MessageExt;

/** The lines for the test. */
final class Wire {
    static final ObjectMapper JSON =
        new ObjectMapper().registerModule(new JavaTimeModule()).disable(SerializationFeature.WRITE_DATES_AS_TIMESTAMPS);

    static void print(Map<String, ?> line) {
        try {
            System.out.println("@ " + JSON.writeValueAsString(line));
        } catch (JsonProcessingException error) {
            throw new IllegalStateException(error);
        }
    }

    static void got(String listener, Object value) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("listener", listener);
        line.put("value", value);
        print(line);
    }

    /** Everything of a message that a listener can see. */
    static Map<String, Object> everything(MessageExt message) {
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("body", Base64.getEncoder().encodeToString(message.getBody()));
        all.put("tag", message.getTags());
        all.put("keys", message.getKeys());
        all.put("properties", message.getProperties());
        all.put("queue", message.getQueueId());
        all.put("tries", message.getReconsumeTimes() + 1);
        all.put("at", System.currentTimeMillis());
        return all;
    }
}
