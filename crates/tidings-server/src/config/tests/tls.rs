//! What is said about `[tls]`.

use rcgen::{CertificateParams, KeyPair, date_time_ymd};

use super::*;

/// A folder that goes with the test, with the certificate and key of a server.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, year_of_expiry: i32) -> Self {
        let name = format!("tidings-config-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("the temporary folder can be written");
        let folder = Self(path);
        let mut params = CertificateParams::new(["localhost".to_owned()]).expect("a name");
        params.not_before = date_time_ymd(2000, 1, 1);
        params.not_after = date_time_ymd(year_of_expiry, 1, 1);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        folder.write("server.pem", &certificate.pem());
        folder.write("server.key", &key.serialize_pem());
        folder
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.join(name), text).expect("the folder can be written");
    }

    /// A configuration that uses the files, with `more` in its section.
    fn config(&self, more: &str) -> String {
        let folder = self.0.display();
        format!(
            "[http]\ntls = true\n[tls]\ncertificate = '{folder}/server.pem'\nkey = '{folder}/server.key'\n{more}\n"
        )
    }

    fn complaints(&self, more: &str) -> String {
        complaints(&self.config(more)).replace(&*self.0.to_string_lossy(), "FOLDER")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn good_files_are_accepted_without_a_word() {
    let folder = Folder::new("good", 2200);
    let config = load(&folder.config("min_version = \"1.3\"\nhandshake_timeout = \"5s\""));
    let config = config.expect("accepted");
    assert_eq!(config.tls.min_version, TlsVersion::Tls13);
    assert_eq!(config.tls.handshake_timeout, Duration::from_secs(5));
    assert_eq!(config.warnings(), Vec::<String>::new());
}

#[test]
fn a_certificate_that_has_expired_is_a_warning() {
    let folder = Folder::new("expired", 2001);
    let warnings = load(&folder.config("")).expect("accepted").warnings();
    assert_eq!(
        warnings,
        ["`tls.certificate` has expired: clients refuse it; renew it"]
    );
}

#[test]
fn tls_without_a_certificate_contradicts() {
    for (section, key) in [("http", "http.tls"), ("tcp", "tcp.tls")] {
        let said = complaints(&format!("[{section}]\ntls = true"));
        let expected = format!(
            "`{key}` at tidings.toml:2 is true, and the server has no certificate; write `tls.certificate` and `tls.key`"
        );
        assert_eq!(said, expected);
    }
    let said = complaints("[tls]\nclient_certificates = \"required\"");
    assert_eq!(
        said,
        "`tls.client_certificates` at tidings.toml:2 asks clients for certificates, and nobody is known who may sign \
         them; write `tls.client_ca`"
    );
}

#[test]
fn files_that_cannot_be_used_are_named_with_their_key() {
    let folder = Folder::new("bad", 2200);
    let other = KeyPair::generate().expect("a key").serialize_pem();
    let good = std::fs::read_to_string(folder.0.join("server.key")).expect("it is there");
    folder.write("server.key", &other);
    assert_eq!(
        folder.complaints(""),
        "`tls.key` at tidings.toml:5 names FOLDER/server.key, which is not the key of the first certificate in \
         FOLDER/server.pem; put the server's own certificate first, and renew both files together"
    );
    folder.write("server.key", "no PEM");
    assert_eq!(
        folder.complaints(""),
        "`tls.key` at tidings.toml:5 names FOLDER/server.key, which holds no private key; name one in PEM, without a \
         passphrase"
    );
    folder.write("server.key", &good);
    let said =
        folder.complaints("client_certificates = \"optional\"\nclient_ca = \"/nowhere.pem\"");
    let expected = "`tls.client_ca` at tidings.toml:7 names /nowhere.pem, which cannot be read: ";
    assert!(said.starts_with(expected), "{said}");
    std::fs::remove_file(folder.0.join("server.pem")).expect("it is there");
    let expected =
        "`tls.certificate` at tidings.toml:4 names FOLDER/server.pem, which cannot be read: ";
    let said = folder.complaints("");
    assert!(said.starts_with(expected), "{said}");
}

#[test]
fn what_does_nothing_deserves_a_word() {
    let folder = Folder::new("idle", 2200);
    let unused = folder.config("").replace("tls = true", "tls = false");
    let warnings = load(&unused).expect("accepted").warnings();
    assert_eq!(
        warnings,
        ["`tls.certificate` is given, and no listener speaks TLS: set `http.tls` or `tcp.tls`"]
    );
    let warnings = load(&folder.config("client_ca = \"a.pem\"")).expect("accepted");
    assert_eq!(
        warnings.warnings(),
        [
            "`tls.client_ca` is given, and `tls.client_certificates` is off: no client is asked for a certificate"
        ]
    );
}

#[test]
fn a_version_is_written_in_quotes() {
    let said = complaints("[tls]\nmin_version = 1.3");
    assert_eq!(
        said,
        "`tls.min_version` at tidings.toml:2 is 1.3; allowed: `1.2` or `1.3`, in quotes"
    );
}
