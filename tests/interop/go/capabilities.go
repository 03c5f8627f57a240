package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	rocketmq "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
)

var capabilities = []capability{
	{"send_sync", sendSync},
	{"send_async", sendAsync},
	{"send_oneway", sendOneway},
	{"send_batch", sendBatch},
	{"send_large_compressed", sendLarge},
	{"properties", properties},
	{"tags", tags},
	{"sql92", sql92},
	{"orderly", orderly},
	{"orderly_retry", orderlyRetry},
	{"delay_level", delayLevel},
	{"timer", timer},
	{"retry", retry},
	{"dead_letter", deadLetter},
	{"broadcasting", broadcasting},
	{"transaction", transaction},
	{"transaction_check", transactionCheck},
	{"request_reply", requestReply},
	{"pull", pull},
}

// Sends by `send` and consumes what was sent.
func roundTrip(topic string, messages []*primitive.Message, send func(rocketmq.Producer) error) (*inbox, error) {
	p, err := newProducer(topic)
	if err != nil {
		return nil, err
	}
	defer p.Shutdown()
	if err := send(p); err != nil {
		return nil, err
	}
	in := &inbox{}
	c, err := consume(topic, everything, in.accept)
	if err != nil {
		return nil, err
	}
	defer c.Shutdown()
	return in, in.expect(messages)
}

func sendSync(topic string) error {
	messages := numbered(topic, 8)
	_, err := roundTrip(topic, messages, func(rocketmq.Producer) error { return sendAll(topic, messages...) })
	return err
}

// The first message of a new topic may find no route: one that waits for its answer makes the topic, then the rest follows.
func afterFirst(topic string, rest func(rocketmq.Producer, []*primitive.Message) error) error {
	messages := numbered(topic, 8)
	_, err := roundTrip(topic, messages, func(p rocketmq.Producer) error {
		if _, err := send(p, messages[0]); err != nil {
			return err
		}
		return rest(p, messages[1:])
	})
	return err
}

func sendAsync(topic string) error {
	return afterFirst(topic, func(p rocketmq.Producer, messages []*primitive.Message) error {
		answers := make(chan error, len(messages))
		for _, each := range messages {
			tell := func(_ context.Context, _ *primitive.SendResult, err error) { answers <- err }
			if err := p.SendAsync(context.Background(), tell, each); err != nil {
				return err
			}
		}
		for range messages {
			if err := <-answers; err != nil {
				return err
			}
		}
		return nil
	})
}

func sendOneway(topic string) error {
	return afterFirst(topic, func(p rocketmq.Producer, messages []*primitive.Message) error {
		for _, each := range messages {
			if err := p.SendOneWay(context.Background(), each); err != nil {
				return err
			}
		}
		return nil
	})
}

func sendBatch(topic string) error {
	messages := numbered(topic, 8)
	_, err := roundTrip(topic, messages, func(p rocketmq.Producer) error {
		_, err := send(p, messages...)
		return err
	})
	return err
}

func sendLarge(topic string) error {
	body := bytes.Repeat([]byte("compressible "), 40_000)
	messages := []*primitive.Message{primitive.NewMessage(topic, body)}
	_, err := roundTrip(topic, messages, func(rocketmq.Producer) error { return sendAll(topic, messages...) })
	return err
}

func properties(topic string) error {
	message := primitive.NewMessage(topic, []byte("m00"))
	message.WithTag("A").WithKeys([]string{"k1", "k2"}).WithProperty("märchen", "Größe 😀")
	in, err := roundTrip(topic, []*primitive.Message{message}, func(rocketmq.Producer) error { return sendAll(topic, message) })
	if err != nil {
		return err
	}
	got := in.got[0]
	return same([]string{"A", "k1 k2", "Größe 😀"}, []string{got.GetTags(), got.GetKeys(), got.GetProperty("märchen")})
}

