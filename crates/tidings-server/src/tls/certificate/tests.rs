use proptest::prelude::*;
use rcgen::{CertificateParams, DnType, DnValue, KeyPair, SanType, date_time_ymd};

use super::*;

fn certificate(change: impl FnOnce(&mut CertificateParams)) -> CertificateDer<'static> {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    change(&mut params);
    let key = KeyPair::generate().expect("a key");
    let certificate = params.self_signed(&key).expect("a certificate");
    certificate.der().clone()
}

fn uri(text: &str) -> SanType {
    SanType::URI(text.try_into().expect("ascii"))
}

fn dns(text: &str) -> SanType {
    SanType::DnsName(text.try_into().expect("ascii"))
}

#[test]
fn the_common_name_comes_before_alternatives() {
    let named = certificate(|params| {
        params
            .distinguished_name
            .push(DnType::OrganizationName, "Acme");
        params.distinguished_name.push(DnType::CommonName, "Zoë");
        params.subject_alt_names = vec![dns("other.example")];
    });
    assert_eq!(name_of(&named).as_deref(), Some("Zoë"));
    let printable = DnValue::PrintableString("device 7".try_into().expect("printable"));
    let named = certificate(|params| {
        params
            .distinguished_name
            .push(DnType::CommonName, printable)
    });
    assert_eq!(name_of(&named).as_deref(), Some("device 7"));
}

#[test]
fn without_a_common_name_the_first_dns_name_or_uri_counts() {
    let workload = certificate(|params| {
        params.subject_alt_names = vec![
            SanType::Rfc822Name("a@b.example".try_into().expect("ascii")),
            uri("spiffe://example/billing"),
            dns("other.example"),
        ];
    });
    assert_eq!(
        name_of(&workload).as_deref(),
        Some("spiffe://example/billing")
    );
    assert_eq!(name_of(&certificate(|_| ())), None);
}

#[test]
fn what_is_no_name_is_none() {
    for wrong in ["", "two\nlines", "nul\0", &"x".repeat(256)] {
        let named = certificate(|params| params.distinguished_name.push(DnType::CommonName, wrong));
        assert_eq!(name_of(&named), None, "{wrong:?}");
    }
}

#[test]
fn expiry_is_read_in_both_forms() {
    for (year, month, day, seconds) in [
        (2026, 11, 22, 1_795_305_600),
        (2028, 2, 29, 1_835_395_200),
        (2049, 12, 31, 2_524_521_600),
        (2050, 1, 1, 2_524_608_000),
        (1970, 1, 1, 0),
    ] {
        let ends = certificate(|params| {
            params.not_before = date_time_ymd(1960, 1, 1);
            params.not_after = date_time_ymd(year, month, day);
        });
        assert_eq!(expiry_of(&ends), Some(Duration::from_secs(seconds)));
    }
}

#[test]
fn a_certificate_that_is_cut_off_says_nothing() {
    let whole = certificate(|params| params.subject_alt_names = vec![dns("a.example")]);
    assert_eq!(name_of(&whole).as_deref(), Some("a.example"));
    for length in 0..whole.len() {
        let cut = CertificateDer::from(&whole[..length]);
        assert_eq!((name_of(&cut), expiry_of(&cut)), (None, None));
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read(at in 0_usize..400, byte: u8) {
        let mut bytes = certificate(|params| params.subject_alt_names = vec![dns("a.example")]).to_vec();
        let at = at % bytes.len();
        bytes[at] = byte;
        let changed = CertificateDer::from(bytes);
        let _ = (name_of(&changed), expiry_of(&changed));
    }
}
