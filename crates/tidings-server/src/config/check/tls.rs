//! TLS that cannot work, and what of it deserves a word.

use std::time::{Duration, SystemTime};

use super::super::checked::{ClientCertificates, Config};
use super::super::units::format_duration;
use super::Report;
use crate::listen::ListenerKind;
use crate::tls::{load, time_left};

/// A certificate that ends sooner deserves a word.
const SOON: Duration = Duration::from_hours(7 * 24);

pub(super) fn check(config: &Config, report: &mut Report<'_>) {
    let tls = &config.tls;
    let keys = ["tls.certificate", "tls.key", "tls.client_ca"];
    for (key, is_on) in [("http.tls", config.http.tls), ("tcp.tls", config.tcp.tls)] {
        let is_complete = tls.certificate.is_some() && tls.key.is_some();
        report.require(!is_on || is_complete, key, &keys, || {
            "is true, and the server has no certificate; write `tls.certificate` and `tls.key`"
                .to_owned()
        });
    }
    let needs_ca = tls.client_certificates != ClientCertificates::Off;
    report.require(
        !needs_ca || tls.client_ca.is_some(),
        "tls.client_certificates",
        &keys,
        || {
            "asks clients for certificates, and nobody is known who may sign them; write `tls.client_ca`".to_owned()
        },
    );
    let is_complete =
        tls.certificate.is_some() && tls.key.is_some() && (!needs_ca || tls.client_ca.is_some());
    if !config.uses_tls() || !is_complete {
        return;
    }
    if let Err(error) = load(tls) {
        report.require(false, error.key(), &keys, || error.cause());
    }
}

pub(super) fn warnings(config: &Config) -> Vec<String> {
    let tls = &config.tls;
    let mut warnings = Vec::new();
    if !config.uses_tls() {
        if tls.certificate.is_some() {
            warnings.push(
                "`tls.certificate` is given, and no listener speaks TLS: set `http.tls` or `tcp.tls`"
                    .to_owned(),
            );
        }
        return warnings;
    }
    if tls.client_ca.is_some() && tls.client_certificates == ClientCertificates::Off {
        warnings.push(
            "`tls.client_ca` is given, and `tls.client_certificates` is off: no client is asked for a certificate"
                .to_owned(),
        );
    }
    match time_left(tls, SystemTime::now()) {
        Some(left) if left.is_zero() => {
            warnings.push("`tls.certificate` has expired: clients refuse it; renew it".to_owned())
        }
        Some(left) if left < SOON => warnings.push(format!(
            "`tls.certificate` expires in {}: renew it",
            format_duration(Duration::from_secs(left.as_secs()))
        )),
        _ => {}
    }
    warnings
}

impl Config {
    /// Whether any listener speaks TLS.
    pub(crate) fn uses_tls(&self) -> bool {
        self.http.tls || self.tcp.tls && self.tcp.listen.is_some()
    }

    /// Whether this listener does. The admin listener is private and speaks none.
    pub(crate) fn speaks_tls(&self, kind: ListenerKind) -> bool {
        match kind {
            ListenerKind::Http | ListenerKind::Api => self.http.tls,
            ListenerKind::Tcp => self.tcp.tls,
            ListenerKind::Admin => false,
        }
    }
}
