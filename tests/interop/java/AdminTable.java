import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.util.*;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.rocketmq.common.MQVersion;

/** The commands that Admin runs, in this order, and what each has to say. Names in braces are Admin's. */
final class AdminTable {
    /** From which version of the tools on a row exists; one that only 4.x has is below 0. */
    private static final int ONLY_V4 = -4, V4 = 4, V5 = 5;
    private static List<Row> rows;
    private static List<List<Row>> chains = new ArrayList<>();

    static final class Row {
        private final int since;
        private final String line;
        private final String[] expected;
        private boolean endless, later;
        private String folder;

        Row(int since, String line, String... expected) { this.since = since; this.line = line; this.expected = expected; }

        Row forever() { endless = true; return this; }
        /** Statistics are sampled every 10 s. */
        Row later() { later = true; return this; }
        Row writes(String folder) { this.folder = folder; return this; }

        boolean endless() { return endless; }
        boolean comesLater() { return later; }
        String name() { return line.split(" ")[0]; }
        boolean exists() { int major = MQVersion.getVersionDesc(MQVersion.CURRENT_VERSION).charAt(1) - '0'; return since < 0 ? major == -since : major >= since; }
        String[] args() { return Stream.of(Admin.fill(line + (line.contains(" -n ") ? "" : " -n {ns}")).split(" ")).map(a -> a.replace('~', ' ')).toArray(String[]::new); }

        /** The first thing expected that a command did not say. */
        String missingFrom(String said) {
            for (String one : expected) {
                boolean unwanted = one.startsWith("!");
                String pattern = Admin.fill(unwanted ? one.substring(1) : one);
                if (Pattern.compile(pattern, Pattern.MULTILINE).matcher(said).find() == unwanted) return one + "; it says: " + said.substring(0, Math.min(1500, said.length()));
            }
            return null;
        }

        /** The files a command was told to write. */
        String files() throws IOException {
            if (folder == null || !Files.exists(Paths.get(Admin.fill(folder)))) return "";
            try (Stream<Path> all = Files.walk(Paths.get(Admin.fill(folder)))) {
                StringBuilder text = new StringBuilder();
                for (Path p : all.filter(Files::isRegularFile).sorted().collect(Collectors.toList())) text.append(p.getFileName()).append(' ').append(new String(Files.readAllBytes(p), StandardCharsets.UTF_8)).append('\n');
                return text.toString();
            }
        }

        @Override public String toString() { return Admin.fill(line); }
    }

    private static Row row(int since, String line, String... expected) {
        Row row = new Row(since, line, expected);
        rows.add(row);
        return row;
    }

    private static void chain(Runnable listing) {
        rows = new ArrayList<>();
        listing.run();
        chains.add(rows);
    }

    private static List<List<Row>> each(Runnable listing) {
        rows = new ArrayList<>();
        listing.run();
        return rows.stream().map(Collections::singletonList).collect(Collectors.toList());
    }

    static List<List<List<Row>>> stages() {
        List<List<List<Row>>> stages = new ArrayList<>(Arrays.asList(each(AdminTable::reads), each(AdminTable::messages)));
        for (Runnable listing : new Runnable[] {AdminTable::topics, AdminTable::groups, AdminTable::kv, AdminTable::configs, AdminTable::offsets, AdminTable::cleaning, AdminTable::foreign, AdminTable::staticTopics}) chain(listing);
        stages.add(chains);
        stages.add(each(AdminTable::deletions));
        chains = new ArrayList<>();
        chain(AdminTable::permissions);
        stages.add(chains);
        return stages;
    }

