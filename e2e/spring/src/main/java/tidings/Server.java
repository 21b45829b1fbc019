package tidings;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The example `handlers_showcase` in a process of its own; SHOWCASE_BIN is its path. */
final class Server implements AutoCloseable {
    private static final Pattern LINE = Pattern.compile("listening http://(\\S+) \\(HTTP.*");

    private final Process process;
    /** Host and port. */
    final String address;

    Server(Map<String, String> environment) throws IOException {
        String program = System.getenv("SHOWCASE_BIN");
        if (program == null) {
            throw new IOException("SHOWCASE_BIN is not set");
        }
        ProcessBuilder builder = new ProcessBuilder(List.of(program, "--listen", "127.0.0.1:0"));
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