func filtered(topic string, selector consumer.MessageSelector) error {
	messages := numbered(topic, 9)
	var wanted []*primitive.Message
	for i, each := range messages {
		each.WithTag(string(rune('A' + i%3)))
		each.WithProperty("n", strconv.Itoa(i%3))
		if i%3 != 1 {
			wanted = append(wanted, each)
		}
	}
	if err := sendAll(topic, messages...); err != nil {
		return err
	}
	in := &inbox{}
	c, err := consume(topic, selector, in.accept)
	if err != nil {
		return err
	}
	defer c.Shutdown()
	return in.expect(wanted)
}

func tags(topic string) error {
	return filtered(topic, consumer.MessageSelector{Type: consumer.TAG, Expression: "A || C"})
}

func sql92(topic string) error {
	return filtered(topic, consumer.MessageSelector{Type: consumer.SQL92, Expression: "n <> 1 AND TAGS IN ('A', 'C')"})
}

// Three keys, each of which keeps its order.
func inOrder(in *inbox, count int) error {
	next := map[string]int{}
	for _, each := range in.got {
		key := each.GetShardingKey()
		if text := fmt.Sprintf("%s:%d", key, next[key]); text != string(each.Body) {
			return fmt.Errorf("%s expected, got %v", text, in.texts())
		}
		next[key]++
	}
	if len(in.got) != count {
		return errTooFew
	}
	return nil
}

func sharded(topic string, count int) []*primitive.Message {
	var all []*primitive.Message
	for i := range count {
		key := fmt.Sprintf("key%d", i%3)
		message := primitive.NewMessage(topic, fmt.Appendf(nil, "%s:%d", key, i/3))
		all = append(all, message.WithShardingKey(key))
	}
	return all
}

func orderly(topic string) error {
	if err := sendAll(topic, sharded(topic, 30)...); err != nil {
		return err
	}
	in := &inbox{}
	c, err := consume(topic, everything, in.accept, consumer.WithConsumerOrder(true))
	if err != nil {
		return err
	}
	defer c.Shutdown()
	if err := in.await(30); err != nil {
		return err
	}
	return inOrder(in, 30)
}

// A message that fails keeps its place.
func orderlyRetry(topic string) error {
	if err := sendAll(topic, sharded(topic, 12)...); err != nil {
		return err
	}
	in, refused := &inbox{}, atomic.Int32{}
	handle := func(_ context.Context, message *primitive.MessageExt) consumer.ConsumeResult {
		if string(message.Body) == "key1:1" && refused.Add(1) <= 2 {
			return consumer.SuspendCurrentQueueAMoment
		}
		in.keep(message)
		return consumer.ConsumeSuccess
	}
	c, err := consume(topic, everything, handle, consumer.WithConsumerOrder(true), consumer.WithSuspendCurrentQueueTimeMillis(50*time.Millisecond))
	if err != nil {
		return err
	}
	defer c.Shutdown()
	if err := in.await(12); err != nil {
		return err
	}
	if refused.Load() != 3 {
		return fmt.Errorf("tried %d times instead of 3", refused.Load())
	}
	return inOrder(in, 12)
}

// The message comes at its time and not before.
func delayed(topic string, late func(*primitive.Message), by time.Duration) error {
	// The consumer is there before, so that only the broker delays.
	if err := sendAll(topic, primitive.NewMessage(topic, []byte("first"))); err != nil {
		return err
	}
	in := &inbox{}
	c, err := consume(topic, everything, in.accept)
	if err != nil {
		return err
	}
	defer c.Shutdown()
	if err := in.await(1); err != nil {
		return err
	}
	sent, message := time.Now(), primitive.NewMessage(topic, []byte("late"))
	late(message)
	if err := sendAll(topic, message); err != nil {
		return err
	}
	if err := in.await(2); err != nil {
		return err
	}
	if took := in.when[1].Sub(sent); took < by-100*time.Millisecond || took > by+5*time.Second {
		return fmt.Errorf("came after %v instead of %v", took, by)
	}
	return nil
}

