//! UTF-8 that arrives in pieces.

/// Checks text piece by piece. What it keeps between two pieces is the beginning of one character, at most three bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Utf8Check {
    begun: [u8; 3],
    len: u8,
}

/// The text is not UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotUtf8;

impl Utf8Check {
    /// Checks the next piece. An error stands as soon as no continuation could make the text valid.
    pub(crate) fn push(&mut self, mut piece: &[u8]) -> Result<(), NotUtf8> {
        while self.len > 0 {
            let Some((&next, rest)) = piece.split_first() else {
                return Ok(());
            };
            piece = rest;
            self.complete(next)?;
        }
        let split = piece.len() - unfinished(piece);
        let (whole, tail) = piece.split_at(split);
        simdutf8::basic::from_utf8(whole).map_err(|_| NotUtf8)?;
        if !tail.is_empty() {
            begins_character(tail)?;
            self.begun[..tail.len()].copy_from_slice(tail);
            self.len = tail.len() as u8;
        }
        Ok(())
    }

    /// Checks that the text does not end within a character.
    pub(crate) fn finish(&self) -> Result<(), NotUtf8> {
        if self.len == 0 { Ok(()) } else { Err(NotUtf8) }
    }

    /// Adds one byte to the character that is under way.
    fn complete(&mut self, next: u8) -> Result<(), NotUtf8> {
        let len = usize::from(self.len);
        let mut character = [0; 4];
        character[..len].copy_from_slice(&self.begun[..len]);
        character[len] = next;
        let character = &character[..=len];
        if std::str::from_utf8(character).is_ok() {
            self.len = 0;
            return Ok(());
        }
        begins_character(character)?;
        // A valid beginning has at most three bytes, so it fits.
        self.begun[..=len].copy_from_slice(character);
        self.len += 1;
        Ok(())
    }
}

/// How many bytes at the end of `piece` begin a character that needs more bytes than are there.
fn unfinished(piece: &[u8]) -> usize {
    for back in 1..=piece.len().min(3) {
        let width = match piece[piece.len() - back] {
            0xC0..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0..=0xF7 => 4,
            0x80..=0xBF => continue,
            _ => 1,
        };
        return if width > back { back } else { 0 };
    }
    0
}

/// Checks that `bytes`, too few for a character, could begin one.
fn begins_character(bytes: &[u8]) -> Result<(), NotUtf8> {
    match std::str::from_utf8(bytes) {
        Err(error) if error.valid_up_to() == 0 && error.error_len().is_none() => Ok(()),
        _ => Err(NotUtf8),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Beginnings and ends of every range that UTF-8 allows or excludes.
    const EDGES: &[u8] = &[
        0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xED,
        0xEF, 0xF0, 0xF1, 0xF4, 0xF5, 0xF7, 0xF8, 0xFF,
    ];

    fn check(pieces: &[&[u8]]) -> bool {
        let mut check = Utf8Check::default();
        pieces.iter().all(|piece| check.push(piece).is_ok()) && check.finish().is_ok()
    }

    #[test]
    fn all_edges_in_all_pieces_are_judged_like_the_whole() {
        for i in 0..EDGES.len().pow(4) {
            let bytes: [u8; 4] =
                std::array::from_fn(|at| EDGES[i / EDGES.len().pow(at as u32) % EDGES.len()]);
            let expected = std::str::from_utf8(&bytes).is_ok();
            for cut in 0..=4 {
                let (head, tail) = bytes.split_at(cut);
                assert_eq!(check(&[head, tail]), expected, "{bytes:02X?} cut at {cut}");
            }
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            assert_eq!(check(&single), expected, "{bytes:02X?} byte by byte");
        }
    }

    #[test]
    fn a_wrong_byte_is_told_at_once() {
        for wrong in [
            &b"\xC0"[..],
            b"\xF5",
            b"\x80",
            b"\xED\xA0",
            b"\xE0\x80",
            b"\xF4\x90",
            b"\xF0\x8F",
        ] {
            assert_eq!(
                Utf8Check::default().push(wrong),
                Err(NotUtf8),
                "{wrong:02X?}"
            );
        }
    }

    #[test]
    fn text_must_not_end_within_a_character() {
        assert!(!check(&[b"abc\xF0\x9F\x8E"]));
        assert!(check(&[b"abc\xF0\x9F\x8E", b"", b"\x88"]));
    }
}
