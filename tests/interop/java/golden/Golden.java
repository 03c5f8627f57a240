import java.io.ByteArrayOutputStream;
import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.rocketmq.acl.common.AclClientRPCHook;
import org.apache.rocketmq.acl.common.AclUtils;
import org.apache.rocketmq.acl.common.SessionCredentials;
import org.apache.rocketmq.client.AccessChannel;
import org.apache.rocketmq.client.producer.LocalTransactionState;
import org.apache.rocketmq.client.trace.TraceBean;
import org.apache.rocketmq.client.trace.TraceContext;
import org.apache.rocketmq.client.trace.TraceDataEncoder;
import org.apache.rocketmq.client.trace.TraceType;
import org.apache.rocketmq.common.UtilAll;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageClientIDSetter;
import org.apache.rocketmq.common.message.MessageDecoder;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageType;
import org.apache.rocketmq.remoting.CommandCustomHeader;
import org.apache.rocketmq.remoting.protocol.LanguageCode;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;
import org.apache.rocketmq.remoting.protocol.RemotingSerializable;
import org.apache.rocketmq.remoting.protocol.SerializeType;

/**
 * Golden VERSION FOLDER: what the official classes of that version write, one file per case. Every byte is fixed: times,
 * hosts, numbers, and the order of maps (sorted, where the class takes a map of our choice).
 *
 * Classes that moved between the versions are found by their simple name and filled through their setters, so that one
 * source serves both. A property written `?name` is set only where the class has it.
 */
public class Golden {
    static final String[] PACKAGES = {
        "remoting.protocol", "remoting.protocol.body", "remoting.protocol.route", "remoting.protocol.heartbeat",
        "remoting.protocol.subscription", "remoting.protocol.statictopic", "remoting.protocol.admin",
        "remoting.protocol.header", "remoting.protocol.header.namesrv", "common", "common.message", "common.producer",
        "common.protocol.body", "common.protocol.route", "common.protocol.heartbeat", "common.protocol.header",
        "common.protocol.header.namesrv", "common.subscription", "common.admin", "common.compression",
    };
    static boolean five;
    static Path folder;

    public static void main(String[] args) throws Exception {
        five = args[0].startsWith("5");
        folder = Path.of(args[1]);
        Files.createDirectories(folder);
        frames();
        signed();
        records();
        texts();
        routes();
        clients();
        tables();
        groups();
        registrations();
        if (five) pops();
    }

    // ---- frames

    static void frames() throws Exception {
        frame("route-request", request(105, header("GetRouteInfoRequestHeader", "topic", "T1"), 7));
        frame("unicode-request", request(105, header("GetRouteInfoRequestHeader", "topic", "\u6807\u7b7e \"\ud83d\ude00\\/"), -1));
        Object send = header("SendMessageRequestHeaderV2", "a", "PG", "b", "TA", "c", "TBW102", "d", 4, "e", 3, "f", 0,
            "g", 1700000000000L, "h", 0, "i", "KEYS\u0001k1 k2\u0002TAGS\u0001TagA\u0002", "j", 0, "k", false, "l", 16,
            "m", false, "?n", "broker-a");
        frame("send-request", body(request(310, send, 8), "hello"));
        Object pull = header("PullMessageRequestHeader", "consumerGroup", "CG", "topic", "TA", "queueId", 1, "queueOffset",
            42L, "maxMsgNums", 32, "sysFlag", 6, "commitOffset", 40L, "suspendTimeoutMillis", 15000L, "subscription",
            "TagA || TagB", "subVersion", 1700000000001L, "expressionType", "TAG");
        frame("pull-request", request(11, pull, 9));
        RemotingCommand oneway = request(35, header("UnregisterClientRequestHeader", "clientID", "c1", "producerGroup", "PG",
            "consumerGroup", "CG"), 10);
        oneway.markOnewayRPC();
        frame("oneway", oneway);
        frame("no-header-request", body(request(34, null, 11), "{}"));
        frame("send-response", response(0, null, header("SendMessageResponseHeader", "msgId",
            "7F00000100002A9F0000000000001000", "queueId", 3, "queueOffset", 42L, "?transactionId", "7F0000010000")));
        frame("pull-response", body(response(0, "FOUND", header("PullMessageResponseHeader", "suggestWhichBrokerId", 0L,
            "nextBeginOffset", 43L, "minOffset", 0L, "maxOffset", 50L)), "records"));
        frame("error-response", response(17, "No topic route info in name server for the topic: T1\n\tSee https://x/?a=\"b\"", null));
        frame("empty-fields-response", response(0, null, header("GetMaxOffsetResponseHeader")));
    }