func delayLevel(topic string) error {
	return delayed(topic, func(late *primitive.Message) { late.WithDelayTimeLevel(2) }, 5*time.Second)
}

func timer(topic string) error {
	by := 3 * time.Second
	return delayed(topic, func(late *primitive.Message) { late.WithDelayTimestamp(time.Now().Add(by)) }, by)
}

// The next tries come after a second each: the listener asks for it.
func later(ctx context.Context) consumer.ConsumeResult {
	if choice, ok := primitive.GetConcurrentlyCtx(ctx); ok {
		choice.DelayLevelWhenNextConsume = 1
	}
	return consumer.ConsumeRetryLater
}

func retry(topic string) error {
	if err := sendAll(topic, numbered(topic, 1)...); err != nil {
		return err
	}
	in := &inbox{}
	handle := func(ctx context.Context, message *primitive.MessageExt) consumer.ConsumeResult {
		if in.keep(message) < 3 {
			return later(ctx)
		}
		return consumer.ConsumeSuccess
	}
	c, err := consume(topic, everything, handle)
	if err != nil {
		return err
	}
	defer c.Shutdown()
	if err := in.await(3); err != nil {
		return err
	}
	for i, each := range in.got {
		if each.ReconsumeTimes != int32(i) || each.Topic != topic || string(each.Body) != "m00" {
			return fmt.Errorf("try %d is %v", i, each)
		}
	}
	return nil
}

func deadLetter(topic string) error {
	if err := sendAll(topic, numbered(topic, 1)...); err != nil {
		return err
	}
	refuse := func(ctx context.Context, _ *primitive.MessageExt) consumer.ConsumeResult { return later(ctx) }
	c, err := consume(topic, everything, refuse, consumer.WithMaxReconsumeTimes(1))
	if err != nil {
		return err
	}
	defer c.Shutdown()
	return deadLetterOf(topic)
}

// The client does not start on a topic that is not there yet.
func deadLetterOf(topic string) (err error) {
	in := &inbox{}
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		name := fmt.Sprint("dlq-", producers.Add(1), topic)
		c, wrong := consume("%DLQ%g-"+topic, everything, in.accept, consumer.WithGroupName(name), consumer.WithInstance(name))
		if err = wrong; err == nil {
			defer c.Shutdown()
			return in.await(1)
		}
	}
	return err
}

func broadcasting(topic string) error {
	messages := numbered(topic, 8)
	if err := sendAll(topic, primitive.NewMessage(topic, []byte("first"))); err != nil {
		return err
	}
	members := []*inbox{{}, {}}
	for i, in := range members {
		c, err := consume(topic, everything, in.accept, consumer.WithConsumerModel(consumer.BroadCasting),
			consumer.WithInstance(fmt.Sprint(i, topic)))
		if err != nil {
			return err
		}
		defer c.Shutdown()
	}
	if err := sendAll(topic, messages...); err != nil {
		return err
	}
	for _, in := range members {
		if err := in.await(len(messages)); err != nil {
			return err
		}
	}
	return nil
}

// Says what was decided, at once or when the broker asks.
type decider struct {
	atOnce, asked map[string]primitive.LocalTransactionState
	checks        sync.Map
}

func (d *decider) ExecuteLocalTransaction(message *primitive.Message) primitive.LocalTransactionState {
	return d.atOnce[string(message.Body)]
}

func (d *decider) CheckLocalTransaction(message *primitive.MessageExt) primitive.LocalTransactionState {
	d.checks.Store(string(message.Body), true)
	return d.asked[string(message.Body)]
}

