package tidings;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.springframework.messaging.simp.stomp.StompHeaders;
import org.springframework.web.socket.messaging.WebSocketStompClient;

/** How Spring's client logs in, and what it sees where it is refused. */
record Logins(WebSocketStompClient client, String users, String tokens) {
    private static final String SECRET = "a-secret-that-these-tests-alone-know";
    /** What `tidings hash` makes of `correct-horse`. */
    private static final String HASH =
            "$argon2id$v=19$m=19456,t=2,p=1$c2l4dGVlbi1ieXRlcy1vaw$8i+FYgYbUV6TouQRbC7FbXpcLRweKnTRKMNbCupvQwI";

    /** One that knows users of a file, and one that takes tokens. Staff may do everything, and others nothing. */
    static final class Servers implements AutoCloseable {
        private final Path file = Files.createTempFile("tidings-users", ".txt");
        private final Server users;
        private final Server tokens;

        Servers() throws IOException {
            Files.writeString(file, "ann:" + HASH + ":staff\nbob:" + HASH + "\n");
            String rule = "allow any if role staff";
            users = Server.configured(Map.of(
                    "TIDINGS__SECURITY__AUTHENTICATOR", "users",
                    "TIDINGS__SECURITY__RULES", rule,
                    "TIDINGS__USERS__FILE", file.toString()));
            tokens = Server.configured(Map.of(
                    "TIDINGS__SECURITY__AUTHENTICATOR", "jwt",
                    "TIDINGS__SECURITY__RULES", rule,
                    "TIDINGS__JWT__SECRET", SECRET,
                    "TIDINGS__JWT__LEEWAY", "0s"));
        }

        @Override
        public void close() throws IOException {
            users.close();
            tokens.close();
            Files.delete(file);
        }
    }

    static Map<String, Cases.Case> all(WebSocketStompClient client, String scheme, Servers servers) {
        Logins logins = new Logins(
                client, scheme + servers.users.address + "/ws", scheme + servers.tokens.address + "/ws");
        Map<String, Cases.Case> all = new LinkedHashMap<>();
        all.put("a user of the file logs in with the passcode", logins::passcode);
        all.put("a token is taken as the passcode, and as a header", logins::token);
        all.put("who is refused sees an ERROR", logins::refused);
        all.put("a session ends with its token", logins::expiry);
        return all;
    }

    private void passcode() throws Exception {
        isIn(users, login("ann", "correct-horse"));
    }

    private void token() throws Exception {
        isIn(tokens, login("whoever", sign("ann", 3600)));
        isIn(tokens, bearer(sign("ann", 3600)));
    }

    private void refused() throws Exception {
        isRefused(users, login("ann", "wrong"), "bad-credentials");
        isRefused(users, login("nobody", "correct-horse"), "bad-credentials");
        isRefused(users, login("bob", "correct-horse"), "forbidden");
        isRefused(users, new StompHeaders(), "unauthenticated");
        isRefused(tokens, bearer(sign("ann", -60)), "token-expired");
        isRefused(tokens, bearer(sign("ann", 3600) + "x"), "bad-credentials");
    }

    private void expiry() throws Exception {
        try (Peer peer = Peer.connect(client, tokens, bearer(sign("ann", 2)))) {
            StompHeaders greeting = Peer.within(peer.greeting);
            check(Long.parseLong(greeting.getFirst("session-expires-in")) <= 2000, "it is told how long it has");
            equal("token-expired", Peer.within(peer.error).getFirst("code"));
            check(Peer.within(peer.broken) != null, "the connection ends");
        }
    }

    private void isIn(String url, StompHeaders headers) throws Exception {
        try (Peer peer = Peer.connect(client, url, headers)) {
            equal("ann", Peer.within(peer.greeting).getFirst("user-name"));
            var heard = peer.subscribe("/topic/logins", String.class);
            peer.send("/topic/logins", "in");
            equal("in", heard.body());
        }
    }

    private void isRefused(String url, StompHeaders headers, String code) throws Exception {
        equal(code, Peer.refused(client, url, headers).getFirst("code"));
    }

    private static StompHeaders login(String login, String passcode) {
        StompHeaders headers = new StompHeaders();
        headers.setLogin(login);
        headers.setPasscode(passcode);
        return headers;
    }

    private static StompHeaders bearer(String token) {
        StompHeaders headers = new StompHeaders();
        headers.add("Authorization", "Bearer " + token);
        return headers;
    }

    /** A token of staff, signed with HS256, for so many seconds. */
    private static String sign(String user, long lifetime) throws Exception {
        long until = Instant.now().getEpochSecond() + lifetime;
        String claims = "{\"sub\":\"%s\",\"roles\":[\"staff\"],\"exp\":%d}".formatted(user, until);
        String message = encode("{\"alg\":\"HS256\",\"typ\":\"JWT\"}") + "." + encode(claims);
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(SECRET.getBytes(StandardCharsets.UTF_8), "HmacSHA256"));
        byte[] signature = mac.doFinal(message.getBytes(StandardCharsets.UTF_8));
        return message + "." + Base64.getUrlEncoder().withoutPadding().encodeToString(signature);
    }

    private static String encode(String part) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(part.getBytes(StandardCharsets.UTF_8));
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
