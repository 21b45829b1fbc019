//! Headers as slices of the bytes that were read.

use std::fmt;

use bytestring::ByteString;
use smallvec::SmallVec;

/// The headers of a frame, in order, repeated ones included.
///
/// Names and values are spans of one reference-counted text, the head of the frame as it was read. What had to be
/// unescaped, and what was pushed, lies in a second text that stays unallocated while it is empty.
#[derive(Clone, Default)]
pub struct Headers {
    head: ByteString,
    side: String,
    fields: Fields,
}

impl Headers {
    /// No headers.
    pub fn new() -> Self {
        Self::default()
    }

    pub(crate) fn from_head(head: ByteString, fields: Fields) -> Self {
        Self {
            head,
            side: String::new(),
            fields,
        }
    }

    /// The value of the first header of this name; names are case-sensitive. The first one counts where a header is
    /// repeated (STOMP 1.2, "Repeated Header Entries").
    pub fn get(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|field| self.text(field.name) == name)
            .map(|field| self.text(field.value))
    }

    /// Name and value of each header, repeated ones included.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> + Clone {
        self.fields
            .iter()
            .map(|field| (self.text(field.name), self.text(field.value)))
    }

    /// Adds a header at the end. It stays hidden from [`get`](Self::get) if one of this name stands before it.
    ///
    /// # Panics
    ///
    /// When the pushed headers of one frame together pass 2 GiB.
    pub fn push(&mut self, name: &str, value: &str) {
        // One allocation for both.
        self.side.reserve(name.len() + value.len());
        let field = Field {
            name: self.keep(name),
            value: self.keep(value),
        };
        self.fields.push(field);
    }

    /// How many headers there are, repeated ones counted.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Bytes of text of these headers, with their separators.
    pub fn byte_len(&self) -> usize {
        self.head.len() + self.side.len()
    }

    /// The same headers in memory of their own, so that the read buffer they came from is free.
    pub(crate) fn detached(mut self) -> Self {
        self.head = ByteString::from(&*self.head);
        self
    }

    /// Rewrites names and values; `None` from `rewrite` leaves a text as it is.
    pub(crate) fn rewrite<E>(
        &mut self,
        mut rewrite: impl FnMut(usize, &str) -> Result<Option<String>, E>,
    ) -> Result<(), E> {
        for index in 0..self.fields.len() {
            let Field {
                mut name,
                mut value,
            } = self.fields[index];
            if let Some(text) = rewrite(index, self.text(name))? {
                name = self.keep(&text);
            }
            if let Some(text) = rewrite(index, self.text(value))? {
                value = self.keep(&text);
            }
            self.fields[index] = Field { name, value };
        }
        Ok(())
    }

    /// Cuts white space from both ends of each value.
    pub(crate) fn trim_values(&mut self) {
        for index in 0..self.fields.len() {
            let value = self.fields[index].value;
            let text = self.text(value);
            let left = text.len() - text.trim_ascii_start().len();
            let len = text.trim_ascii().len();
            self.fields[index].value = Span {
                start: value.start + left as u32,
                len: len as u32,
            };
        }
    }

    fn keep(&mut self, text: &str) -> Span {
        let start = self.side.len();
        self.side.push_str(text);
        assert!(
            self.side.len() < SIDE as usize,
            "headers of one frame are under 2 GiB"
        );
        Span {
            start: start as u32 | SIDE,
            len: text.len() as u32,
        }
    }

    fn text(&self, span: Span) -> &str {
        let text: &str = if span.start & SIDE == 0 {
            &self.head
        } else {
            &self.side
        };
        let start = (span.start & !SIDE) as usize;
        &text[start..start + span.len as usize]
    }
}

impl PartialEq for Headers {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Headers {}

/// Shows every header but the value of `passcode`, so that a log of frames tells no password.
impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.iter().map(|(name, value)| {
                (
                    name,
                    if name == "passcode" {
                        "<hidden>"
                    } else {
                        value
                    },
                )
            }))
            .finish()
    }
}

impl<'a> FromIterator<(&'a str, &'a str)> for Headers {
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str)>>(headers: I) -> Self {
        let mut all = Self::new();
        headers
            .into_iter()
            .for_each(|(name, value)| all.push(name, value));
        all
    }
}

/// Most frames have at most this many headers and need no allocation for the spans.
pub(crate) type Fields = SmallVec<[Field; 6]>;

/// Where one header lies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field {
    pub(crate) name: Span,
    pub(crate) value: Span,
}

/// A range of the head, or of the side text when the top bit of `start` is set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    start: u32,
    len: u32,
}

impl Span {
    /// A range of the head.
    pub(crate) fn of_head(start: usize, end: usize) -> Self {
        debug_assert!(start <= end && end <= MAX_HEAD_BYTES);
        Self {
            start: start as u32,
            len: (end - start) as u32,
        }
    }

    /// The bytes of this range of the head, before it is known to be text.
    pub(crate) fn bytes(self, head: &[u8]) -> &[u8] {
        &head[self.start as usize..][..self.len as usize]
    }
}

/// The longest head that spans can address.
pub(crate) const MAX_HEAD_BYTES: usize = SIDE as usize - 1;

const SIDE: u32 = 1 << 31;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_of_repeated_headers_wins() {
        let headers: Headers = [("a", "1"), ("b", "2"), ("a", "3")].into_iter().collect();
        assert_eq!(headers.get("a"), Some("1"));
        assert_eq!(headers.get("A"), None);
        assert_eq!(
            headers.iter().collect::<Vec<_>>(),
            [("a", "1"), ("b", "2"), ("a", "3")]
        );
        assert_eq!((headers.len(), headers.byte_len()), (3, 6));
    }

    #[test]
    fn debug_output_hides_the_passcode() {
        let headers: Headers = [("login", "ann"), ("passcode", "secret")]
            .into_iter()
            .collect();
        assert_eq!(
            format!("{headers:?}"),
            r#"{"login": "ann", "passcode": "<hidden>"}"#
        );
    }

    #[test]
    fn pushed_headers_stand_beside_those_that_were_read() {
        let fields = [Field {
            name: Span::of_head(0, 1),
            value: Span::of_head(2, 5),
        }]
        .into_iter()
        .collect();
        let mut headers = Headers::from_head(ByteString::from_static("a: x \n"), fields);
        headers.trim_values();
        headers.push("b", "");
        assert_eq!(headers.iter().collect::<Vec<_>>(), [("a", "x"), ("b", "")]);
    }
}