func decided(topic string, d *decider, bodies []string, committed ...string) error {
	p, err := rocketmq.NewTransactionProducer(d, producer.WithNameServer(servers), producer.WithGroupName("p-"+topic),
		producer.WithInstanceName("p-"+topic))
	if err != nil {
		return err
	}
	if err := p.Start(); err != nil {
		return err
	}
	defer p.Shutdown()
	for _, body := range bodies {
		if _, err := p.SendMessageInTransaction(context.Background(), primitive.NewMessage(topic, []byte(body))); err != nil {
			return err
		}
	}
	in := &inbox{}
	c, err := consume(topic, everything, in.accept)
	if err != nil {
		return err
	}
	defer c.Shutdown()
	var wanted []*primitive.Message
	for _, body := range committed {
		wanted = append(wanted, primitive.NewMessage(topic, []byte(body)))
	}
	if err := in.expect(wanted); err != nil {
		return err
	}
	for body := range d.asked {
		if _, asked := d.checks.Load(body); !asked {
			return fmt.Errorf("nobody asked about %s", body)
		}
	}
	return nil
}

type states = map[string]primitive.LocalTransactionState

func transaction(topic string) error {
	d := &decider{atOnce: states{"yes": primitive.CommitMessageState, "no": primitive.RollbackMessageState}}
	return decided(topic, d, []string{"no", "yes"}, "yes")
}

func transactionCheck(topic string) error {
	d := &decider{
		atOnce: states{"yes": primitive.UnkonwnState, "no": primitive.UnkonwnState},
		asked:  states{"yes": primitive.CommitMessageState, "no": primitive.RollbackMessageState},
	}
	return decided(topic, d, []string{"no", "yes"}, "yes")
}

func requestReply(topic string) error {
	answers, err := newProducer("answers-" + topic)
	if err != nil {
		return err
	}
	defer answers.Shutdown()
	if err := sendAll(topic, primitive.NewMessage(topic, []byte("first"))); err != nil {
		return err
	}
	ready := &inbox{}
	c, err := consume(topic, everything, func(_ context.Context, message *primitive.MessageExt) consumer.ConsumeResult {
		if ready.keep(message) > 1 {
			if reply, err := consumer.CreateReplyMessage(message, []byte("pong")); err == nil {
				// The client forgets it, and Apache's broker stumbles over a reply without a body.
				reply.Body = []byte("pong")
				answers.SendSync(context.Background(), reply)
			}
		}
		return consumer.ConsumeSuccess
	})
	if err != nil {
		return err
	}
	defer c.Shutdown()
	if err := ready.await(1); err != nil {
		return err
	}
	return asked(topic)
}

// The broker answers to producers that it knows by a heartbeat; a client that has just started asks again.
func asked(topic string) error {
	p, err := newProducer("asks-" + topic)
	if err != nil {
		return err
	}
	defer p.Shutdown()
	last := errors.New("never asked")
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		answer, err := p.Request(context.Background(), 2*time.Second, primitive.NewMessage(topic, []byte("ping")))
		if err == nil {
			return same("pong", string(answer.Body))
		}
		last = err
	}
	return last
}

func pull(topic string) error {
	messages := numbered(topic, 8)
	if err := sendAll(topic, messages...); err != nil {
		return err
	}
	c, err := rocketmq.NewPullConsumer(consumer.WithNameServer(servers), consumer.WithGroupName("g-"+topic),
		consumer.WithInstance("g-"+topic), consumer.WithConsumeFromWhere(consumer.ConsumeFromFirstOffset))
	if err != nil {
		return err
	}
	if err := c.Subscribe(topic, everything); err != nil {
		return err
	}
	if err := c.Start(); err != nil {
		return err
	}
	defer c.Shutdown()
	in := &inbox{}
	for deadline := time.Now().Add(patience); time.Now().Before(deadline) && len(in.got) < len(messages); {
		polled, err := c.Poll(context.Background(), time.Second)
		if err != nil {
			continue
		}
		in.keep(polled.GetMsgList()...)
		c.ACK(context.Background(), polled, consumer.ConsumeSuccess)
	}
	return in.expect(messages)
}