    static RemotingCommand request(int code, Object header, int opaque) {
        return fix(RemotingCommand.createRequestCommand(code, (CommandCustomHeader) header), opaque);
    }

    static RemotingCommand response(int code, String remark, Object header) throws Exception {
        RemotingCommand command = RemotingCommand.createResponseCommand(code, remark, null);
        if (header != null) command.writeCustomHeader((CommandCustomHeader) header);
        return fix(command, 12);
    }

    static RemotingCommand fix(RemotingCommand command, int opaque) {
        command.setOpaque(opaque);
        command.setVersion(five ? 493 : 407);
        command.setLanguage(LanguageCode.JAVA);
        return command;
    }

    static RemotingCommand body(RemotingCommand command, String body) {
        command.setBody(utf8(body));
        return command;
    }

    /** Both header forms of one command. JSON last: it leaves the fields behind, which ROCKETMQ would then write twice. */
    static void frame(String name, RemotingCommand command) throws Exception {
        for (SerializeType form : new SerializeType[] {SerializeType.ROCKETMQ, SerializeType.JSON}) {
            command.setSerializeTypeCurrentRPC(form);
            write("frame-" + name + "-" + form.name().toLowerCase(), onWire(command));
        }
    }

    /** As the client's and the server's encoder put it on the wire. */
    static byte[] onWire(RemotingCommand command) throws Exception {
        io.netty.buffer.ByteBuf out = io.netty.buffer.Unpooled.buffer();
        command.fastEncodeHeader(out);
        if (command.getBody() != null) out.writeBytes(command.getBody());
        byte[] bytes = new byte[out.readableBytes()];
        out.readBytes(bytes);
        return bytes;
    }

    /** The hook has turned the header into fields already, so that the ROCKETMQ form really has each of them twice. */
    static void signed() throws Exception {
        Object pull = header("PullMessageRequestHeader", "consumerGroup", "CG", "topic", "TA", "queueId", 1, "queueOffset",
            42L, "maxMsgNums", 32, "sysFlag", 2, "commitOffset", 0L, "suspendTimeoutMillis", 15000L, "subVersion", 7L);
        RemotingCommand command = body(request(11, pull, 13), "body \u6807");
        new AclClientRPCHook(new SessionCredentials("access", "secret12", "token")).doBeforeRequest("127.0.0.1:10911", command);
        frame("signed", command);
        TreeMap<String, String> fields = new TreeMap<>(command.getExtFields());
        fields.remove("Signature");
        write("text-signed-content", AclUtils.combineRequestContent(command, fields));
    }

    // ---- messages

    static void records() throws Exception {
        write("record-v1", MessageDecoder.encode(message("TA", "hello", "127.0.0.1", "10.0.0.5"), false));
        write("record-ipv6", MessageDecoder.encode(message("TA", "hello", "::1", "fd00::1:2"), false));
        write("record-ipv6-born", MessageDecoder.encode(message("TA", "hello", "::1", "10.0.0.5"), false));
        MessageExt bare = message("TA", "", "127.0.0.1", "127.0.0.1");
        bare.getProperties().clear();
        write("record-bare", MessageDecoder.encode(bare, false));
        if (five) write("record-v2", stored("%RETRY%" + "g".repeat(200)));
        compressed();
        ByteArrayOutputStream two = new ByteArrayOutputStream();
        two.write(MessageDecoder.encode(message("TA", "one", "127.0.0.1", "10.0.0.5"), false));
        two.write(MessageDecoder.encode(message("TA", "two", "127.0.0.1", "10.0.0.5"), false));
        write("record-two", two.toByteArray());
        batch();
    }