    private static void reads() {
        row(V4, "clusterList", "^#Cluster Name +#Broker Name +#BID +#Addr +#Version", "^DefaultCluster +{brokerName} +0 +{broker} +V\\d_\\d_\\d+ +[\\d.]+\\(0,0ms");
        row(V4, "clusterList -m", "^#Cluster Name +#Broker Name +#InTotalYest", "^DefaultCluster +{brokerName} +0 +0 +[1-9]\\d* +[1-9]\\d*$");
        row(V5, "clusterList -c DefaultCluster", "^DefaultCluster +{brokerName} ");
        row(V4, "topicList", "^{topic}$", "^%RETRY%{group}$", "^%DLQ%{group}$", "^TBW102$", "^DefaultCluster$", "^{brokerName}$", "^BenchmarkTest$", "^SELF_TEST_TOPIC$", "^OFFSET_MOVED_EVENT$", "^SCHEDULE_TOPIC_XXXX$", "^RMQ_SYS_TRANS_HALF_TOPIC$", "^RMQ_SYS_TRACE_TOPIC$", "^DefaultCluster_REPLY_TOPIC$");
        row(V4, "topicList -c", "^#Cluster Name +#Topic +#Consumer Group *$", "^DefaultCluster +{topic} +{group}");
        row(V4, "topicRoute -t {topic}", "\"brokerName\":\"{brokerName}\"", "\"perm\":6", "\"readQueueNums\":2", "0:\"{broker}\"");
        row(V4, "topicRoute -t {topic} -l", "^#ClusterName +#BrokerName +#BrokerAddrs +#ReadQueue +#WriteQueue +#Perm", "^DefaultCluster +{brokerName} +\\{0={broker}\\} +2 +2 +6", "^Total: +1 +2 +2");
        row(V4, "topicRoute -t {topic}_no", "CODE: 17  DESC: No topic route info in name server for the topic: {topic}_no");
        row(V4, "topicStatus -t {topic}", "^#Broker Name +#QID +#Min Offset +#Max Offset +#Last Updated$", "^{brokerName} +0 +0 +\\d+ +\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d,\\d{3}$", "^{brokerName} +1 +0 +\\d+ +\\d{4}-");
        row(V4, "topicStatus -t DefaultCluster", "^{brokerName} +15 +0 +0 +$");
        row(V4, "topicClusterList -t {topic}", "^DefaultCluster$");
        row(V4, "brokerStatus -b {broker}", "^brokerVersionDesc +: V\\d", "^bootTimestamp +: \\d{13}$", "^msgPutTotalTodayNow +: [1-9]", "^msgGetTotalTodayNow +: [1-9]", "^putTps +: [\\d.]+", "^getTotalTps +: [\\d.]+ [\\d.]+ [\\d.]+", "^commitLogMaxOffset +: [1-9]", "^commitLogMinOffset +: 0", "^commitLogDiskRatio +: 0\\.\\d{1,2}$", "^commitLogDirCapacity +: Total : .*, Free : ", "^earliestMessageTimeStamp +: \\d{13}$", "^putMessageTimesTotal +: [1-9]", "^sendThreadPoolQueueSize +: 0", "^dispatchBehindBytes +: 0", "^runtime +: \\[ 0 days");
        row(V4, "brokerStatus -c DefaultCluster", "^{broker} +brokerVersionDesc +: V\\d");
        row(V4, "brokerConsumeStats -b {broker}", "^#Topic +#Group +#Broker Name +#QID +#Broker Offset +#Consumer Offset +#Diff +#LastTime$", "^{topic} +{group} +{brokerName} +[01] +\\d+ +\\d+ +\\d+ +\\d{4}-", "^Diff Total: \\d+$");
        row(V4, "consumerProgress", "^#Group +#Count +#Version +#Type +#Model +#TPS +#Diff Total$", "^{group} +1 +V\\d_\\d_\\d+ +PUSH +CLUSTERING +\\d+ +\\d+$");
        row(V4, "consumerProgress -g {group}", "^#Topic +#Broker Name +#QID +#Broker Offset +#Consumer Offset +#Diff ", "^{topic} +{brokerName} +0 +\\d+ +\\d+ +\\d+ ", "TPS: [\\d.]+$", "Diff Total: \\d+$");
        row(V5, "consumerProgress -g {group} -t {topic} -s true", "#Client IP", "^{topic} +{brokerName} +0 +\\d+ +\\d+ +(\\d+\\.){3}\\d+ ");
        row(V4, "consumerStatus -g {group}", "^#Index +#ClientId +#Version +#ConsumerRunningInfoFile$", "^1 +{client} +V\\d", "^Same subscription in the same group of consumer", "^Rebalance OK");
        row(V4, "consumerStatus -g {group} -i {client} -s", "^#Consumer Properties#", "^#Consumer Subscription#", "^#Consumer Offset#", "^#Consumer MQ Detail#", "^{topic} +{brokerName} +0", "^#Consumer RT&TPS#", "ConsumeMessageThread_");
        row(V4, "consumerConnection -g {group}", "^#ClientId +#ClientAddr +#Language +#Version$", "^{client} +127.0.0.1:\\d+ +JAVA +V\\d", "^{topic} +\\*$", "^%RETRY%{group} +\\*$", "^ConsumeType: CONSUME_PASSIVELY$", "^MessageModel: CLUSTERING$", "^ConsumeFromWhere: CONSUME_FROM_FIRST_OFFSET$");
        row(V4, "consumerConnection -g {group}_no", "CODE: 17  DESC: No topic route info in name server for the topic: %RETRY%{group}_no");
        row(V4, "producerConnection -g {producers} -t {topic}", "^0001 +\\S+ +127.0.0.1:\\d+ +JAVA +V\\d");
        row(V4, "producer -b {broker}", "^producer group \\({producers}\\) instance : clientId=\\S+,remoteIP=/127.0.0.1:\\d+, language=JAVA, version=\\d+, lastUpdateTimestamp=\\d{13}$");
        row(V4, "statsAll", "^#Topic +#Consumer Group +#Accumulation +#InTPS +#OutTPS +#InMsg24Hour +#OutMsg24Hour$", "^{topic} +{group} +\\d+ +[\\d.]+ +[\\d.]+ +\\d+ +\\d+$", "^BenchmarkTest .*NO_CONSUMER$");
        row(V4, "statsAll -a -t {topic}", "^{topic} +{group} +\\d+ +[\\d.]+ +[\\d.]+ +[1-9]\\d* +[1-9]\\d*$").later();
        row(V4, "getBrokerConfig -b {broker}", "^=+{broker}=+$", "^brokerName +=  {brokerName}$", "^flushDiskType +=  ASYNC_FLUSH$", "^fileReservedTime +=  72$");
        row(V4, "getBrokerConfig -c DefaultCluster", "^=+Master: {broker}=+$", "^brokerName +=  {brokerName}$");
        row(V4, "getNamesrvConfig", "^=+{ns}=+$", "^kvConfigPath +=  ");
        row(V4, "getConsumerConfig -g {group}", "^=+DefaultCluster:{brokerName}=+$", "^groupName +=  {group}$", "^retryMaxTimes +=  16$", "^retryQueueNums +=  1$");
        row(V4, "allocateMQ -t {topic} -i 10.0.0.1,10.0.0.2", "\"10.0.0.1\":\\[\\s*\\{", "\"10.0.0.2\":\\[\\s*\\{");
        row(V4, "queryCq -t {topic} -q 0 -i 0 -c 4 -b {broker} -g {group}", "^Subscription data:", "\"subString\":\"\\*\"", "^Filter data:", "^Queue data:", "^max: \\d+, min: 0", "^idx: 0$", "eval=false");
        row(V5, "haStatus -b {broker}", "^#MasterAddr\\s+{broker}$", "^#MasterCommitLogMaxOffset\\s+[1-9]", "^#SlaveNum\\s+0$", "^#InSyncSlaveNum\\s+0$");
        row(V5, "haStatus -c DefaultCluster", "^#MasterAddr\\s+{broker}$");
        row(V5, "getBrokerEpoch -b {brokerName}", "CODE: 1  DESC: this request only for controllerMode");
        row(V5, "getColdDataFlowCtrInfo -b {broker}", "\"runtimeTable\":\\{", "\"cgColdReadThreshold\":3145728", "\"globalColdReadThreshold\":104857600");
        row(V5, "getSyncStateSet -a 127.0.0.1:1 -b {brokerName}", "connect to \\S+ failed");
        row(V5, "getControllerMetaData -a {ns}", "CODE: 3  DESC: .*1005");
        row(V5, "getControllerConfig -a {ns}", "CODE: 3  DESC: .*1010");
        row(V5, "exportPopRecord -b {broker}", "^Export broker records, brokerName={brokerName}");
        row(V5, "exportPopRecord -b {broker} -d true", "^Export broker records, brokerName={brokerName}");
        row(V5, "rocksDBConfigToJson -t topics -n {ns} -b {broker} -j rpc", "!CODE: 3 ");
        row(V5, "checkRocksdbCqWriteProgress -c DefaultCluster -n {ns}", "check doing|this broker keeps its consume queues in files");
        row(V4, "exportMetadata -c DefaultCluster -f {folder}/metadata", "^export .*metadata.json success", "\"topicConfigTable\":\\{", "\"{topic}\":\\{", "\"subscriptionGroupTable\":\\{").writes("{folder}/metadata");
        row(V4, "exportMetadata -b {broker} -t -f {folder}/metadata-t", "^export .*topic.json success", "\"{topic}\":\\{").writes("{folder}/metadata-t");
        row(V4, "exportMetadata -b {broker} -g -f {folder}/metadata-g", "^export .*subscriptionGroup.json success", "\"{group}\":\\{").writes("{folder}/metadata-g");
        row(V4, "exportConfigs -c DefaultCluster -f {folder}/configs", "^export .*configs.json success", "\"masterBrokerSize\":1", "\"namesrvSize\":1", "\"flushDiskType\":\"ASYNC_FLUSH\"").writes("{folder}/configs");
        row(V4, "exportMetrics -c DefaultCluster -f {folder}/metrics", "^export .*metrics.json success", "\"totalOneDayNum\":\\{", "\"{brokerName}\":\\{", "\"fromPutTps\"|\"inTps\"|\"runtimeQuota\"").writes("{folder}/metrics");
    }

