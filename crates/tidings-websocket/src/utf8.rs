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
