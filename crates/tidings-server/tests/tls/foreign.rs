//! Clients that others have written: Python's `ssl`, curl and `openssl s_client`.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::server::Running;

/// What the command prints; none where this machine does not have it.
fn output(command: &mut Command, input: &str) -> Option<String> {
    let spawned = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match spawned {
        Ok(child) => child,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        Err(error) => panic!("{error}"),
    };
    let mut stdin = child.stdin.take().expect("it is piped");
    stdin.write_all(input.as_bytes()).expect("it reads");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}", text(&output.stderr));
    Some(text(&output.stdout))
}

const PYTHON: &str = r#"
import socket, ssl, sys
port, ca = int(sys.argv[1]), sys.argv[2]
context = ssl.create_default_context(cafile=ca)
with socket.create_connection(("127.0.0.1", port), timeout=20) as raw:
    with context.wrap_socket(raw, server_hostname="localhost", suppress_ragged_eofs=False) as s:
        body = b"x" * 300000
        s.sendall(b"CONNECT\naccept-version:1.2\nhost:x\n\n\0")
        s.sendall(b"SUBSCRIBE\nid:0\ndestination:/topic/a\n\n\0")
        s.sendall(b"SEND\ndestination:/topic/a\n\n" + body + b"\0DISCONNECT\nreceipt:r\n\n\0")
        heard = b""
        while True:
            piece = s.recv(65536)
            if not piece:
                break
            heard += piece
frames = [frame.strip(b"\n") for frame in heard.split(b"\0")]
print([frame.split(b"\n")[0].decode() for frame in frames if frame])
assert frames[1].endswith(b"\n\n" + body)
"#;

#[test]
fn python_speaks_stomp_over_tls_and_sees_a_clean_end() {
    let running = Running::start();
    let ca = running.folder.write("ca.pem", &running.authority.pem());
    let mut python = Command::new("python3");
    python.arg("-").arg(running.tcp.port().to_string()).arg(ca);
    if let Some(printed) = output(&mut python, PYTHON) {
        assert_eq!(printed.trim(), "['CONNECTED', 'MESSAGE', 'RECEIPT']");
    }
}

#[test]
fn curl_gets_pages_by_https() {
    let running = Running::start();
    let ca = running.folder.write("ca.pem", &running.authority.pem());
    for version in ["--tlsv1.3", "--tls-max=1.2"] {
        let mut curl = Command::new("curl");
        let version = version.split('=');
        curl.args(version)
            .args(["--silent", "--show-error", "--max-time", "20", "--cacert"]);
        curl.arg(&ca);
        curl.arg(format!("https://localhost:{}/", running.http.port()));
        curl.args([
            "--resolve",
            &format!("localhost:{}:127.0.0.1", running.http.port()),
        ]);
        if let Some(printed) = output(&mut curl, "") {
            assert_eq!(printed, "a page");
        }
    }
}

#[test]
fn openssl_verifies_the_chain_and_agrees_on_http_1_1() {
    let running = Running::start();
    let ca = running.folder.write("ca.pem", &running.authority.pem());
    let mut openssl = Command::new("openssl");
    openssl.args(["s_client", "-verify_return_error", "-alpn", "h2,http/1.1"]);
    openssl
        .args(["-verify_hostname", "localhost", "-CAfile"])
        .arg(ca);
    openssl.args(["-connect", &running.http.to_string()]);
    if let Some(printed) = output(&mut openssl, "") {
        assert!(printed.contains("Verify return code: 0 (ok)"), "{printed}");
        assert!(printed.contains("ALPN protocol: http/1.1"), "{printed}");
    }
}