    /** Commands that keep a client in a field (brokerConsumeStats, queryMsgByUniqueKey, sendMessage, consumeMessage) shut it down: one row each. */
    private static void messages() {
        row(V5, "queryMsgById -t {topic} -i {offsetId}", "^OffsetID: +{offsetId}$", "^Topic: +{topic}$", "^Tags: +\\[TagA\\]$", "^Keys: +\\[key0\\]$", "^Queue ID: +0$", "^Queue Offset: +0$", "^Reconsume Times: +0$", "^System Flag: +0$", "^Born Host: +127.0.0.1:", "^Store Host: +{broker}$", "UNIQ_KEY={id}", "^MessageTrack \\[consumerGroup={group}, trackType=CONSUMED, exceptionDesc=null\\]$");
        row(V5, "queryMsgById -t {topic} -i {id}", "^Topic: +{topic}$", "^Keys: +\\[key0\\]$");
        row(V5, "queryMsgById -t {topic} -i {offsetId} -g {group} -d {client}", "ConsumeMessageDirectlyResult \\[.*consumeResult=CR_SUCCESS");
        row(V5, "queryMsgById -t {topic} -i {offsetId} -s true", "prepare resend msg", "sendStatus=SEND_OK");
        row(ONLY_V4, "queryMsgById -i {offsetId}", "^OffsetID: +{offsetId}$", "^Topic: +{topic}$", "^Tags: +\\[TagA\\]$", "^Keys: +\\[key0\\]$", "^Store Host: +{broker}$", "UNIQ_KEY={id}", "^MessageTrack \\[consumerGroup={group}, trackType=CONSUMED, exceptionDesc=null\\]$");
        row(ONLY_V4, "queryMsgById -i {offsetId} -g {group} -d {client}", "ConsumeMessageDirectlyResult \\[.*consumeResult=CR_SUCCESS");
        row(ONLY_V4, "queryMsgById -i {offsetId} -s true", "prepare resend msg", "sendStatus=SEND_OK");
        row(V4, "queryMsgByKey -t {topic} -k key1", "^#Message ID +#QID +#Offset", "^[0-9A-F]{32,} +1 +0( |$)");
        row(V4, "queryMsgByUniqueKey -t {topic} -i {id}", "^Topic: +{topic}$", "^Keys: +\\[key0\\]$", "^Queue Offset: +0$");
        row(V4, "queryMsgByOffset -t {topic} -b {brokerName} -i 0 -o 0", "^OffsetID: +{offsetId}$", "^Keys: +\\[key0\\]$");
        row(V4, "queryMsgTraceById -i {tracedId}", "^#Type +#ProducerGroup +#ClientHost +#SendTime +#CostTimes +#Status *$", "^Pub +{producers}_traced .*success");
        row(V4, "printMsg -t {topic} -d true", "^minOffset=0, maxOffset=\\d+, MessageQueue \\[topic={topic}, brokerName={brokerName}, queueId=0\\]", "MSGID: {id} .*BODY: body 0");
        row(V4, "printMsg -t {topic} -s TagA", "MSGID: {id}");
        row(V4, "printMsgByQueue -t {topic} -a {brokerName} -i 0 -p true -d true -f true", "^Tag: TagA +Count: \\d+$");
        row(V4, "consumeMessage -t {topic} -b {brokerName} -i 0 -o 0 -c 2", "^Consume ok", "MSGID: {id}");
        row(V4, "printMsg -t %DLQ%{group} -d true", "minOffset=0, maxOffset=1", "RETRY_TOPIC={topic}|BODY: body 7");
        row(V4, "checkMsgSendRT -t {topic} -a 3 -s 16", "^#Broker Name +#QID +#Send Result +#RT", "^{brokerName} +[01] +true +\\d+", "^Avg RT: [\\d.]+");
        row(V4, "sendMsgStatus -b {brokerName} -s 16 -c 3", "^rt=\\d+ms, SendResult=SendResult \\[sendStatus=SEND_OK.*topic={brokerName}, brokerName={brokerName}");
        row(V4, "sendMessage -t {topic} -p hello -k mykey -c TagB", "^#Broker Name +#QID +#Send Result +#MsgId", "^{brokerName} +[01] +SEND_OK +[0-9A-F]{32,}$");
    }

