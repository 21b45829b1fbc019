package tidings;

import static tidings.Peer.within;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.springframework.messaging.simp.stomp.ConnectionLostException;
import org.springframework.messaging.simp.stomp.StompHeaders;
import org.springframework.util.MimeType;
import org.springframework.web.socket.messaging.WebSocketStompClient;

/** What an application does with Spring's client, on the routes of the example `handlers_showcase`. */
record Cases(WebSocketStompClient client, String url) {
    /** One case; it throws where it fails. */
    interface Case {
        void run() throws Exception;
    }

    record Order(int shares) {}

    record Trade(String market, String symbol, int shares) {}

    record Note(String to, String text) {}

    static Map<String, Case> all(WebSocketStompClient client, String url) {
        Cases cases = new Cases(client, url);
        Map<String, Case> all = new LinkedHashMap<>();
        all.put("heart-beats are agreed on", cases::heartBeats);
        all.put("text goes through a handler", cases::text);
        all.put("JSON goes through a handler", cases::json);
        all.put("a subscription is answered once", cases::subscribeMapping);
        all.put("a user's sessions, and the sender's alone", cases::userDestinations);
        all.put("a handler tells a user", cases::tell);
        all.put("another user's destination is refused", cases::refused);
        all.put("what was wrong is told, and the session goes on", cases::errors);
        all.put("what was wrong is an ERROR", cases::errorFrame);
        all.put("a body that is not as the client expects is the client's own matter", cases::unreadable);
        all.put("many messages come in order", cases::order);
        all.put("receipts, unsubscribe, disconnect", cases::goodbye);
        return all;
    }

    private Peer connect(String login) throws Exception {
        return Peer.connect(client, url, login);
    }

    private void heartBeats() throws Exception {
        client.setDefaultHeartbeat(new long[] {1000, 1000});
        try (Peer peer = connect("ann")) {
            StompHeaders greeting = within(peer.greeting);
            long[] beats = greeting.getHeartbeat();
            check(beats != null && beats[0] > 0 && beats[1] > 0, "heart-beats offered: " + greeting);
            equal(List.of("ann"), greeting.get("user-name"));
            check(peer.session.getSessionId() != null, "a session id");
        }
    }

    private void text() throws Exception {
        try (Peer peer = connect(null)) {
            var said = peer.subscribe("/topic/a11/text", String.class);
            peer.send("/app/a11/text", "größe: 100% 🎉");
            var heard = said.next();
            equal("größe: 100% 🎉", heard.body());
            equal(MimeType.valueOf("text/plain;charset=utf-8"), heard.headers().getContentType());
        }
    }

    private void json() throws Exception {
        try (Peer peer = connect(null)) {
            var trades = peer.subscribe("/topic/a1/lse/*", Trade.class);
            peer.send("/app/a1/lse/acme", new Order(3));
            var heard = trades.next();
            equal(new Trade("lse", "acme", 3), heard.body());
            equal("/topic/a1/lse/acme", heard.headers().getDestination());
        }
    }

    private void subscribeMapping() throws Exception {
        try (Peer peer = connect(null)) {
            var answers = peer.subscribe("/app/a7/tea", String.class);
            var heard = answers.next();
            check(((String) heard.body()).startsWith("tea "), "the answer " + heard.body());
            equal("/app/a7/tea", heard.headers().getDestination());
            nothingElse(peer, answers);
        }
    }

    private void userDestinations() throws Exception {
        try (Peer first = connect("ben"); Peer second = connect("ben"); Peer other = connect("eve")) {
            List<Peer> peers = List.of(first, second, other);
            List<Peer.Messages> heard = new ArrayList<>();
            for (Peer peer : peers) {
                heard.add(peer.subscribe("/user/queue/a6", String.class));
            }
            first.send("/app/a6/all", "");
            first.send("/app/a6/sender", "");
            equal("all of you", heard.get(0).body());
            equal("you alone", heard.get(0).body());
            var message = heard.get(1).next();
            equal("all of you", message.body());
            equal("/user/queue/a6", message.headers().getDestination());
            for (int at = 0; at < peers.size(); at++) {
                nothingElse(peers.get(at), heard.get(at));
            }
        }
    }

