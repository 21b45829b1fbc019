//! Requests and what came of them, in few words.

use tidings_sockjs::{Answer, Options, Receiver, RequestHead, Route, Sender, route};

pub(crate) const SESSION: &str = "/000/abcdefgh";

/// Everything on.
pub(crate) fn options() -> Options {
    Options {
        legacy_transports: true,
        ..Options::default()
    }
}

/// A request of HTTP/1.1 that keeps the connection.
pub(crate) fn request<'a>(method: &'a str, path: &'a str) -> RequestHead<'a> {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    RequestHead {
        method,
        path,
        query,
        http_1_1: true,
        keep_alive: true,
        ..RequestHead::default()
    }
}

pub(crate) fn answer(options: &Options, head: &RequestHead<'_>) -> Answer {
    match route(options, head, || 7) {
        Route::Answer(answer) => answer,
        other => panic!("{other:?} for {head:?}"),
    }
}

/// The status of the answer; 0 for what is not answered at once.
pub(crate) fn status(options: &Options, method: &str, path: &str) -> u16 {
    match route(options, &request(method, path), || 7) {
        Route::Answer(answer) => answer.status,
        _ => 0,
    }
}

pub(crate) fn receiver(options: &Options, head: &RequestHead<'_>) -> Receiver {
    match route(options, head, || 7) {
        Route::Receive { receiver, .. } => receiver,
        other => panic!("{other:?} for {head:?}"),
    }
}

/// The receiver that the name of a transport brings, with a callback where it needs one.
pub(crate) fn receiver_named(options: &Options, transport: &str) -> Receiver {
    let (path, method) = receive(transport);
    receiver(options, &request(method, &path))
}

/// Url and method of a transport.
pub(crate) fn receive(transport: &str) -> (String, &'static str) {
    let method = if transport.starts_with("xhr") {
        "POST"
    } else {
        "GET"
    };
    (format!("{SESSION}/{transport}?c=callback"), method)
}

pub(crate) fn sender(options: &Options, transport: &str) -> Sender {
    match route(
        options,
        &request("POST", &format!("{SESSION}/{transport}")),
        || 7,
    ) {
        Route::Send { sender, .. } => sender,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    let mut values = answer.headers.iter().filter(|(key, _)| *key == name);
    let value = values.next();
    assert!(values.next().is_none(), "two headers {name}");
    value.map(|(_, value)| value.as_ref())
}

pub(crate) fn text(answer: &Answer) -> &str {
    std::str::from_utf8(&answer.body).expect("text")
}

/// What `write` writes, as text.
pub(crate) fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    String::from_utf8(out).expect("text")
}

/// Head and the rest.
pub(crate) fn split_head(response: &str) -> (&str, &str) {
    response.split_once("\r\n\r\n").expect("a head")
}

/// The data of each chunk.
pub(crate) fn chunks(mut body: &str) -> Vec<&str> {
    let mut chunks = Vec::new();
    while !body.is_empty() {
        let (length, rest) = body.split_once("\r\n").expect("the length of a chunk");
        let length = usize::from_str_radix(length, 16).expect("a number");
        let (data, rest) = rest.split_at(length);
        chunks.push(data);
        body = rest.strip_prefix("\r\n").expect("the end of a chunk");
    }
    chunks
}

pub(crate) fn sha256(text: &str) -> String {
    use sha2::Digest;
    let digest = sha2::Sha256::digest(text.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