    private static void topics() {
        row(V4, "updateTopic -b {broker} -t {other} -r 4 -w 4", "^create topic to {broker} success.", "topicName={other}, readQueueNums=4, writeQueueNums=4, perm=RW-");
        row(V4, "updateTopic -c DefaultCluster -t {other} -r 6 -w 6 -o true", "^create topic to {broker} success.", "set cluster orderConf. isOrder=true, orderConf=\\[{brokerName}:6\\]", "order=true");
        row(V5, "updateTopic -b {broker} -t {other} -a +message.type=FIFO", "^create topic to {broker} success.");
        row(V4, "updateTopic -b {broker} -t TBW102", "CODE: |conflict|success");
        row(V4, "updateTopicPerm -b {broker} -t {other} -p 4", "^update topic perm from 6 to 4 in {broker} success.");
        row(V4, "updateTopicPerm -c DefaultCluster -t {other} -p 6", "^update topic perm from 4 to 6 in {broker} success.");
        row(V5, "updateTopicList -b {broker} -f {folder}/topics.json", "^submit batch of topic config to {broker} success");
        row(V4, "updateOrderConf -t {other} -m put -v {brokerName}:4", "^update orderConf success. topic=\\[{other}\\], orderConf=\\[{brokerName}:4\\]");
        row(V4, "updateOrderConf -t {other} -m get", "^get orderConf success. topic=\\[{other}\\], orderConf=\\[{brokerName}:4\\]");
        row(V4, "updateOrderConf -t {other} -m delete", "^delete orderConf success. topic=\\[{other}\\]");
    }

