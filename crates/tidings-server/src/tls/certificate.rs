//! What a certificate says: whose it is, and until when (RFC 5280, section 4.1). Only of certificates that were verified,
//! or that the operator wrote; whatever the bytes are, nothing is read beyond them.

use std::time::Duration;

use rustls::pki_types::CertificateDer;

const INTEGER: u8 = 0x02;
const OBJECT_IDENTIFIER: u8 = 0x06;
const OCTET_STRING: u8 = 0x04;
const UTF8_STRING: u8 = 0x0c;
const PRINTABLE_STRING: u8 = 0x13;
const IA5_STRING: u8 = 0x16;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
/// Alternatives within `GeneralName`.
const DNS_NAME: u8 = 0x82;
const URI: u8 = 0x86;

/// 2.5.4.3
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
/// 2.5.29.17
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];

/// Longest name that is taken: as long as the longest one in DNS.
const MAX_NAME_BYTES: usize = 255;

/// The name that a certificate gives its owner: the common name of its subject, else its first DNS name or URI. None where
/// there is none, or it is no printable text.
pub(crate) fn name_of(certificate: &CertificateDer<'_>) -> Option<String> {
    let fields = Fields::of(certificate)?;
    let name = common_name(fields.subject).or_else(|| alternative_name(fields.rest))?;
    let text = str::from_utf8(name).ok()?;
    let is_name =
        !text.is_empty() && text.len() <= MAX_NAME_BYTES && !text.chars().any(char::is_control);
    is_name.then(|| text.to_owned())
}

/// When a certificate expires, since the epoch; zero for one that expired before.
pub(super) fn expiry_of(certificate: &CertificateDer<'_>) -> Option<Duration> {
    let mut validity = Der(Fields::of(certificate)?.validity);
    validity.next()?;
    match validity.next()? {
        (GENERALIZED_TIME, text) => seconds(text),
        (UTC_TIME, text) => {
            // Two digits of a year are of 1950 to 2049 (RFC 5280, section 4.1.2.5.1).
            let century: &[u8] = if *text.first()? < b'5' { b"20" } else { b"19" };
            seconds(&[century, text].concat())
        }
        _ => None,
    }
    .map(Duration::from_secs)
}

/// The fields of a `TBSCertificate` that matter here.
struct Fields<'a> {
    validity: &'a [u8],
    subject: &'a [u8],
    /// What follows the subject.
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    fn of(certificate: &'a CertificateDer<'_>) -> Option<Self> {
        let signed = Der(certificate).expect(SEQUENCE)?;
        let mut fields = Der(Der(signed).expect(SEQUENCE)?);
        if fields.0.first() == Some(&VERSION) {
            fields.next()?;
        }
        fields.expect(INTEGER)?;
        // The algorithm of the signature, and who has signed.
        fields.expect(SEQUENCE)?;
        fields.expect(SEQUENCE)?;
        Some(Self {
            validity: fields.expect(SEQUENCE)?,
            subject: fields.expect(SEQUENCE)?,
            rest: fields.0,
        })
    }
}

fn common_name(subject: &[u8]) -> Option<&[u8]> {
    Der(subject)
        .filter(|(tag, _)| *tag == SET)
        .flat_map(|(_, set)| Der(set))
        .find_map(|(_, attribute)| {
            let mut attribute = Der(attribute);
            let is_common_name = attribute.expect(OBJECT_IDENTIFIER)? == COMMON_NAME;
            match attribute.next()? {
                (UTF8_STRING | PRINTABLE_STRING | IA5_STRING, text) if is_common_name => Some(text),
                _ => None,
            }
        })
}

fn alternative_name(rest: &[u8]) -> Option<&[u8]> {
    let (_, extensions) = Der(rest).find(|(tag, _)| *tag == EXTENSIONS)?;
    Der(Der(extensions).expect(SEQUENCE)?).find_map(|(_, extension)| {
        let mut extension = Der(extension);
        if extension.expect(OBJECT_IDENTIFIER)? != SUBJECT_ALT_NAME {
            return None;
        }
        let (_, value) = extension.find(|(tag, _)| *tag == OCTET_STRING)?;
        let names = Der(Der(value).expect(SEQUENCE)?);
        names
            .into_iter()
            .find_map(|(tag, name)| matches!(tag, DNS_NAME | URI).then_some(name))
    })
}

/// Seconds since the epoch of `YYYYMMDDHHMMSSZ`.
fn seconds(text: &[u8]) -> Option<u64> {
    let digits = text.strip_suffix(b"Z").filter(|text| text.len() == 14)?;
    let number = |from: usize, to: usize| str::from_utf8(&digits[from..to]).ok()?.parse().ok();
    let (year, month, day): (u64, u64, u64) = (number(0, 4)?, number(4, 6)?, number(6, 8)?);
    let (hour, minute, second): (u64, u64, u64) =
        (number(8, 10)?, number(10, 12)?, number(12, 14)?);
    if year < 1970 || !(1..=12).contains(&month) {
        return (year < 1970).then_some(0);
    }
    // Years that begin in March have their leap day at the end.
    let (years, months) = match month {
        1 | 2 => (year - 1, month + 9),
        _ => (year, month - 3),
    };
    let leap_days = years / 4 - years / 100 + years / 400;
    // From the first of March of the year 0, and 719,468 days later the epoch begins.
    let days = (years * 365 + leap_days + (months * 153 + 2) / 5 + day).checked_sub(719_469)?;
    Some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

/// Elements of DER one after the other, each with its tag (X.690, section 8.1). Ends where one is cut off.
#[derive(Clone, Copy)]
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// What is in the next element, if it has this tag.
    fn expect(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (found, content) = self.next()?;
        (found == tag).then_some(content)
    }
}

impl<'a> Iterator for Der<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (&[tag, length], rest) = self.0.split_first_chunk()?;
        let (length, rest) = match length {
            0..=0x7f => (usize::from(length), rest),
            // `0x80` is of no length that is known before the end: never in DER.
            0x81..=0x84 => {
                let (bytes, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
                let join = |length: usize, byte: &u8| length << 8 | usize::from(*byte);
                (bytes.iter().fold(0, join), rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, content))
    }
}

#[cfg(test)]
mod tests;