    /** A topic over 127 bytes takes the second record version, which only the store writes; its place in the log is still 0 here. */
    static byte[] stored(String topic) throws Exception {
        Object message = cls("MessageExtBrokerInner").getDeclaredConstructor().newInstance();
        fill((MessageExt) message, topic, "hello", "127.0.0.1", "10.0.0.5");
        String properties = MessageDecoder.messageProperties2String(((MessageExt) message).getProperties());
        message.getClass().getMethod("setPropertiesString", String.class).invoke(message, properties);
        Object version = build(cls("MessageVersion"), "MESSAGE_VERSION_V2");
        message.getClass().getMethod("setVersion", version.getClass().getSuperclass()).invoke(message, version);
        Class<?> config = Class.forName("org.apache.rocketmq.store.config.MessageStoreConfig");
        Class<?> encoders = Class.forName("org.apache.rocketmq.store.MessageExtEncoder");
        Object encoder = encoders.getConstructor(int.class, config).newInstance(4096, config.getConstructor().newInstance());
        Method encode = encoders.getDeclaredMethod("encode", message.getClass());
        encode.setAccessible(true);
        encode.invoke(encoder, message);
        java.nio.ByteBuffer out = (java.nio.ByteBuffer) encoders.getMethod("getEncoderBuffer").invoke(encoder);
        byte[] bytes = new byte[out.getInt(out.position())];
        out.get(bytes);
        return bytes;
    }

    static MessageExt message(String topic, String body, String born, String store) throws Exception {
        return fill(new MessageExt(), topic, body, born, store);
    }

    static MessageExt fill(MessageExt message, String topic, String body, String born, String store) throws Exception {
        message.setTopic(topic);
        message.setBody(utf8(body));
        message.setFlag(5);
        message.setQueueId(3);
        message.setQueueOffset(42);
        message.setCommitLogOffset(4096);
        message.setBodyCRC(UtilAll.crc32(message.getBody()));
        message.setBornTimestamp(1700000000000L);
        message.setStoreTimestamp(1700000000005L);
        message.setBornHost(new InetSocketAddress(InetAddress.getByName(born), 50000));
        message.setStoreHost(new InetSocketAddress(InetAddress.getByName(store), 10911));
        message.setReconsumeTimes(2);
        message.setPreparedTransactionOffset(99);
        message.setSysFlag((born.contains(":") ? 0x10 : 0) | (store.contains(":") ? 0x20 : 0));
        property(message, "TAGS", "TagA");
        property(message, "user", "\u6807\u7b7e");
        return message;
    }

    static void property(Message message, String name, String value) throws Exception {
        Method put = Message.class.getDeclaredMethod("putProperty", String.class, String.class);
        put.setAccessible(true);
        put.invoke(message, name, value);
    }

    /** As the producer compresses: the record's checksum is that of the compressed body. */
    static void compressed() throws Exception {
        byte[] plain = utf8("to be compressed ".repeat(40));
        write("record-zlib", MessageDecoder.encode(packed(UtilAll.compress(plain, 5), 0x301), false));
        write("record-zlib-untyped", MessageDecoder.encode(packed(UtilAll.compress(plain, 5), 0x001), false));
        if (!five) return;
        for (String kind : new String[] {"LZ4", "ZSTD"}) {
            Object type = build(cls("CompressionType"), kind);
            Object compressor = cls("CompressorFactory").getMethod("getCompressor", type.getClass()).invoke(null, type);
            byte[] body = (byte[]) cls("Compressor").getMethod("compress", byte[].class, int.class).invoke(compressor, plain, 5);
            write("record-" + kind.toLowerCase(), MessageDecoder.encode(packed(body, kind.equals("LZ4") ? 0x101 : 0x201), false));
        }
    }