    private static void groups() {
        row(V4, "updateSubGroup -b {broker} -g {other} -r 5 -q 2", "^create subscription group to {broker} success.", "groupName={other}, .*retryQueueNums=2, retryMaxTimes=5");
        row(V4, "updateSubGroup -c DefaultCluster -g {other}", "^create subscription group to {broker} success.");
        row(V5, "updateSubGroupList -b {broker} -f {folder}/groups.json", "^submit batch of .*group config to {broker} success");
        row(V4, "getConsumerConfig -g {other}", "^groupName +=  {other}$", "^retryMaxTimes +=  16$");
        row(V5, "setConsumeMode -b {broker} -t {other} -g {group} -m POP -q 4", "set consume mode to {broker} success");
        row(V5, "setConsumeMode -c DefaultCluster -t {other} -g {group} -m PULL", "set consume mode to {broker} success");
    }

    private static void kv() {
        row(V4, "updateKvConfig -s NS -k key -v value", "^create or update kv config to namespace success.");
        row(V4, "deleteKvConfig -s NS -k key", "^delete kv config from namespace success.");
        row(V4, "updateNamesrvConfig -k waitSecondsForService -v 46", "^update name server config success!", "^waitSecondsForService : 46");
        row(V4, "updateNamesrvConfig -k configStorePath -v /tmp/x", "CODE: 16 |success");
        row(V4, "getNamesrvConfig", "^waitSecondsForService +=  46$");
    }

