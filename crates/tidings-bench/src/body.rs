//! Message bodies that tell who sent them, which in order they are, and whether a byte was changed.

/// `P` 6 digits ` S` 14 digits and a space.
pub(crate) const STAMP_BYTES: usize = 24;

/// A prime, so that neighbouring messages differ in every byte of their filling.
const PERIOD: usize = 61;

/// Writes and checks the bodies of one run, all of the same size.
#[derive(Debug)]
pub(crate) struct Bodies {
    size: usize,
    filling: Vec<u8>,
}

impl Bodies {
    /// Bodies of `size` bytes, at least [`STAMP_BYTES`].
    pub(crate) fn new(size: usize) -> Self {
        let size = size.max(STAMP_BYTES);
        let filling = (0..size + PERIOD)
            .map(|at| b'A' + (at % PERIOD) as u8)
            .collect();
        Self { size, filling }
    }

    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// Puts the body of message `sequence` of `publisher` in `body`, which is cleared first.
    pub(crate) fn write(&self, body: &mut Vec<u8>, publisher: u32, sequence: u64) {
        body.clear();
        body.push(b'P');
        push_digits(body, u64::from(publisher), 6);
        body.extend_from_slice(b" S");
        push_digits(body, sequence, 14);
        body.push(b' ');
        body.extend_from_slice(self.filling_of(publisher, sequence));
    }

    /// Publisher and sequence number of a body; `None`: a byte is wrong.
    pub(crate) fn read(&self, body: &[u8]) -> Option<(u32, u64)> {
        if body.len() != self.size || body[0] != b'P' || &body[7..9] != b" S" || body[23] != b' ' {
            return None;
        }
        let publisher = u32::try_from(digits(&body[1..7])?).ok()?;
        let sequence = digits(&body[9..23])?;
        (&body[STAMP_BYTES..] == self.filling_of(publisher, sequence))
            .then_some((publisher, sequence))
    }

    fn filling_of(&self, publisher: u32, sequence: u64) -> &[u8] {
        let offset = (u64::from(publisher) + sequence) % PERIOD as u64;
        &self.filling[offset as usize..][..self.size - STAMP_BYTES]
    }
}

fn push_digits(out: &mut Vec<u8>, number: u64, count: u32) {
    for place in (0..count).rev() {
        out.push(b'0' + (number / 10_u64.pow(place) % 10) as u8);
    }
}

fn digits(bytes: &[u8]) -> Option<u64> {
    bytes.iter().try_fold(0, |number, byte| {
        byte.is_ascii_digit()
            .then(|| number * 10 + u64::from(byte - b'0'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_reads_back_and_every_changed_byte_is_noticed() {
        let bodies = Bodies::new(128);
        let mut body = Vec::new();
        bodies.write(&mut body, 42, 9_876_543_210);
        assert_eq!(body.len(), 128);
        assert_eq!(bodies.read(&body), Some((42, 9_876_543_210)));
        for at in 0..body.len() {
            let mut changed = body.clone();
            changed[at] ^= 1;
            assert_ne!(
                bodies.read(&changed),
                Some((42, 9_876_543_210)),
                "byte {at}"
            );
        }
        assert_eq!(bodies.read(&body[..127]), None);
    }

    #[test]
    fn a_body_is_never_smaller_than_its_stamp() {
        let bodies = Bodies::new(1);
        let mut body = Vec::new();
        bodies.write(&mut body, 0, 0);
        assert_eq!(bodies.size(), STAMP_BYTES);
        assert_eq!(bodies.read(&body), Some((0, 0)));
    }
}