    static MessageExt packed(byte[] body, int sysFlag) throws Exception {
        MessageExt message = message("TA", "", "127.0.0.1", "10.0.0.5");
        message.setBody(body);
        message.setBodyCRC(UtilAll.crc32(body));
        message.setSysFlag(sysFlag);
        return message;
    }

    static void batch() throws Exception {
        Message one = new Message("TA", "TagA", utf8("one"));
        Message two = new Message("TA", new byte[0]);
        two.setFlag(-7);
        property(two, "UNIQ_KEY", "7F0000010000");
        two.setWaitStoreMsgOK(true);
        write("batch-two", MessageDecoder.encodeMessages(Arrays.asList(one, two)));
        Map<String, String> properties = new LinkedHashMap<>();
        properties.put("KEYS", "k1 k2");
        properties.put("TAGS", "TagA");
        properties.put("user", "\u6807\u7b7e");
        write("properties-three", utf8(MessageDecoder.messageProperties2String(properties)));
        write("properties-none", utf8(MessageDecoder.messageProperties2String(new LinkedHashMap<>())));
    }

    // ---- texts

    static void texts() throws Exception {
        write("text-offset-id-v4", utf8(MessageDecoder.createMessageId(new InetSocketAddress(InetAddress.getByName("192.168.1.10"), 10911), 4096)));
        write("text-offset-id-v6", utf8(MessageDecoder.createMessageId(new InetSocketAddress(InetAddress.getByName("::1"), 10911), -1)));
        StringBuilder hashes = new StringBuilder();
        for (String tag : new String[] {"TagA", "*", "\u6807\u7b7e", "\ud83d\ude00", "polygenelubricants", " "}) hashes.append(tag).append('\t').append(tag.hashCode()).append('\n');
        write("text-tag-hashes", utf8(hashes.toString()));
        // What tools take out of a unique key; the key is ours, as Java's own holds the time and the process.
        String key = "0A000005123418B4AAC20A4CB87B000A";
        write("text-unique-key", utf8(key + '\t' + MessageClientIDSetter.getIPStrFromID(key) + '\t' + MessageClientIDSetter.getPidFromID(key) + '\n'));
        traces();
        if (five) write("text-recall-handle", utf8((String) cls("RecallMessageHandle$HandleV1").getMethod("buildHandle", String.class, String.class, String.class, String.class)
            .invoke(null, "TA", "broker-a", "1700000000000", "7F0000010000")));
    }

    static void traces() {
        write("text-trace-pub", trace(TraceType.Pub, 0));
        write("text-trace-sub-before", trace(TraceType.SubBefore, 0));
        write("text-trace-sub-after", trace(TraceType.SubAfter, 2));
        write("text-trace-end-transaction", trace(TraceType.EndTransaction, 0));
    }

    static byte[] trace(TraceType type, int contextCode) {
        TraceBean bean = new TraceBean();
        bean.setTopic("TA");
        bean.setMsgId("7F0000010000");
        bean.setOffsetMsgId("C0A8010A00002A9F0000000000001000");
        bean.setTags("TagA");
        bean.setKeys("k1 k2");
        bean.setStoreHost("10.0.0.5:10911");
        bean.setClientHost("10.0.0.6");
        bean.setBodyLength(5);
        bean.setRetryTimes(1);
        bean.setMsgType(type == TraceType.EndTransaction ? MessageType.Trans_msg_Commit : MessageType.Normal_Msg);
        bean.setTransactionId("tx");
        bean.setTransactionState(LocalTransactionState.COMMIT_MESSAGE);
        TraceContext context = new TraceContext();
        context.setAccessChannel(AccessChannel.LOCAL);
        context.setTraceType(type);
        context.setTimeStamp(1700000000000L);
        context.setRegionId("DefaultRegion");
        context.setGroupName("PG");
        context.setCostTime(7);
        context.setSuccess(true);
        context.setRequestId("REQ1");
        context.setContextCode(contextCode);
        context.setTraceBeans(List.of(bean));
        return utf8(TraceDataEncoder.encoderFromContextBean(context).getTransData());
    }

