//! A configuration that changes while the server runs.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::peer::{Peer, Server, Version};

const OPEN: &str = "[security]\nauthenticator = 'trust-login'\nrules = ['allow any']\n";
const CLOSED: &str =
    "[security]\nauthenticator = 'trust-login'\nrules = ['deny any /topic/secret', 'allow any']\n";
const TAKEN_OVER: &str = "the configuration was taken over";

fn login(peer: &mut Peer, login: &str, passcode: &str) {
    let headers = [
        ("accept-version", "1.2"),
        ("host", "localhost"),
        ("login", login),
        ("passcode", passcode),
    ];
    peer.send("CONNECT", &headers, b"");
}

/// Someone who listens to a topic and to errors.
fn listener(server: &Server) -> Peer {
    let mut peer = server.session();
    peer.subscribed("errors", "/user/queue/errors", &[]);
    peer.subscribed("secret", "/topic/secret", &[]);
    peer
}

fn hears_of_the_end(peer: &mut Peer) {
    let told = peer.expect("MESSAGE");
    assert_eq!(told.get("destination"), "/user/queue/errors");
    assert_eq!(told.get("code"), "forbidden");
    assert_eq!(told.get("ended-subscription"), "secret");
    assert_eq!(told.get("ended-destination"), "/topic/secret");
}

#[test]
fn a_rule_that_is_added_ends_the_subscriptions_that_it_denies() {
    let server = Server::configured(OPEN);
    let mut peer = listener(&server);
    server.reconfigure(CLOSED);
    hears_of_the_end(&mut peer);
    // The session goes on, without what it may not have.
    peer.publish("/topic/other", "");
    peer.send("SEND", &[("destination", "/topic/secret")], b"");
    peer.expect_error("forbidden");
}

#[test]
fn a_hang_up_loads_the_configuration_at_once_and_again() {
    let server = Server::configured(OPEN);
    server.hang_up();
    server.await_log(TAKEN_OVER, 1);
    let mut peer = listener(&server);
    server.reconfigure(CLOSED);
    server.hang_up();
    hears_of_the_end(&mut peer);
    server.reconfigure(OPEN);
    server.hang_up();
    server.await_log("cause=\"SIGHUP\"", 3);
}

#[test]
fn a_file_that_is_wrong_changes_nothing_and_is_told_with_all_its_problems() {
    let server = Server::configured(OPEN);
    let mut peer = listener(&server);
    server.reconfigure("[security]\nrule = ['deny any']\n[outbox]\npolicy = 'drop'\n");
    server.hang_up();
    server.await_log("the configuration is wrong; all stays as it was", 1);
    server.await_log("unknown key `security.rule`", 1);
    server.await_log("`outbox.policy`", 1);
    peer.send("SEND", &[("destination", "/topic/secret")], b"still here");
    peer.expect_message("still here");
    server.reconfigure(CLOSED);
    hears_of_the_end(&mut peer);
}

/// A line of a users file, made by the program itself.
fn user(name: &str, passcode: &str) -> String {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tidings"))
        .args(["hash", "--user", name])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut input = child.stdin.take().expect("stdin is piped");
    input.write_all(passcode.as_bytes()).expect("it reads");
    drop(input);
    let output = child.wait_with_output().expect("it ends");
    String::from_utf8(output.stdout).expect("it is text")
}

#[test]
fn a_user_who_is_added_to_the_file_can_connect() {
    let tables =
        "[security]\nauthenticator = 'users'\nrules = ['allow any']\n[users]\nfile = 'users'\n";
    let ann = user("ann", "apple");
    let server = Server::with_files(tables, &[("users", &ann)]);
    let mut peer = server.tcp();
    login(&mut peer, "ann", "apple");
    peer.expect("CONNECTED");
    let mut early = server.tcp();
    login(&mut early, "bob", "banana");
    early.expect_error("bad-credentials");

    server.write("users", &(ann + &user("bob", "banana")));
    server.await_log(TAKEN_OVER, 1);
    let mut late = server.tcp();
    login(&mut late, "bob", "banana");
    late.expect("CONNECTED");
    peer.publish("/topic/x", "ann is still here");
}

struct Identity {
    certificate: String,
    key: String,
}

impl Identity {
    fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("made");
        Self {
            certificate: made.cert.pem(),
            key: made.signing_key.serialize_pem(),
        }
    }

    /// Whether the server shows this one: a client that trusts no other gets an answer.
    fn is_shown_by(&self, server: &Server) -> bool {
        let mut roots = RootCertStore::empty();
        let certificate = CertificateDer::from_pem_slice(self.certificate.as_bytes());
        roots.add(certificate.expect("PEM")).expect("a certificate");
        let config = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from("localhost").expect("a name");
        let client = ClientConnection::new(Arc::new(config), name).expect("a client");
        let stream = TcpStream::connect(server.tcp).expect("the listener accepts");
        let mut stream = StreamOwned::new(client, stream);
        let asked = stream.write_all(b"CONNECT\naccept-version:1.2\nhost:x\n\n\0");
        let mut answer = [0; 9];
        asked.is_ok() && stream.read_exact(&mut answer).is_ok() && &answer == b"CONNECTED"
    }
}

#[test]
fn a_certificate_is_exchanged() {
    let tables = "tcp.tls = true\n[tls]\ncertificate = 'certificate.pem'\nkey = 'key.pem'\n";
    let (old, new) = (Identity::new(), Identity::new());
    let files = [
        ("certificate.pem", &*old.certificate),
        ("key.pem", &*old.key),
    ];
    let server = Server::with_files(tables, &files);
    assert!(old.is_shown_by(&server) && !new.is_shown_by(&server));
    server.write("key.pem", &new.key);
    server.write("certificate.pem", &new.certificate);
    server.await_log(TAKEN_OVER, 1);
    assert!(new.is_shown_by(&server) && !old.is_shown_by(&server));
}

#[test]
fn a_hang_up_ends_development_mode() {
    let server = Server::start();
    let mut peer = server.connect(Version::V12);
    server.hang_up();
    peer.expect_error("shutdown");
    server.await_log("stopped", 1);
}
