//! Clients that show a certificate.

use std::path::PathBuf;

use tidings_server::config::ClientCertificates;

use crate::certificates::{Authority, Folder};
use crate::client::Client;
use crate::server::Running;

fn asking(mode: ClientCertificates, signer: &Authority) -> Running {
    let pem = signer.pem();
    Running::with(|config, folder: &Folder| {
        config.tls.client_certificates = mode;
        let path: PathBuf = folder.write("clients.pem", &pem);
        config.tls.client_ca = Some(path);
    })
}

fn is_let_in(running: &Running, own: Option<&crate::certificates::Pair>) -> bool {
    let mut client = Client::new(running.tcp, running.authority.client(own));
    let asked = client.try_write(b"CONNECT\naccept-version:1.2\nhost:x\n\n\0");
    // With TLS 1.3 a client hears of the refusal after its own end of the handshake.
    asked.is_ok() && matches!(client.byte(), Ok(Some(b'C')))
}

fn failures(running: &Running, reason: &str) -> u64 {
    running.count(&format!(
        "tidings_tls_failures_total{{reason=\"{reason}\"}}"
    ))
}

#[test]
fn who_must_show_a_certificate_and_has_none_or_a_wrong_one_is_refused() {
    let (signer, stranger) = (Authority::new("clients"), Authority::new("others"));
    let running = asking(ClientCertificates::Required, &signer);
    assert!(is_let_in(&running, Some(&signer.sign("ada"))));
    assert!(!is_let_in(&running, None));
    assert!(!is_let_in(&running, Some(&stranger.sign("ada"))));
    assert_eq!(failures(&running, "no-client-certificate"), 1);
    assert_eq!(failures(&running, "bad-client-certificate"), 1);
}

#[test]
fn who_may_show_a_certificate_shows_a_good_one_or_none() {
    let (signer, stranger) = (Authority::new("clients"), Authority::new("others"));
    let running = asking(ClientCertificates::Optional, &signer);
    assert!(is_let_in(&running, Some(&signer.sign("ada"))));
    assert!(is_let_in(&running, None));
    assert!(!is_let_in(&running, Some(&stranger.sign("ada"))));
    assert_eq!(failures(&running, "bad-client-certificate"), 1);
}

#[test]
fn a_certificate_that_has_expired_is_refused() {
    let signer = Authority::new("clients");
    let running = asking(ClientCertificates::Required, &signer);
    let expired = signer.sign_with("ada", |params| {
        params.not_before = rcgen::date_time_ymd(2000, 1, 1);
        params.not_after = rcgen::date_time_ymd(2001, 1, 1);
    });
    assert!(!is_let_in(&running, Some(&expired)));
    assert_eq!(failures(&running, "bad-client-certificate"), 1);
}

#[test]
fn who_signs_clients_may_change_and_no_old_session_comes_back() {
    let (old, new) = (Authority::new("old"), Authority::new("new"));
    let running = asking(ClientCertificates::Required, &old);
    let ada = running.authority.client(Some(&old.sign("ada")));
    let connects = |config| {
        let mut client = Client::new(running.tcp, config);
        let asked = client.try_write(b"CONNECT\naccept-version:1.2\nhost:x\n\n\0");
        let is_in = asked.is_ok() && matches!(client.byte(), Ok(Some(b'C')));
        (is_in, client.tls().handshake_kind())
    };
    assert_eq!(
        connects(ada.clone()),
        (true, Some(rustls::HandshakeKind::Full))
    );
    assert_eq!(
        connects(ada.clone()),
        (true, Some(rustls::HandshakeKind::Resumed))
    );
    running.folder.write("clients.pem", &new.pem());
    running.tls.reload(&running.config.tls).expect("good files");
    assert!(!connects(ada).0);
    assert!(is_let_in(&running, Some(&new.sign("ada"))));
}