    // ---- JSON bodies: Class.bin, or Class.variant.bin

    static Map<Object, Object> broker() {
        return of("cluster", "DefaultCluster", "brokerName", "broker-a", "brokerAddrs",
            of(0L, "10.0.0.5:10911", 1L, "10.0.0.6:10911"), "?enableActingMaster", true, "?zoneName", "z1");
    }

    static Map<Object, Object> route() {
        Map<Object, Object> queue = of("brokerName", "broker-a", "readQueueNums", 8, "writeQueueNums", 4, "perm", 6, "topicSysFlag", 1);
        return of("orderTopicConf", "broker-a:4", "queueDatas", List.of(queue), "brokerDatas", List.of(broker()), "filterServerTable", of());
    }

    static void routes() throws Exception {
        body("TopicRouteData", "fastjson", route());
        Object route = build(cls("TopicRouteData"), of("queueDatas", List.of(), "brokerDatas", List.of(of("cluster",
            "\u6807", "brokerName", "broker-a", "brokerAddrs", of(0L, "10.0.0.5:10911"))), "filterServerTable", of()));
        write("TopicRouteData.standard", five ? standard5(route) : standard4(route));
        if (five) body("TopicRouteData", "static-topic", of("queueDatas", List.of(), "brokerDatas", List.of(), "filterServerTable", of(),
            "topicQueueMappingByBroker", of("broker-a", mapping())));
        body("ClusterInfo", null, of("brokerAddrTable", of("broker-a", broker()), "clusterAddrTable", of("DefaultCluster", List.of("broker-a"))));
        body("KVTable", null, of("table", of("brokerVersionDesc", "V5_4_0", "putTps", "0.5 0.25 \"q\" \\ \u0001\n")));
        body("TopicList", null, of("topicList", List.of("TA"), "brokerAddr", "10.0.0.5:10911"));
    }

    static Map<Object, Object> mapping() {
        return of("topic", "TA", "bname", "broker-a", "epoch", 5L, "dirty", false, "totalQueues", 8, "scope", "__global__",
            "currIdMap", of(0, 1, 1, 0));
    }

    /** The features the name server asks for when a client wants standard JSON. */
    static byte[] standard4(Object route) throws Exception {
        Class<?> feature = Class.forName("com.alibaba.fastjson.serializer.SerializerFeature");
        return features(route, feature, "BrowserCompatible", "QuoteFieldNames", "SkipTransientField", "MapSortField");
    }

    static byte[] standard5(Object route) throws Exception {
        Class<?> feature = Class.forName("com.alibaba.fastjson2.JSONWriter$Feature");
        return features(route, feature, "BrowserCompatible", "MapSortField");
    }

    static byte[] features(Object body, Class<?> feature, String... names) throws Exception {
        Object array = java.lang.reflect.Array.newInstance(feature, names.length);
        for (int i = 0; i < names.length; i++) java.lang.reflect.Array.set(array, i, build(feature, names[i]));
        return (byte[]) RemotingSerializable.class.getMethod("encode", array.getClass()).invoke(body, array);
    }

    static Map<Object, Object> subscription() {
        return of("topic", "TA", "subString", "TagA || TagB", "tagsSet", List.of("TagA", "TagB"), "codeSet", List.of(2598919, 2598920),
            "subVersion", 1700000000001L, "expressionType", "TAG");
    }

    static Map<Object, Object> connection() {
        return of("clientId", "10.0.0.6@1#2", "clientAddr", "10.0.0.6:50000", "language", "GO", "version", 317);
    }