    private void tell() throws Exception {
        try (Peer fay = connect("fay/f%2F"); Peer gil = connect("gil")) {
            var notes = fay.subscribe("/user/queue/u3", String.class);
            var reached = gil.subscribe("/user/queue/u3-reached", Integer.class);
            gil.send("/app/u3", new Note("fay/f%2F", "hello"));
            equal("hello", notes.body());
            equal(1, reached.body());
            gil.send("/app/u3", new Note("nobody", "anyone?"));
            equal(0, reached.body());
        }
    }

    private void refused() throws Exception {
        try (Peer mallory = connect("mallory"); Peer fay = connect("fay")) {
            var notes = fay.subscribe("/user/queue/u3", String.class);
            mallory.session.send("/user/fay/queue/u3", "gotcha");
            equal("refused", within(mallory.error).getFirst("code"));
            nothingElse(fay, notes);
        }
    }

    private void errors() throws Exception {
        try (Peer peer = connect(null)) {
            var errors = peer.subscribe("/user/queue/errors", String.class);
            for (var wrong : List.of(
                    Map.entry("/app/a4", "invalid-payload"),
                    Map.entry("/app/a6/al", "unknown-destination"),
                    Map.entry("/app/a9/panic", "internal-error"))) {
                StompHeaders headers = new StompHeaders();
                headers.setDestination(wrong.getKey());
                headers.setReceipt("of" + wrong.getKey());
                peer.session.send(headers, "not JSON");
                StompHeaders told = errors.next().headers();
                equal(wrong.getValue(), told.getFirst("code"));
                equal(wrong.getKey(), told.getFirst("request-destination"));
                equal("of" + wrong.getKey(), told.getFirst("request-receipt"));
            }
            nothingElse(peer, errors);
        }
    }

    private void errorFrame() throws Exception {
        try (Peer peer = connect(null)) {
            StompHeaders headers = new StompHeaders();
            headers.setDestination("/app/nothing");
            headers.setReceipt("r-1");
            peer.session.send(headers, "x");
            StompHeaders error = within(peer.error);
            equal("unknown-destination", error.getFirst("code"));
            equal("r-1", error.getFirst("receipt-id"));
            check(within(peer.broken) instanceof ConnectionLostException, "the connection ends");
        }
    }

    private void unreadable() throws Exception {
        try (Peer peer = connect(null)) {
            var trades = peer.subscribe("/topic/a5/odd", Trade.class);
            peer.send("/app/a5/odd", "not a trade");
            check(within(peer.failed) != null, "handleException is called");
            nothingElse(peer, trades);
        }
    }

    private void order() throws Exception {
        try (Peer sender = connect(null); Peer listener = connect(null)) {
            sender.session.setAutoReceipt(false);
            var numbers = listener.subscribe("/topic/a5/many", String.class);
            for (int number = 0; number < 1000; number++) {
                sender.session.send("/app/a5/many", "" + number);
            }
            for (int number = 0; number < 1000; number++) {
                equal("" + number, numbers.body());
            }
        }
    }

    private void goodbye() throws Exception {
        Peer peer = connect(null);
        var said = peer.subscribe("/topic/a5/bye", String.class);
        StompHeaders last = new StompHeaders();
        last.setReceipt("unsubscribed");
        said.subscription.unsubscribe(last);
        peer.send("/app/a5/bye", "unheard");
        nothingElse(peer, said);
        peer.close();
        check(!peer.session.isConnected(), "it is closed");
    }

    /** What is echoed comes after everything that was on its way: nothing else came. */
    private static void nothingElse(Peer peer, Peer.Messages... all) throws Exception {
        var echo = peer.subscribe("/user/queue/echo", byte[].class);
        peer.send("/app/echo", "the end");
        equal("the end", new String((byte[]) echo.body()));
        for (Peer.Messages messages : all) {
            equal(0, messages.left());
        }
    }

    private static void equal(Object expected, Object found) {
        check(Objects.equals(expected, found), "expected " + expected + ", found " + found);
    }

    private static void check(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError(what);
        }
    }
}
