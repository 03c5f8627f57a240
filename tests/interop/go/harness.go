// The Go client against the name server given as first argument, capability by capability: a verdict each, then
// "N passed, N failed". Further arguments choose capabilities. The exit status is how many failed.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	rocketmq "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
	"github.com/apache/rocketmq-client-go/v2/rlog"
)

// What takes longer on loopback does not happen at all.
const patience = 60 * time.Second

var (
	servers primitive.NamesrvAddr
	run     = fmt.Sprintf("go-%x-%d", time.Now().UnixMilli(), os.Getpid())
)

// A topic or group that no other capability uses, nor an earlier run on the same cluster.
func own(capability string) string { return run + "-" + capability }

type capability struct {
	name  string
	shown func(topic string) error
}

func main() {
	rlog.SetLogLevel("fatal")
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: interop NAMESERVER [CAPABILITY ...]")
		os.Exit(2)
	}
	servers = strings.Split(os.Args[1], ";")
	var chosen []capability
	for _, each := range capabilities {
		if len(os.Args) == 2 || contains(os.Args[2:], each.name) {
			chosen = append(chosen, each)
		}
	}
	os.Exit(report(chosen))
}

// Several at once: most of their time is waiting for the broker.
func report(chosen []capability) int {
	var all sync.WaitGroup
	turns := make(chan struct{}, 8)
	verdicts := make([]error, len(chosen))
	for i, each := range chosen {
		all.Add(1)
		go func() {
			defer all.Done()
			turns <- struct{}{}
			defer func() { <-turns }()
			verdicts[i] = shown(each)
		}()
	}
	all.Wait()
	failed := 0
	for i, each := range chosen {
		if verdicts[i] == nil {
			fmt.Printf("%-24s ok\n", each.name)
			continue
		}
		failed++
		fmt.Printf("%-24s FAILED: %v\n", each.name, verdicts[i])
	}
	fmt.Printf("%d passed, %d failed\n", len(chosen)-failed, failed)
	return failed
}

// One that fails is tried again in a topic of its own: Apache's broker drops requests while it warms up.
func shown(each capability) error {
	first := tried(each, own(each.name))
	if first == nil {
		return nil
	}
	second := tried(each, own(each.name)+"-again")
	if second == nil {
		fmt.Printf("%-24s not at first: %v\n", each.name, first)
	}
	return second
}

func tried(each capability, topic string) (verdict error) {
	defer func() {
		if cause := recover(); cause != nil {
			verdict = fmt.Errorf("panic: %v", cause)
		}
	}()
	return each.shown(topic)
}

func contains(all []string, one string) bool {
	for _, each := range all {
		if each == one {
			return true
		}
	}
	return false
}

var producers atomic.Int32

// The client allows a group once in a process, and shares connections by instance name; each producer has its own.
func newProducer(topic string) (rocketmq.Producer, error) {
	name := fmt.Sprintf("p-%s-%d", topic, producers.Add(1))
	p, err := rocketmq.NewProducer(producer.WithNameServer(servers), producer.WithGroupName(name),
		producer.WithInstanceName(name), producer.WithQueueSelector(byShardingKey{producer.NewRoundRobinQueueSelector()}))
	if err != nil {
		return nil, err
	}
	return p, p.Start()
}

// Messages with a sharding key go by its hash, others in turn.
type byShardingKey struct{ inTurn producer.QueueSelector }

func (s byShardingKey) Select(m *primitive.Message, queues []*primitive.MessageQueue, broker string) *primitive.MessageQueue {
	if m.GetShardingKey() != "" {
		return producer.NewHashQueueSelector().Select(m, queues, broker)
	}
	return s.inTurn.Select(m, queues, broker)
}

func sendAll(topic string, messages ...*primitive.Message) error {
	p, err := newProducer(topic)
	if err != nil {
		return err
	}
	defer p.Shutdown()
	for _, message := range messages {
		result, err := send(p, message)
		if err != nil {
			return err
		}
		if result.Status != primitive.SendOK || result.MsgID == "" {
			return fmt.Errorf("the receipt is %v", result)
		}
	}
	return nil
}

// Apache's broker is busy when it has only just started: the client does not try that again by itself.
func send(p rocketmq.Producer, messages ...*primitive.Message) (result *primitive.SendResult, err error) {
	for range 20 {
		if result, err = p.SendSync(context.Background(), messages...); err == nil {
			return result, nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return nil, err
}

func numbered(topic string, count int) []*primitive.Message {
	var all []*primitive.Message
	for i := range count {
		all = append(all, primitive.NewMessage(topic, fmt.Appendf(nil, "m%02d", i)))
	}
	return all
}

// What consumers got, in order.
type inbox struct {
	lock sync.Mutex
	got  []*primitive.MessageExt
	when []time.Time
}

func (in *inbox) keep(messages ...*primitive.MessageExt) int {
	in.lock.Lock()
	defer in.lock.Unlock()
	for _, each := range messages {
		in.got = append(in.got, each)
		in.when = append(in.when, time.Now())
	}
	return len(in.got)
}

func (in *inbox) texts() []string {
	in.lock.Lock()
	defer in.lock.Unlock()
	var all []string
	for _, each := range in.got {
		all = append(all, string(each.Body))
	}
	return all
}

func (in *inbox) await(count int) error {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if len(in.texts()) >= count {
			return nil
		}
	}
	return fmt.Errorf("%d messages expected, %v came", count, in.texts())
}

// Waits for exactly these, in whatever order.
func (in *inbox) expect(messages []*primitive.Message) error {
	if err := in.await(len(messages)); err != nil {
		return err
	}
	var wanted []string
	for _, each := range messages {
		wanted = append(wanted, string(each.Body))
	}
	got := in.texts()
	sort.Strings(wanted)
	sort.Strings(got)
	return same(wanted, got)
}

func same(wanted, got any) error {
	if fmt.Sprint(wanted) != fmt.Sprint(got) {
		return fmt.Errorf("%v expected, got %v", wanted, got)
	}
	return nil
}

type handler func(context.Context, *primitive.MessageExt) consumer.ConsumeResult

// Consumes a topic from its beginning, message by message.
func consume(topic string, expression consumer.MessageSelector, handle handler, options ...consumer.Option) (rocketmq.PushConsumer, error) {
	standard := []consumer.Option{consumer.WithNameServer(servers), consumer.WithGroupName("g-" + topic),
		consumer.WithInstance("g-" + topic), consumer.WithConsumeFromWhere(consumer.ConsumeFromFirstOffset)}
	c, err := rocketmq.NewPushConsumer(append(standard, options...)...)
	if err != nil {
		return nil, err
	}
	each := func(ctx context.Context, messages ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
		return handle(ctx, messages[0]), nil
	}
	if err := c.Subscribe(topic, expression, each); err != nil {
		return nil, err
	}
	return c, c.Start()
}

var everything = consumer.MessageSelector{Type: consumer.TAG, Expression: "*"}

func (in *inbox) accept(_ context.Context, message *primitive.MessageExt) consumer.ConsumeResult {
	in.keep(message)
	return consumer.ConsumeSuccess
}

var errTooFew = errors.New("fewer came than were sent")