    static void clients() throws Exception {
        Map<Object, Object> consumer = of("groupName", "CG", "consumeType", "CONSUME_PASSIVELY", "messageModel", "CLUSTERING",
            "consumeFromWhere", "CONSUME_FROM_FIRST_OFFSET", "subscriptionDataSet", List.of(subscription()), "unitMode", false);
        body("HeartbeatData", null, of("clientID", "10.0.0.6@1#2", "producerDataSet", List.of(of("groupName", "PG")),
            "consumerDataSet", List.of(consumer), "?heartbeatFingerprint", -77, "?withoutSub", false));
        body("SubscriptionData", null, subscription());
        body("SubscriptionData", "sql92", of("topic", "TA", "subString", "a > 1 and b = '\u6807'", "expressionType", "SQL92", "subVersion", 2L));
        body("ProducerConnection", null, of("connectionSet", List.of(connection())));
        body("ConsumerConnection", null, of("connectionSet", List.of(connection()), "subscriptionTable", of("TA", subscription()),
            "consumeType", "CONSUME_ACTIVELY", "messageModel", "BROADCASTING", "consumeFromWhere", "CONSUME_FROM_TIMESTAMP"));
        body("LockBatchRequestBody", null, of("consumerGroup", "CG", "clientId", "c1", "mqSet", List.of(queue(0), queue(1)), "?onlyThisBroker", true));
        body("LockBatchResponseBody", null, of("lockOKMQSet", List.of(queue(0))));
        body("GetConsumerListByGroupResponseBody", null, of("consumerIdList", List.of("c1", "c2")));
        body("ConsumeMessageDirectlyResult", null, of("order", true, "autoCommit", false, "consumeResult", "CR_THROW_EXCEPTION",
            "remark", "a\tb", "spentTimeMills", 12L));
        runningInfo();
    }

    static void runningInfo() throws Exception {
        Map<Object, Object> process = of("commitOffset", 1L, "cachedMsgMinOffset", 2L, "cachedMsgMaxOffset", 3L, "cachedMsgCount", 4,
            "cachedMsgSizeInMiB", 5, "transactionMsgMinOffset", 6L, "transactionMsgMaxOffset", 7L, "transactionMsgCount", 8,
            "locked", true, "tryUnlockTimes", 9L, "lastLockTimestamp", 10L, "droped", true, "lastPullTimestamp", 11L, "lastConsumeTimestamp", 12L);
        Map<Object, Object> status = of("pullRT", 1.5, "pullTPS", 0.0, "consumeRT", 1234567890.5, "consumeOKTPS", 1.0e-7,
            "consumeFailedTPS", 12.0, "consumeFailedMsgs", 13L);
        body("ConsumerRunningInfo", null, of("properties", of("PROP_CONSUME_TYPE", "CONSUME_PASSIVELY"), "subscriptionSet", List.of(subscription()),
            "mqTable", of(queue(0), process), "?mqPopTable", of(queue(1), of("waitAckCount", 3, "droped", false, "lastPopTimestamp", 14L)),
            "statusTable", of("TA", status), "jstack", "main\n\tat x"));
    }

    static Map<Object, Object> queue(int id) {
        return of("brokerName", "broker-a", "queueId", id, "topic", "TA");
    }

    static Map<Object, Object> version() {
        return of("counter", 7L, "?stateVersion", 3L, "timestamp", 1700000000002L);
    }

    static Map<Object, Object> topic(String name) {
        return of("topicName", name, "readQueueNums", 4, "writeQueueNums", 5, "perm", 6, "topicFilterType", "MULTI_TAG", "topicSysFlag", 2,
            "order", true, "?attributes", of("message.type", "FIFO"));
    }

