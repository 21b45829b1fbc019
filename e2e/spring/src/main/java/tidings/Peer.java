package tidings;

import java.lang.reflect.Type;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.springframework.messaging.simp.stomp.StompCommand;
import org.springframework.messaging.simp.stomp.StompFrameHandler;
import org.springframework.messaging.simp.stomp.StompHeaders;
import org.springframework.messaging.simp.stomp.StompSession;
import org.springframework.messaging.simp.stomp.StompSessionHandlerAdapter;
import org.springframework.web.socket.WebSocketHttpHeaders;
import org.springframework.web.socket.messaging.WebSocketStompClient;

/** Someone at the other end of Spring's client, as an application would use it. */
final class Peer extends StompSessionHandlerAdapter implements AutoCloseable {
    /** How long an answer may take, in seconds. */
    static final long PATIENCE = 20;

    /** The ERROR frame, when one comes. */
    final CompletableFuture<StompHeaders> error = new CompletableFuture<>();
    /** What broke the transport: Spring says that a lost connection, too. */
    final CompletableFuture<Throwable> broken = new CompletableFuture<>();
    /** What Spring could not make of a message. */
    final CompletableFuture<Throwable> failed = new CompletableFuture<>();
    final CompletableFuture<StompHeaders> greeting = new CompletableFuture<>();
    StompSession session;

    /** A body with its headers. */
    record Heard(StompHeaders headers, Object body) {}

    static Peer connect(WebSocketStompClient client, String url, String login) throws Exception {
        StompHeaders headers = new StompHeaders();
        if (login != null) {
            headers.setLogin(login);
        }
        return connect(client, url, headers);
    }

    static Peer connect(WebSocketStompClient client, String url, StompHeaders headers) throws Exception {
        Peer peer = new Peer();
        peer.session = within(client.connectAsync(url, new WebSocketHttpHeaders(), headers, peer));
        peer.session.setAutoReceipt(true);
        return peer;
    }

    /** The ERROR that answers CONNECT; the session is lost, too. */
    static StompHeaders refused(WebSocketStompClient client, String url, StompHeaders headers) throws Exception {
        Peer peer = new Peer();
        var session = client.connectAsync(url, new WebSocketHttpHeaders(), headers, peer);
        StompHeaders error = within(peer.error);
        try {
            within(session);
        } catch (ExecutionException lost) {
            return error;
        }
        throw new AssertionError("it is connected");
    }

    /** Subscribes, and waits for the receipt. */
    Messages subscribe(String destination, Class<?> type) throws Exception {
        Messages messages = new Messages(type);
        messages.subscription = session.subscribe(destination, messages);
        received(messages.subscription);
        return messages;
    }

    /** Sends, and waits for the receipt. */
    void send(String destination, Object body) throws Exception {
        received(session.send(destination, body));
    }

    void send(StompHeaders headers, Object body) throws Exception {
        received(session.send(headers, body));
    }

    private static void received(StompSession.Receiptable receiptable) throws Exception {
        CompletableFuture<Void> receipt = new CompletableFuture<>();
        receiptable.addReceiptTask(() -> receipt.complete(null));
        receiptable.addReceiptLostTask(() -> receipt.completeExceptionally(new TimeoutException("no RECEIPT")));
        within(receipt);
    }

    static <T> T within(CompletableFuture<T> answer) throws Exception {
        return answer.get(PATIENCE, TimeUnit.SECONDS);
    }

    @Override
    public void afterConnected(StompSession session, StompHeaders headers) {
        greeting.complete(headers);
    }

    @Override
    public Type getPayloadType(StompHeaders headers) {
        return String.class;
    }

    /** Called for ERROR alone. */
    @Override
    public void handleFrame(StompHeaders headers, Object payload) {
        error.complete(headers);
    }

    @Override
    public void handleException(
            StompSession session, StompCommand command, StompHeaders headers, byte[] payload, Throwable exception) {
        failed.complete(exception);
    }

    @Override
    public void handleTransportError(StompSession session, Throwable exception) {
        broken.complete(exception);
    }

    @Override
    public void close() {
        if (session.isConnected()) {
            session.disconnect();
        }
    }

    /** The messages of one subscription, in the order in which they came. */
    static final class Messages implements StompFrameHandler {
        StompSession.Subscription subscription;
        private final Class<?> type;
        private final BlockingQueue<Heard> waiting = new LinkedBlockingQueue<>();

        private Messages(Class<?> type) {
            this.type = type;
        }

        @Override
        public Type getPayloadType(StompHeaders headers) {
            return type;
        }

        @Override
        public void handleFrame(StompHeaders headers, Object payload) {
            waiting.add(new Heard(headers, payload));
        }

        Heard next() throws Exception {
            Heard heard = waiting.poll(PATIENCE, TimeUnit.SECONDS);
            if (heard == null) {
                throw new TimeoutException("no MESSAGE within " + PATIENCE + " s");
            }
            return heard;
        }

        Object body() throws Exception {
            return next().body();
        }

        int left() {
            return waiting.size();
        }
    }
}
