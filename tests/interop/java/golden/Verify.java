import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageDecoder;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;
import org.apache.rocketmq.remoting.protocol.RemotingSerializable;

/**
 * Verify VERSION JAVA OURS: reads each file of folder OURS, which the Rust crate wrote, and its namesake of folder JAVA, which
 * Golden wrote, with the official classes, and says which do not hold the same values. Ends with 1 when there is one.
 */
public class Verify {
    static final String[] PACKAGES = {
        "remoting.protocol.body", "remoting.protocol.route", "remoting.protocol.heartbeat", "remoting.protocol.subscription",
        "remoting.protocol.admin", "remoting.protocol.header", "common.protocol.header", "common.protocol.body", "common.protocol.route", "common.protocol.heartbeat",
        "common.subscription", "common.admin",
    };
    static boolean five;

    public static void main(String[] args) throws Exception {
        five = args[0].startsWith("5");
        List<Path> files;
        try (Stream<Path> all = Files.list(Path.of(args[2]))) {
            files = all.sorted().collect(Collectors.toList());
        }
        int wrong = 0;
        for (Path ours : files) {
            String name = ours.getFileName().toString().replaceAll("\\.bin$", "");
            String expected = read(name, Files.readAllBytes(Path.of(args[1]).resolve(ours.getFileName())));
            String actual;
            try {
                actual = read(name, Files.readAllBytes(ours));
            } catch (Exception unreadable) {
                actual = unreadable + " because of " + unreadable.getCause();
            }
            if (expected.equals(actual)) continue;
            wrong++;
            System.out.println(name + "\n  of Java " + expected + "\n  ours    " + actual);
        }
        System.out.println(args[0] + ": " + files.size() + " files of ours read, " + wrong + " of them differ");
        System.exit(wrong == 0 && !files.isEmpty() ? 0 : 1);
    }

    /** All values that Java sees in the bytes, as text. */
    static String read(String name, byte[] bytes) throws Exception {
        if (name.startsWith("frame-")) return command(ByteBuffer.wrap(bytes));
        if (name.startsWith("record-")) return records(ByteBuffer.wrap(bytes));
        if (name.startsWith("batch-")) return batch(ByteBuffer.wrap(bytes));
        String text = new String(bytes, StandardCharsets.UTF_8);
        if (name.startsWith("properties-")) return new TreeMap<>(MessageDecoder.string2messageProperties(text)).toString();
        if (name.startsWith("text-")) return text;
        // The compressed form has no such version: Java makes one up from the clock.
        if (name.startsWith("register-")) return dump(registration(bytes, name.endsWith("-compressed"))).replaceAll(name.endsWith("-compressed") ? "mappingDataVersion=[^}]*}" : "$^", "");
        return dump(RemotingSerializable.decode(bytes, cls(name.split("\\.")[0])));
    }

    static String command(ByteBuffer frame) throws Exception {
        int length = frame.getInt();
        if (length != frame.remaining()) throw new IllegalStateException("length " + length);
        RemotingCommand command = RemotingCommand.decode(frame);
        Map<String, String> fields = command.getExtFields() == null ? Map.of() : command.getExtFields();
        String body = command.getBody() == null ? "null" : new String(command.getBody(), StandardCharsets.UTF_8);
        return List.of(command.getCode(), command.getLanguage(), command.getVersion(), command.getOpaque(), command.getFlag(),
            String.valueOf(command.getRemark()), command.getSerializeTypeCurrentRPC(), new TreeMap<>(fields), body).toString();
    }

    static String records(ByteBuffer bytes) {
        List<String> all = new ArrayList<>();
        for (MessageExt message : MessageDecoder.decodes(bytes)) {
            all.add(List.of(message.getQueueId(), message.getFlag(), message.getQueueOffset(), message.getCommitLogOffset(), message.getSysFlag(),
                message.getBornTimestamp(), message.getBornHost(), message.getStoreTimestamp(), message.getStoreHost(), message.getReconsumeTimes(),
                message.getPreparedTransactionOffset(), message.getMsgId(), plain(message)).toString());
        }
        return all.toString();
    }

    static String batch(ByteBuffer bytes) throws Exception {
        List<String> all = new ArrayList<>();
        for (Message message : MessageDecoder.decodeMessages(bytes)) all.add(message.getFlag() + plain(message));
        return all.toString();
    }

    /** Java has inflated the body. */
    static String plain(Message message) {
        String body = message.getBody() == null ? "null" : new String(message.getBody(), StandardCharsets.UTF_8);
        Map<String, String> properties = message.getProperties() == null ? Map.of() : message.getProperties();
        return message.getTopic() + " " + new TreeMap<>(properties) + " " + body;
    }

    static Object registration(byte[] bytes, boolean compressed) throws Exception {
        Class<?> body = cls("RegisterBrokerBody");
        if (!five) return body.getMethod("decode", byte[].class, boolean.class).invoke(null, bytes, compressed);
        Class<?> version = Class.forName("org.apache.rocketmq.common.MQVersion$Version");
        Object current = version.getMethod("valueOf", String.class).invoke(null, "V5_4_0");
        return body.getMethod("decode", byte[].class, boolean.class, version).invoke(null, bytes, compressed, current);
    }

    static Class<?> cls(String name) throws ClassNotFoundException {
        for (String pack : PACKAGES) {
            try {
                return Class.forName("org.apache.rocketmq." + pack + "." + name);
            } catch (ClassNotFoundException elsewhere) {
                continue;
            }
        }
        throw new ClassNotFoundException(name);
    }

    /** Every field below an object, maps and sets sorted. */
    static String dump(Object value) throws IllegalAccessException {
        if (value == null || value instanceof Enum || value instanceof BitSet || value.getClass().getName().startsWith("java.") && !(value instanceof Collection) && !(value instanceof Map)) return Objects.toString(value);
        if (value instanceof Map) {
            TreeMap<String, String> sorted = new TreeMap<>();
            for (Map.Entry<?, ?> entry : ((Map<?, ?>) value).entrySet()) sorted.put(dump(entry.getKey()), dump(entry.getValue()));
            return sorted.toString();
        }
        if (value instanceof Collection) {
            List<String> items = new ArrayList<>();
            for (Object item : (Collection<?>) value) items.add(dump(item));
            return (value instanceof List ? items : new TreeSet<>(items)).toString();
        }
        return value.getClass().getSimpleName() + fields(value);
    }

    static Map<String, String> fields(Object value) throws IllegalAccessException {
        TreeMap<String, String> fields = new TreeMap<>();
        for (Class<?> type = value.getClass(); type != Object.class; type = type.getSuperclass()) {
            for (Field field : type.getDeclaredFields()) {
                if (Modifier.isStatic(field.getModifiers()) || Modifier.isTransient(field.getModifiers()) || field.getName().equals("random")) continue;
                field.setAccessible(true);
                fields.put(field.getName(), dump(field.get(value)));
            }
        }
        return fields;
    }
}