    static void tables() throws Exception {
        Map<Object, Object> offsets = of(queue(0), 5L, queue(1), -1L);
        body("ConsumerOffsetSerializeWrapper", null, of("offsetTable", of("TA@CG", of(0, 12L, 1, 7L)), "?dataVersion", version()));
        body("ConsumeStats", null, of("offsetTable", of(queue(0), of("brokerOffset", 9L, "consumerOffset", 7L, "lastTimestamp", 1700000000003L,
            "?pullOffset", 8L)), "consumeTps", 0.7997600719784065));
        body("TopicStatsTable", null, of("offsetTable", of(queue(0), of("minOffset", 0L, "maxOffset", 9L, "lastUpdateTimestamp", 1700000000004L)),
            "?topicPutTps", 0.7));
        body("ResetOffsetBody", null, of("offsetTable", offsets));
        body("ResetOffsetBodyForC", null, of("offsetTable", List.of(of("topic", "TA", "brokerName", "broker-a", "queueId", 0, "offset", 5L))));
        body("GetConsumerStatusBody", null, of("messageQueueTable", offsets, "consumerTable", of("c1", of(queue(0), 5L))));
        body("QueryCorrectionOffsetBody", null, of("correctionOffsets", of(0, 3L, 1, 4L)));
        body("TopicConfigSerializeWrapper", null, of("topicConfigTable", of("TA", topic("TA"), "TB", topic("TB")), "dataVersion", version()));
    }

    static void groups() throws Exception {
        Map<Object, Object> group = of("groupName", "CG", "consumeEnable", true, "consumeFromMinEnable", false, "consumeBroadcastEnable", true,
            "?consumeMessageOrderly", true, "retryQueueNums", 2, "retryMaxTimes", 3, "brokerId", 0L, "whichBrokerWhenConsumeSlowly", 1L,
            "notifyConsumerIdsChangedEnable", true, "?groupSysFlag", 4, "?consumeTimeoutMinute", 30, "?groupRetryPolicy", of("type", "EXPONENTIAL",
            "exponentialRetryPolicy", of("initial", 1000L, "max", 7200000L, "multiplier", 3L)), "?subscriptionDataSet", List.of(of("topic", "TA",
            "expressionType", "TAG", "expression", "*", "version", 1L)), "?attributes", of("k", "v"));
        body("SubscriptionGroupConfig", null, group);
        body("SubscriptionGroupConfig", "default", of("groupName", "CG"));
        body("SubscriptionGroupWrapper", null, of("subscriptionGroupTable", of("CG", group), "dataVersion", version(),
            "?forbiddenTable", of("CG", of("TA", 1))));
    }

    static void registrations() throws Exception {
        Map<Object, Object> topics = of("topicConfigTable", of("TA", topic("TA")), "dataVersion", version(),
            "?topicQueueMappingInfoMap", of("TA", five ? mapping() : of()), "?mappingDataVersion", version());
        Object registration = build(cls("RegisterBrokerBody"), of("filterServerList", List.of(), "topicConfigSerializeWrapper", topics));
        Method encode = registration.getClass().getMethod("encode", boolean.class);
        write("register-plain", (byte[]) encode.invoke(registration, false));
        write("register-compressed", (byte[]) encode.invoke(registration, true));
    }

    static void pops() throws Exception {
        body("QueryAssignmentRequestBody", null, of("topic", "TA", "consumerGroup", "CG", "clientId", "c1", "strategyName", "AVG", "messageModel", "CLUSTERING"));
        body("QueryAssignmentResponseBody", null, of("messageQueueAssignments", List.of(of("messageQueue", queue(-1), "mode", "POP", "attachments", of("a", "b")))));
        body("SetMessageRequestModeRequestBody", null, of("topic", "TA", "consumerGroup", "CG", "mode", "POP", "popShareQueueNum", 2));
        body("BatchAckMessageRequestBody", null, of("brokerName", "broker-a", "acks", List.of(of("consumerGroup", "CG", "topic", "TA", "retry", "0",
            "startOffset", 40L, "queueId", 1, "reviveQueueId", 2, "popTime", 1700000000000L, "invisibleTime", 60000L, "bitSet", List.of(0, 3, 9)))));
    }

    static void body(String name, String variant, Map<Object, Object> members) throws Exception {
        Object body = build(cls(name), members);
        byte[] json = body instanceof RemotingSerializable ? ((RemotingSerializable) body).encode() : RemotingSerializable.encode(body);
        write(variant == null ? name : name + "." + variant, json);
    }