    private static void configs() {
        row(V4, "updateBrokerConfig -b {broker} -k maxMsgsNumBatch -v 65", "^update broker config success, {broker}");
        row(V4, "getBrokerConfig -b {broker}", "^maxMsgsNumBatch +=  65$");
        row(V4, "updateBrokerConfig -c DefaultCluster -k maxMsgsNumBatch -v 64", "^update broker config success, {broker}");
        row(V4, "updateBrokerConfig -b {broker} -k flushDiskType -v SYNC_FLUSH", "^update broker config success, {broker}");
        row(V4, "updateBrokerConfig -b {broker} -k flushDiskType -v ASYNC_FLUSH", "^update broker config success, {broker}");
        row(V4, "updateBrokerConfig -b {broker} -k brokerConfigPath -v /tmp/x", "CODE: 16  DESC: Can not update config in black list.|success");
        row(V4, "updateBrokerConfig -b {broker} -k noSuchKey -v 1", "unknown setting `noSuchKey`|success");
        row(V4, "updateBrokerConfig -b {broker} -k sendMessageThreadPoolNums -v 8", "`sendMessageThreadPoolNums` has no effect|success");
        row(V4, "updateBrokerConfig -b {broker} -k brokerPermission -v 999", "`brokerPermission` is \"999\", but must be|brokerPermission value: 999 is invalid|success");
        row(V4, "updateBrokerConfig -b {broker} -k brokerPermission -v 6", "^update broker config success, {broker}");
        row(V4, "updateBrokerConfig -b {broker} -k maxMsgsNumBatch -v words", "`maxMsgsNumBatch` is \"words\", but must be|success");
        row(V4, "getBrokerConfig -b {broker}", "^maxMsgsNumBatch +=  64$", "^flushDiskType +=  ASYNC_FLUSH$");
    }

