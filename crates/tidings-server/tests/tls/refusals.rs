//! Who does not get through the handshake.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use rustls::version::TLS12;
use tidings_server::config::TlsVersion;

use crate::certificates::Authority;
use crate::client::Client;
use crate::server::{PATIENCE, Running};

fn failures(reason: &str) -> String {
    format!("tidings_tls_failures_total{{reason=\"{reason}\"}}")
}

/// What somebody gets who says `bytes` without TLS.
fn plain(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
    stream.write_all(bytes).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an end");
    answer
}

#[test]
fn who_comes_without_tls_is_told_so() {
    let running = Running::start();
    let answer = plain(running.http, b"GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    assert!(head.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{head}");
    assert!(
        head.contains(&format!("content-length: {}", body.len())),
        "{head}"
    );
    assert!(body.contains("TLS"), "{body}");
    let answer = plain(running.tcp, b"CONNECT\naccept-version:1.2\nhost:x\n\n\0");
    assert!(answer.starts_with("ERROR\n"), "{answer}");
    assert!(answer.contains("this port speaks TLS"), "{answer}");
    running.counts(&failures("plain"), 2);
}

#[test]
fn what_is_no_handshake_is_ended() {
    let running = Running::start();
    let mut stream = TcpStream::connect(running.tcp).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
    stream
        .write_all(&[0x16, 3, 1, 0, 4, 99, 0, 0, 0])
        .expect("it reads");
    let mut alert = Vec::new();
    stream.read_to_end(&mut alert).expect("an end");
    assert_eq!(alert.first(), Some(&0x15), "{alert:?}");
    running.counts(&failures("protocol"), 1);
}

#[test]
fn a_handshake_that_takes_too_long_is_ended_and_nobody_waits_for_it() {
    let running = Running::with(|config, _| {
        config.tls.handshake_timeout = Duration::from_millis(200);
    });
    let mut slow: Vec<_> = (0..20)
        .map(|_| TcpStream::connect(running.tcp).expect("it listens"))
        .collect();
    for stream in &mut slow[..10] {
        stream.write_all(&[0x16, 3]).expect("it reads");
    }
    running.client();
    for mut stream in slow {
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        let mut nothing = Vec::new();
        // A reset where it had begun.
        let _ = stream.read_to_end(&mut nothing);
        assert_eq!(nothing, b"");
    }
    running.counts(&failures("timeout"), 20);
    running.counts("tidings_connections{link=\"tcp\"}", 0);
}

#[test]
fn a_client_that_does_not_trust_the_server_is_counted() {
    let running = Running::start();
    let stranger = Authority::new("somebody else");
    let mut client = Client::new(running.tcp, stranger.client(None));
    client.try_write(b"x").expect_err("it does not trust");
    running.counts(&failures("certificate-refused"), 1);
}

#[test]
fn an_old_version_is_refused_where_the_configuration_says_so() {
    for (min_version, is_refused) in [(TlsVersion::Tls12, false), (TlsVersion::Tls13, true)] {
        let running = Running::with(|config, _| config.tls.min_version = min_version);
        let mut roots = rustls::RootCertStore::empty();
        use rustls::pki_types::{CertificateDer, pem::PemObject};
        let root = CertificateDer::from_pem_slice(running.authority.pem().as_bytes());
        roots.add(root.expect("PEM")).expect("a certificate");
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        let old = rustls::ClientConfig::builder_with_provider(provider.into())
            .with_protocol_versions(&[&TLS12])
            .expect("it has it")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let mut client = Client::new(running.tcp, old.into());
        if is_refused {
            client.try_write(b"x").expect_err("refused");
            running.counts(&failures("incompatible"), 1);
        } else {
            client.connect();
        }
    }
}

#[test]
fn a_server_stops_with_handshakes_on_their_way() {
    let mut running = Running::start();
    let mut stream = TcpStream::connect(running.tcp).expect("it listens");
    stream.write_all(&[0x16]).expect("it reads");
    running.client();
    running.stop();
    let begin = std::time::Instant::now();
    drop(running);
    // Less than handshakes may take.
    assert!(begin.elapsed() < Duration::from_secs(8));
}
