//! HAProxy and nginx in front, configured as docs/proxies.md says. Run where they are installed:
//! `cargo test -p tidings-server --test edges foreign_proxies -- --ignored`

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use socket2::{Domain, Socket, Type};

use crate::server::{Client, PATIENCE, Running, handshake};

/// A proxy until it is dropped.
struct Proxy {
    process: Child,
    folder: PathBuf,
    address: SocketAddr,
}

impl Proxy {
    /// `configuration` is told where to listen and in which folder to live.
    fn start(
        program: &str,
        arguments: &[&str],
        configuration: impl FnOnce(SocketAddr, &str) -> String,
    ) -> Self {
        static STARTED: AtomicUsize = AtomicUsize::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let folder =
            std::env::temp_dir().join(format!("tidings-proxy-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        // Free a moment ago: proxies do not tell which port they were given.
        let address = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
        let address = address.expect("a free port");
        let file = folder.join("proxy.conf");
        let home = folder.to_str().expect("text");
        fs::write(&file, configuration(address, home)).expect("it is written");
        let process = Command::new(program)
            .args(arguments)
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let proxy = Self {
            process: process.expect("it is installed"),
            folder,
            address,
        };
        let begun = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(begun.elapsed() < PATIENCE, "{program} does not listen");
            thread::yield_now();
        }
        proxy
    }

    fn haproxy(mode: &str, server: SocketAddr, options: &str) -> Self {
        Self::start("haproxy", &["-db", "-f"], |listen, _| {
            format!(
                "defaults\n  mode {mode}\n  timeout connect 5s\n  timeout client 60s\n  timeout server 60s\n  \
                 timeout tunnel 1h\n\
                 frontend f\n  bind {listen}\n  {}\n  default_backend b\n\
                 backend b\n  server s {server} {options}\n",
                if mode == "http" {
                    "option forwardfor\n  http-request set-header X-Forwarded-Proto http\n  http-request set-header X-Forwarded-Host %[req.hdr(Host)]\n  http-request del-header Forwarded"
                } else {
                    ""
                },
            )
        })
    }

    fn nginx(server: SocketAddr) -> Self {
        Self::start("nginx", &["-c"], |listen, home| {
            format!(
                "daemon off;\npid {home}/pid;\nerror_log {home}/error.log;\nevents {{}}\n\
                 http {{\n  access_log off;\n  client_body_temp_path {home}/body;\n  proxy_temp_path {home}/proxy;\n  \
                 fastcgi_temp_path {home}/f;\n  uwsgi_temp_path {home}/u;\n  scgi_temp_path {home}/s;\n  \
                 map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}\n  \
                 server {{\n    listen {listen};\n    location / {{\n      proxy_pass http://{server};\n      \
                 proxy_http_version 1.1;\n      proxy_set_header Host $http_host;\n      \
                 proxy_set_header Upgrade $http_upgrade;\n      \
                 proxy_set_header Connection $connection_upgrade;\n      \
                 proxy_set_header Forwarded \"\";\n      \
                 proxy_set_header X-Forwarded-For $remote_addr;\n      \
                 proxy_set_header X-Forwarded-Proto $scheme;\n      \
                 proxy_set_header X-Forwarded-Host $http_host;\n      \
                 proxy_buffering off;\n      proxy_read_timeout 1h;\n    }}\n  }}\n}}\n"
            )
        })
    }

    fn handshake(&self, headers: &str) -> u16 {
        let mut client = self.client(2);
        client.send(handshake(headers));
        client.status()
    }

    /// A client at 127.0.0.x.
    fn client(&self, x: u8) -> Client {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        let own = SocketAddr::from(([127, 0, 0, x], 0));
        socket
            .bind(&own.into())
            .expect("all of 127.0.0.0/8 is this machine");
        socket.connect(&self.address.into()).expect("it listens");
        let stream = TcpStream::from(socket);
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        Client { stream }
    }

    /// Who guesses a key once may not do it again, but others may.
    fn tells_clients_apart(&self, forged: &str) {
        let guess = |x| {
            let mut client = self.client(x);
            client.get(
                "/api/v1/sessions",
                &format!("authorization: Bearer wrong\r\n{forged}"),
            );
            client.status()
        };
        assert_eq!(
            [guess(2), guess(2), guess(3), guess(3)],
            [401, 429, 401, 429],
            "{forged}"
        );
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Trusts the proxy, at 127.0.0.1, and lets everybody guess one key in a minute.
fn server(is_proxied: bool) -> Running {
    Running::behind_proxy(|config| {
        config.http.proxy_protocol = is_proxied;
        config.tcp.proxy_protocol = is_proxied;
        config.api.failed_keys_per_minute = 1;
    })
}

#[test]
#[ignore = "needs haproxy"]
fn haproxy_sends_its_header_before_http_and_stomp() {
    for options in [
        "send-proxy",
        "send-proxy-v2",
        "send-proxy-v2 proxy-v2-options unique-id,crc32c",
    ] {
        let server = server(true);
        let http = Proxy::haproxy("tcp", server.http, options);
        assert_eq!(http.handshake(""), 101, "{options}");
        assert_eq!(
            http.handshake("origin: https://evil.example\r\n"),
            403,
            "{options}"
        );
        http.tells_clients_apart("x-forwarded-for: 192.0.2.1\r\n");
        let tcp = Proxy::haproxy("tcp", server.tcp, options);
        let mut client = Client::connect(tcp.address);
        client.send("CONNECT\naccept-version:1.2\nhost:x\nlogin:ada\n\n\0");
        assert!(client.frame().starts_with("CONNECTED\n"), "{options}");
    }
}

#[test]
#[ignore = "needs haproxy"]
fn haproxy_checks_the_health_of_a_server_that_wants_its_header() {
    let server = server(true);
    let proxy = Proxy::haproxy(
        "tcp",
        server.http,
        "send-proxy-v2 check inter 100ms fall 1 rise 1",
    );
    assert_eq!(proxy.handshake(""), 101);
}

#[test]
#[ignore = "needs haproxy and nginx"]
fn what_clients_forge_is_replaced_on_the_way() {
    let proxies: [fn(SocketAddr) -> Proxy; 2] =
        [|server| Proxy::haproxy("http", server, ""), Proxy::nginx];
    for start in proxies {
        let server = server(false);
        let proxy = start(server.http);
        assert_eq!(proxy.handshake(""), 101);
        assert_eq!(
            proxy.handshake("origin: http://x\r\n"),
            101,
            "the same origin"
        );
        assert_eq!(
            proxy.handshake("origin: https://x\r\n"),
            403,
            "the proxy says http"
        );
        let forged = "forwarded: for=192.0.2.1;host=evil.example\r\nx-forwarded-for: 192.0.2.1\r\n\
                      x-forwarded-host: evil.example\r\n";
        let evil = "origin: http://evil.example\r\n";
        assert_eq!(proxy.handshake(forged), 101, "it is not heard");
        assert_eq!(proxy.handshake(&format!("{forged}{evil}")), 403);
        proxy.tells_clients_apart(forged);
        assert_eq!(server.addresses(), 0, "nobody is 192.0.2.1");
    }
}