    private static void offsets() {
        row(V4, "updateSubGroup -b {broker} -g {copies}", "^create subscription group to {broker} success.");
        row(V4, "cloneGroupOffset -s {group} -d {copies} -t {topic} -o true", "^clone group offset success. srcGroup\\[{group}\\], destGroup=\\[{copies}\\], topic\\[{topic}\\]");
        row(V5, "consumerProgress -g {copies} -t {topic}", "^{topic} +{brokerName} +0 +\\d+ +[1-9]\\d* +\\d+ ");
        // A group that nobody made: 5.x refuses to reset it.
        row(-V4, "cloneGroupOffset -s {group} -d {copies}_new -t {topic} -o true", "^clone group offset success.");
        row(-V4, "resetOffsetByTime -g {copies}_new -t {topic} -s now", "^{brokerName} +[01] +[1-9]\\d*");
        row(V4, "resetOffsetByTime -g {group} -t {topic} -s -1", "^#brokerName +#queueId +#offset", "^{brokerName} +0 +\\d+");
        row(V4, "resetOffsetByTime -g {group} -t {topic} -s now", "timestamp\\(string\\)\\[now\\]", "^{brokerName} +[01] +[1-9]\\d*");
        row(V5, "resetOffsetByTime -g {group} -t {topic} -s now -b {brokerName} -q 0 -o 2", "^reset consumer offset to 2");
        row(V4, "resetOffsetByTime -g {copies} -t {topic} -s now", "^{brokerName} +[01] +[1-9]\\d*");
        row(V4, "skipAccumulatedMessage -g {group} -t {topic} -f true", "^{brokerName} +[01] +[1-9]\\d*");
        row(V4, "skipAccumulatedMessage -g {copies} -t {topic} -f true", "^{brokerName} +[01] +[1-9]\\d*");
    }

    private static void cleaning() {
        row(V4, "cleanExpiredCQ -b {broker}", "^success");
        row(V4, "cleanExpiredCQ -c DefaultCluster", "^success");
        row(V4, "cleanUnusedTopic -b {broker}", "^success");
        row(V4, "deleteExpiredCommitLog -b {broker}", "^success");
    }

    private static void foreign() {
        row(V5, "updateColdDataFlowCtrGroupConfig -b {broker} -g {group} -v 1000", "success|this broker does not limit cold reads");
        row(V5, "removeColdDataFlowCtrGroupConfig -b {broker} -g {group}", "success|this broker does not limit cold reads");
        row(V5, "setCommitLogReadAheadMode -b {broker} -m 0", "success|this broker maps no files");
        row(V5, "resetMasterFlushOffset -b {broker} -o 0", "success|this broker\'s master does not tell");
        row(V5, "switchTimerEngine -b {broker} -e F", "success|this broker has one timer engine");
        row(V5, "addBroker -c {broker} -b /tmp/none.conf", "CODE: 3 |Exception");
        row(V5, "removeBroker -c {broker} -b DefaultCluster:{brokerName}:1", "CODE: 3 |Exception");
    }

    private static void staticTopics() {
        row(V5, "updateStaticTopic -c DefaultCluster -t {other}_static -qn 4", "^The old mapping data is written to file", "The new mapping data is written to file|this broker serves no static topics");
    }

    private static void deletions() {
        row(V4, "deleteSubGroup -b {broker} -g {copies} -r true", "^delete subscription group \\[{copies}\\] from broker \\[{broker}\\] success.");
        row(V4, "deleteSubGroup -c DefaultCluster -g {other}", "^delete subscription group \\[{other}\\] from broker \\[{broker}\\] in cluster \\[DefaultCluster\\] success.");
        row(V4, "deleteTopic -c DefaultCluster -t {other}", "^delete topic \\[{other}\\] from cluster \\[DefaultCluster\\] success.", "^delete topic \\[{other}\\] from NameServer success.");
    }

    /** Last, as every topic of the broker is closed meanwhile. */
    private static void permissions() {
        row(V4, "wipeWritePerm -b {brokerName}", "^wipe write perm of broker\\[{brokerName}\\] in name server\\[{ns}\\] OK, [1-9]\\d*");
        row(V4, "topicRoute -t {topic} -l", "^DefaultCluster +{brokerName} +\\{0={broker}\\} +2 +2 +4");
        row(V4, "addWritePerm -b {brokerName}", "^add write perm of broker\\[{brokerName}\\] in name server\\[{ns}\\] OK, [1-9]\\d*");
        row(V4, "topicRoute -t {topic} -l", "^#ClusterName +#BrokerName +#BrokerAddrs +#ReadQueue +#WriteQueue +#Perm", "^DefaultCluster +{brokerName} +\\{0={broker}\\} +2 +2 +6", "^Total: +1 +2 +2");
        row(V4, "clusterRT -a 1 -s 16 -i 1", "DefaultCluster").forever();
    }
}
