//! `permessage-deflate`: what was agreed, and how (RFC 7692, sections 5 and 7.1).

use crate::opcode::Role;

/// The name of the only extension that we know.
const NAME: &str = "permessage-deflate";

/// Compression as agreed in the handshake. Neither end remembers anything from one message to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeflateParams {
    /// The server's window holds 2 to this power bytes; 9 to 15.
    pub server_max_window_bits: u8,
    /// The client's window holds 2 to this power bytes; 8 to 15.
    pub client_max_window_bits: u8,
    /// Whether the client's offer named a `client_max_window_bits` value, so that the answer repeats it.
    client_bits_offered: bool,
}

impl Default for DeflateParams {
    /// Full windows of 32 KiB.
    fn default() -> Self {
        Self {
            server_max_window_bits: 15,
            client_max_window_bits: 15,
            client_bits_offered: false,
        }
    }
}

impl DeflateParams {
    /// Takes the first offer in a `Sec-WebSocket-Extensions` header that a server can fulfil; `None` if there is none.
    ///
    /// An offer that is malformed, has an unknown parameter or asks for a server window of 8 bits, which zlib does not
    /// have, is passed over.
    pub fn accept(offers: &str) -> Option<Self> {
        split_list(offers, ',').find_map(Self::accept_one)
    }

    /// The value of the server's `Sec-WebSocket-Extensions` header.
    pub fn response_header(&self) -> String {
        let mut header = format!("{NAME}; server_no_context_takeover; client_no_context_takeover");
        if self.server_max_window_bits < 15 {
            header += &format!("; server_max_window_bits={}", self.server_max_window_bits);
        }
        if self.client_bits_offered {
            header += &format!("; client_max_window_bits={}", self.client_max_window_bits);
        }
        header
    }

    /// The value of a client's `Sec-WebSocket-Extensions` header.
    pub fn offer_header() -> String {
        format!("{NAME}; server_no_context_takeover; client_no_context_takeover")
    }

    /// Reads a server's answer to [`offer_header`](Self::offer_header). `None` if it is not an answer to that offer; the
    /// client then gives up the connection.
    pub fn from_response(response: &str) -> Option<Self> {
        let mut extensions = split_list(response, ',');
        let parsed = Offer::parse(extensions.next()?)?;
        let fits = extensions.next().is_none()
            && parsed.server_no_context_takeover
            && parsed.client_bits.is_none();
        fits.then(|| Self {
            server_max_window_bits: parsed.server_bits.unwrap_or(15),
            ..Self::default()
        })
    }

    /// Whether a connection with these parameters can read a message of `payload_len` bytes that was compressed with a
    /// window of `window_bits`. A distance never reaches back beyond the message's own beginning, so short messages
    /// suit every window.
    pub fn covers(&self, window_bits: u8, payload_len: usize) -> bool {
        window_bits <= self.server_max_window_bits
            || payload_len <= 1 << self.server_max_window_bits
    }

    /// The window that the end in this role needs to inflate what it receives.
    pub(crate) fn inflate_bits(&self, role: Role) -> u8 {
        let bits = match role {
            Role::Server => self.client_max_window_bits,
            Role::Client => self.server_max_window_bits,
        };
        // zlib turns a requested window of 8 bits into 9, on the other end too.
        bits.clamp(9, 15)
    }

    fn accept_one(offer: &str) -> Option<Self> {
        let offer = Offer::parse(offer)?;
        let server_max_window_bits = offer.server_bits.unwrap_or(15);
        let client_bits = offer.client_bits.flatten();
        (server_max_window_bits >= 9).then(|| Self {
            server_max_window_bits,
            client_max_window_bits: client_bits.unwrap_or(15),
            client_bits_offered: client_bits.is_some(),
        })
    }
}

/// One `permessage-deflate` element, offered or answered.
#[derive(Debug, Default)]
struct Offer {
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_bits: Option<u8>,
    /// May come without a value.
    client_bits: Option<Option<u8>>,
}

impl Offer {
    /// `None` if this is another extension or malformed: unknown or repeated parameters, or wrong values.
    fn parse(element: &str) -> Option<Self> {
        let mut params = split_list(element, ';');
        if !params.next()?.eq_ignore_ascii_case(NAME) {
            return None;
        }
        let mut offer = Self::default();
        for param in params {
            offer.set(param)?;
        }
        Some(offer)
    }

    fn set(&mut self, param: &str) -> Option<()> {
        let (name, value) = match param.split_once('=') {
            Some((name, value)) => (name.trim_end(), Some(value.trim_start())),
            None => (param, None),
        };
        let repeated = if name.eq_ignore_ascii_case("server_no_context_takeover") {
            value.is_none().then_some(())?;
            std::mem::replace(&mut self.server_no_context_takeover, true)
        } else if name.eq_ignore_ascii_case("client_no_context_takeover") {
            value.is_none().then_some(())?;
            std::mem::replace(&mut self.client_no_context_takeover, true)
        } else if name.eq_ignore_ascii_case("server_max_window_bits") {
            self.server_bits.replace(window_bits(value?)?).is_some()
        } else if name.eq_ignore_ascii_case("client_max_window_bits") {
            let bits = match value {
                Some(value) => Some(window_bits(value)?),
                None => None,
            };
            self.client_bits.replace(bits).is_some()
        } else {
            return None;
        };
        (!repeated).then_some(())
    }
}

/// 8 to 15 without leading zeros, perhaps quoted.
fn window_bits(value: &str) -> Option<u8> {
    let digits = match value.strip_prefix('"') {
        Some(rest) => rest.strip_suffix('"')?,
        None => value,
    };
    match digits {
        "8" => Some(8),
        "9" => Some(9),
        _ => digits
            .parse()
            .ok()
            .filter(|bits| digits.len() == 2 && (10..=15).contains(bits)),
    }
}

/// Splits at `separator` outside of quoted strings, and trims.
fn split_list(list: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let mut escaped = false;
    list.split(move |c| {
        let escape = quoted && c == '\\' && !escaped;
        if c == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = escape;
        c == separator && !quoted
    })
    .map(str::trim)
}
