package tidings;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.springframework.messaging.converter.MappingJackson2MessageConverter;
import org.springframework.messaging.converter.MessageConverter;
import org.springframework.messaging.converter.StringMessageConverter;
import org.springframework.messaging.converter.ByteArrayMessageConverter;
import org.springframework.messaging.converter.CompositeMessageConverter;
import org.springframework.scheduling.concurrent.ThreadPoolTaskScheduler;
import org.springframework.web.client.RestTemplate;
import org.springframework.web.socket.client.WebSocketClient;
import org.springframework.web.socket.client.standard.StandardWebSocketClient;
import org.springframework.web.socket.messaging.WebSocketStompClient;
import org.springframework.web.socket.sockjs.client.RestTemplateXhrTransport;
import org.springframework.web.socket.sockjs.client.SockJsClient;
import org.springframework.web.socket.sockjs.client.WebSocketTransport;

/** Runs every case over every transport of Spring's client; the exit code is 1 where one failed. */
public final class Main {
    private Main() {}

    public static void main(String[] arguments) throws Exception {
        ThreadPoolTaskScheduler scheduler = new ThreadPoolTaskScheduler();
        scheduler.setDaemon(true);
        scheduler.initialize();
        List<String> failures = new ArrayList<>();
        try (Server showcase = Server.showcase();
                Logins.Servers logins = new Logins.Servers()) {
            for (var transport : transports().entrySet()) {
                boolean sockJs = transport.getValue() instanceof SockJsClient;
                String scheme = sockJs ? "http://" : "ws://";
                WebSocketStompClient client = new WebSocketStompClient(transport.getValue());
                client.setMessageConverter(converters());
                client.setTaskScheduler(scheduler);
                Map<String, Cases.Case> cases = Cases.all(client, scheme + showcase.address + "/ws");
                cases.putAll(Logins.all(client, scheme, logins));
                for (var one : cases.entrySet()) {
                    run(transport.getKey() + ": " + one.getKey(), one.getValue(), failures);
                }
            }
        }
        System.out.println(failures.isEmpty() ? "all passed" : failures.size() + " failed: " + failures);
        // Threads of the transports are no reason to stay.
        System.exit(failures.isEmpty() ? 0 : 1);
    }

    private static void run(String name, Cases.Case one, List<String> failures) {
        try {
            one.run();
            System.out.println("ok      " + name);
        } catch (Throwable failure) {
            System.out.println("FAILED  " + name);
            failure.printStackTrace(System.out);
            failures.add(name);
        }
    }

    private static Map<String, WebSocketClient> transports() {
        Map<String, WebSocketClient> transports = new LinkedHashMap<>();
        transports.put("WebSocket", new StandardWebSocketClient());
        transports.put(
                "SockJS over WebSocket",
                sockJs(new SockJsClient(List.of(new WebSocketTransport(new StandardWebSocketClient())))));
        transports.put(
                "SockJS over XHR streaming",
                sockJs(new SockJsClient(List.of(new RestTemplateXhrTransport(new RestTemplate())))));
        return transports;
    }

    private static SockJsClient sockJs(SockJsClient client) {
        client.start();
        return client;
    }

    /** Text where text is asked for or given, octets likewise, and JSON for all else. */
    private static MessageConverter converters() {
        return new CompositeMessageConverter(
                List.of(new StringMessageConverter(), new ByteArrayMessageConverter(), new MappingJackson2MessageConverter()));
    }
}
