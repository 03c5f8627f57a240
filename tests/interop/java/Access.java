import java.util.*;
import org.apache.rocketmq.acl.common.*;
import org.apache.rocketmq.client.consumer.*;
import org.apache.rocketmq.client.consumer.rebalance.AllocateMessageQueueAveragely;
import org.apache.rocketmq.client.exception.*;
import org.apache.rocketmq.client.producer.*;
import org.apache.rocketmq.common.TopicConfig;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.*;
import org.apache.rocketmq.remoting.RPCHook;
import org.apache.rocketmq.tools.admin.DefaultMQAdminExt;

/** The users of tests/interop/acl on a broker with access control: Access NAMESRV. */
public class Access {
    static final RPCHook ADMIN = new AclClientRPCHook(new SessionCredentials("rocketmq-admin", "12345678-admin"));
    static final RPCHook USER = new AclClientRPCHook(new SessionCredentials("rocketmq-user", "12345678-user"));
    static final RPCHook FORGED = new AclClientRPCHook(new SessionCredentials("rocketmq-user", "12345678-wrong"));
    static final Map<String, Capabilities.Check> ALL = new LinkedHashMap<>();
    static String namesrv;

    public static void main(String[] args) throws Exception {
        namesrv = args[0];
        ALL.put("acl_send", Access::send);
        ALL.put("acl_strangers", Access::strangers);
        ALL.put("acl_consume", Access::consume);
        ALL.put("acl_administer", Access::administer);
        Harness.run(ALL, Arrays.asList(args).subList(1, args.length), () -> { });
    }

    static DefaultMQProducer producer(RPCHook hook) throws Exception {
        DefaultMQProducer p = new DefaultMQProducer("acl-producers-" + UUID.randomUUID(), hook);
        p.setInstanceName(UUID.randomUUID().toString());
        p.setNamesrvAddr(namesrv);
        p.setRetryTimesWhenSendFailed(0);
        p.setSendMsgTimeout(10000);
        p.start();
        return p;
    }

    /** Code 16 of 5.x, or the exception of 4.x; the producer wraps it. */
    static void refused(DefaultMQProducer p, String topic) throws Exception {
        try {
            p.send(new Message(topic, Harness.bytes("42")));
        } catch (MQClientException | MQBrokerException e) {
            Throwable cause = e instanceof MQBrokerException ? e : e.getCause();
            Harness.that(cause instanceof MQBrokerException, e.toString());
            MQBrokerException refusal = (MQBrokerException) cause;
            Harness.that(refusal.getResponseCode() == 16 || refusal.getErrorMessage().contains("AclException"), e.toString());
            return;
        }
        throw new AssertionError(topic + " took the message");
    }

    static void send() throws Exception {
        DefaultMQProducer p = producer(USER);
        p.send(new Message("acl-open", Harness.bytes("42")));
        p.send(Arrays.asList(new Message("acl-pub", Harness.bytes("1")), new Message("acl-pub", Harness.bytes("2"))));
        refused(p, "acl-sub");
        p.shutdown();
    }

    static void strangers() throws Exception {
        for (RPCHook hook : new RPCHook[] {FORGED, null}) {
            DefaultMQProducer p = producer(hook);
            refused(p, "acl-open");
            p.shutdown();
        }
    }

    static void consume() throws Exception {
        DefaultMQProducer p = producer(USER);
        p.send(new Message("acl-open", Harness.bytes("43")));
        DefaultMQPushConsumer c = new DefaultMQPushConsumer("acl-readers-" + UUID.randomUUID(), USER, new AllocateMessageQueueAveragely());
        c.setInstanceName(UUID.randomUUID().toString());
        c.setNamesrvAddr(namesrv);
        c.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        c.subscribe("acl-open", "*");
        Harness.collect(c, 1, 30);
        p.shutdown();
    }

    static void administer() throws Exception {
        DefaultMQAdminExt user = admin(USER), admin = admin(ADMIN);
        String broker = Harness.brokerAddr(admin);
        admin.createAndUpdateTopicConfig(broker, new TopicConfig("acl-made", 1, 1, 6));
        try {
            user.createAndUpdateTopicConfig(broker, new TopicConfig("acl-new", 1, 1, 6));
            throw new AssertionError("anyone makes topics");
        } catch (MQClientException | MQBrokerException e) {
            Harness.that(e.toString().contains("permission"), e.toString());
        }
        user.shutdown();
        admin.shutdown();
    }

    static DefaultMQAdminExt admin(RPCHook hook) throws Exception {
        DefaultMQAdminExt admin = new DefaultMQAdminExt(hook);
        admin.setInstanceName(UUID.randomUUID().toString());
        admin.setNamesrvAddr(namesrv);
        admin.start();
        return admin;
    }
}