    // ---- values out of maps, lists and plain values, by the type of where they go

    static Object header(String name, Object... members) throws Exception {
        return build(cls(name), of(members));
    }

    static Map<Object, Object> of(Object... pairs) {
        Map<Object, Object> map = new LinkedHashMap<>();
        for (int i = 0; i < pairs.length; i += 2) map.put(pairs[i], pairs[i + 1]);
        return map;
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

    static Object build(Type type, Object value) throws Exception {
        Class<?> raw = (Class<?>) (type instanceof ParameterizedType ? ((ParameterizedType) type).getRawType() : type);
        if (value == null) return null;
        if (raw.isEnum()) return raw.getMethod("valueOf", String.class).invoke(null, value);
        if (raw == AtomicLong.class) return new AtomicLong((Long) value);
        if (raw == BitSet.class) return bits((List<?>) value);
        if (value instanceof List) return collection(raw, argument(type, 0), (List<?>) value);
        if (!(value instanceof Map)) return value;
        if (Map.class.isAssignableFrom(raw)) return map(raw, type, (Map<?, ?>) value);
        return bean(raw, (Map<?, ?>) value);
    }

    static Type argument(Type type, int at) {
        return type instanceof ParameterizedType ? ((ParameterizedType) type).getActualTypeArguments()[at] : String.class;
    }

    static BitSet bits(List<?> set) {
        BitSet bits = new BitSet();
        for (Object bit : set) bits.set((Integer) bit);
        return bits;
    }

    static Object collection(Class<?> raw, Type item, List<?> values) throws Exception {
        List<Object> list = new ArrayList<>();
        for (Object value : values) list.add(build(item, value));
        if (raw.isAssignableFrom(ArrayList.class)) return list;
        return raw.isAssignableFrom(LinkedHashSet.class) ? new LinkedHashSet<>(list) : new TreeSet<>(list);
    }

    @SuppressWarnings("unchecked")
    static Object map(Class<?> raw, Type type, Map<?, ?> entries) throws Exception {
        Map<Object, Object> map = (Map<Object, Object>) (Map<?, ?>) emptyMap(raw);
        for (Map.Entry<?, ?> entry : entries.entrySet()) map.put(build(argument(type, 0), entry.getKey()), build(argument(type, 1), entry.getValue()));
        return map;
    }

    static Map<?, ?> emptyMap(Class<?> raw) {
        if (raw == Properties.class) return new Properties();
        if (SortedMap.class.isAssignableFrom(raw)) return new TreeMap<>();
        if (raw == ConcurrentMap.class) return new ConcurrentSkipListMap<>();
        if (raw == ConcurrentHashMap.class) return new ConcurrentHashMap<>();
        return new LinkedHashMap<>();
    }

    static Object bean(Class<?> raw, Map<?, ?> members) throws Exception {
        java.lang.reflect.Constructor<?> only = raw.getConstructors()[0];
        if (raw.getConstructors().length == 1 && only.getParameterCount() == members.size()) return only.newInstance(members.values().toArray());
        Object bean = raw.getDeclaredConstructor().newInstance();
        for (Map.Entry<?, ?> member : members.entrySet()) {
            String name = (String) member.getKey();
            Method setter = setter(raw, name.replace("?", ""));
            if (setter != null) setter.invoke(bean, build(setter.getGenericParameterTypes()[0], member.getValue()));
            else if (!name.startsWith("?")) throw new NoSuchFieldException(raw + " has no " + name);
        }
        return bean;
    }

    static Method setter(Class<?> raw, String name) {
        for (Method method : raw.getMethods()) {
            if (method.getParameterCount() == 1 && method.getName().equalsIgnoreCase("set" + name)) return method;
        }
        return null;
    }

    static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    static void write(String name, byte[] bytes) {
        try {
            Files.write(folder.resolve(name + ".bin"), bytes);
        } catch (java.io.IOException broken) {
            throw new java.io.UncheckedIOException(broken);
        }
    }
}
