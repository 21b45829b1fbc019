package tidings;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A program in a process of its own: the example `handlers_showcase`, or the server itself. */
final class Server implements AutoCloseable {
    private static final Pattern LINE = Pattern.compile("listening http://(\\S+) \\(HTTP.*");

    private final Process process;
    /** Host and port. */
    final String address;

    /** The example; SHOWCASE_BIN is its path. */
    static Server showcase() throws IOException {
        return new Server("SHOWCASE_BIN", List.of(), Map.of());
    }

    /** The server, configured by this environment; TIDINGS_BIN is its path. */
    static Server configured(Map<String, String> environment) throws IOException {
        return new Server("TIDINGS_BIN", List.of("serve"), environment);
    }

    private Server(String variable, List<String> arguments, Map<String, String> environment) throws IOException {
        String program = System.getenv(variable);
        if (program == null) {
            throw new IOException(variable + " is not set");
        }
        List<String> command = new ArrayList<>(List.of(program));
        command.addAll(arguments);
        command.addAll(List.of("--listen", "127.0.0.1:0"));
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().putAll(environment);
        builder.redirectError(ProcessBuilder.Redirect.INHERIT);
        process = builder.start();
        Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
        address = readAddress();
    }

    private String readAddress() throws IOException {
        var lines = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            Matcher matcher = LINE.matcher(line);
            if (matcher.matches()) {
                return matcher.group(1);
            }
        }
        throw new IOException("the server did not start");
    }

    @Override
    public void close() {
        process.destroy();
    }
}
