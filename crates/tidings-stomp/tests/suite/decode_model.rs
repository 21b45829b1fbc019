//! The decoder against a model that takes one byte after the other and keeps everything in plain vectors.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use tidings_stomp::{Command, Item, Limits, Version};

use super::stream::{assert_same_in_pieces, decode_whole};

const LIMITS: Limits = Limits {
    max_body_bytes: 12,
    max_header_line_bytes: 22,
    max_headers: 3,
    max_command_bytes: 12,
};

type Header = (Vec<u8>, Vec<u8>);

/// A line and what follows it.
type Cut<'a> = (&'a [u8], &'a [u8]);

#[derive(Debug, PartialEq)]
enum Seen {
    HeartBeat,
    Frame(Command, Vec<Header>, Vec<u8>),
    Error(&'static str),
}

/// Decodes by the letter, slowly.
fn model(version: Version, stream: &[u8]) -> Vec<Seen> {
    let mut seen = Vec::new();
    let mut rest = stream;
    while !rest.is_empty() {
        match model_item(version, rest) {
            Ok(Some((item, after))) => {
                seen.push(item);
                rest = after;
            }
            Ok(None) => break,
            Err(code) => {
                seen.push(Seen::Error(code));
                break;
            }
        }
    }
    seen
}

fn model_item(version: Version, stream: &[u8]) -> Result<Option<(Seen, &[u8])>, &'static str> {
    match stream {
        [b'\n', rest @ ..] | [b'\r', b'\n', rest @ ..] => return Ok(Some((Seen::HeartBeat, rest))),
        [b'\r'] => return Ok(None),
        [b'\r', ..] => return Err("unknown-command"),
        _ => {}
    }
    let Some((line, mut rest)) = model_line(
        version,
        stream,
        LIMITS.max_command_bytes,
        "command-too-long",
    )?
    else {
        return Ok(None);
    };
    let trimmed = if version == Version::V1_0 {
        line.trim_ascii()
    } else {
        line
    };
    let command = Command::from_bytes(trimmed);
    let blame = |code| {
        if command.is_none() {
            "unknown-command"
        } else {
            code
        }
    };
    let mut headers: Vec<Header> = Vec::new();
    loop {
        let line = model_line(
            version,
            rest,
            LIMITS.max_header_line_bytes,
            "header-too-long",
        )
        .map_err(blame)?;
        let Some((line, after)) = line else {
            return Ok(None);
        };
        rest = after;
        if line.is_empty() {
            break;
        }
        headers.push(model_header(version, line, headers.len()).map_err(blame)?);
    }
    let Some(command) = command else {
        return Err("unknown-command");
    };
    model_body(version, command, headers, rest)
}

/// The line and what follows it; `None` when its end has not come.
fn model_line<'a>(
    version: Version,
    stream: &'a [u8],
    limit: usize,
    too_long: &'static str,
) -> Result<Option<Cut<'a>>, &'static str> {
    for (at, byte) in stream.iter().enumerate() {
        match byte {
            b'\n' => {
                let line = &stream[..at];
                let cr = version != Version::V1_1 && line.ends_with(b"\r");
                return Ok(Some((&line[..at - usize::from(cr)], &stream[at + 1..])));
            }
            _ if at == limit && *byte != b'\0' => return Err(too_long),
            b'\0' => return Err("unexpected-nul"),
            _ => {}
        }
    }
    Ok(None)
}

fn model_header(version: Version, line: &[u8], before: usize) -> Result<Header, &'static str> {
    if before == LIMITS.max_headers {
        return Err("too-many-headers");
    }
    let colon = line
        .iter()
        .position(|byte| *byte == b':')
        .ok_or("invalid-header")?;
    let (mut name, mut value) = (&line[..colon], &line[colon + 1..]);
    if version == Version::V1_0 {
        (name, value) = (name.trim_ascii(), value.trim_ascii());
    }
    if name.is_empty() {
        Err("invalid-header")
    } else {
        Ok((name.to_vec(), value.to_vec()))
    }
}

fn model_body(
    version: Version,
    command: Command,
    mut headers: Vec<Header>,
    rest: &[u8],
) -> Result<Option<(Seen, &[u8])>, &'static str> {
    if headers.iter().any(|(name, value)| {
        std::str::from_utf8(name).is_err() || std::str::from_utf8(value).is_err()
    }) {
        return Err("invalid-utf8");
    }
    let length = headers
        .iter()
        .find(|(name, _)| name == b"content-length")
        .map(|(_, value)| value.clone());
    let length = length.map(|digits| model_number(&digits)).transpose()?;
    let settles = matches!(
        command,
        Command::Connect | Command::Stomp | Command::Connected
    );
    if version != Version::V1_0 && !settles {
        for (name, value) in &mut headers {
            *name = model_unescape(version, name)?;
            *value = model_unescape(version, value)?;
        }
    }
    let version_header: &[u8] = if command == Command::Connected {
        b"version"
    } else {
        b"accept-version"
    };
    if settles && headers.iter().all(|(name, _)| name != version_header) {
        headers
            .iter_mut()
            .for_each(|(_, value)| *value = value.trim_ascii().to_vec());
    }
    let ignored = version == Version::V1_0 && command == Command::Subscribe;
    let end = if !matches!(command, Command::Send | Command::Message | Command::Error) && !ignored {
        match rest.first() {
            None => return Ok(None),
            Some(0) => 0,
            Some(_) => return Err("unexpected-body"),
        }
    } else if let Some(length) = length {
        match rest.get(length) {
            _ if length > LIMITS.max_body_bytes => return Err("body-too-large"),
            None => return Ok(None),
            Some(0) => length,
            Some(_) => return Err("missing-nul"),
        }
    } else {
        match rest.iter().position(|byte| *byte == 0) {
            Some(end) if end <= LIMITS.max_body_bytes => end,
            _ if rest.len() > LIMITS.max_body_bytes => return Err("body-too-large"),
            _ => return Ok(None),
        }
    };
    let body = if ignored {
        Vec::new()
    } else {
        rest[..end].to_vec()
    };
    Ok(Some((
        Seen::Frame(command, headers, body),
        &rest[end + 1..],
    )))
}

fn model_number(digits: &[u8]) -> Result<usize, &'static str> {
    let digits = std::str::from_utf8(digits).map_err(|_| "invalid-content-length")?;
    let plain = digits.chars().all(|digit| digit.is_ascii_digit());
    digits
        .parse()
        .ok()
        .filter(|_| plain)
        .ok_or("invalid-content-length")
}

fn model_unescape(version: Version, text: &[u8]) -> Result<Vec<u8>, &'static str> {
    let mut plain = Vec::new();
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        plain.push(match byte {
            b'\\' => match bytes.next() {
                Some(b'n') => b'\n',
                Some(b'c') => b':',
                Some(b'\\') => b'\\',
                Some(b'r') if version == Version::V1_2 => b'\r',
                _ => return Err("invalid-escape"),
            },
            byte => *byte,
        });
    }
    Ok(plain)
}

fn decoder(version: Version, stream: &[u8]) -> Vec<Seen> {
    let (items, error) = decode_whole(Some(version), LIMITS, stream);
    let seen = items.into_iter().map(|item| match item {
        Item::HeartBeat => Seen::HeartBeat,
        Item::Frame(frame) => Seen::Frame(
            frame.command,
            frame
                .headers
                .iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
            frame.body.to_vec(),
        ),
    });
    seen.chain(error.map(|error| Seen::Error(error.code())))
        .collect()
}

/// Streams that are mostly right, so that most of them get far.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let command = select(vec![
        "SEND",
        "SUBSCRIBE",
        "ACK",
        "CONNECT",
        "CONNECTED",
        "MESSAGE",
        "FOO",
        " SEND",
        "TOOLONGCOMMAND",
    ]);
    let header = select(vec![
        "a:b",
        "id: 1 ",
        "x\\cy:\\\\",
        "r:\\r",
        "t:\\t",
        "c:\r",
        "content-length:3",
        "content-length:0",
        "content-length:99",
        "content-length:-1",
        "accept-version:1",
        "none",
        ":x",
        "much-too-long-for-the-limit:1",
        "é:ü",
        "nul:\0",
    ]);
    let eol = select(vec!["\n", "\n", "\n", "\r\n"]);
    let body = select(vec![
        "",
        "",
        "abc",
        "ab\0c",
        "0123456789ab",
        "0123456789abc",
        "\n\n",
    ]);
    let end = select(vec!["\0", "\0", "\0\n", "\0\r\n", "\0\r", ""]);
    let frame = (
        command,
        vec((header, eol.clone()), 0..5),
        eol.clone(),
        eol,
        body,
        end,
    )
        .prop_map(|(command, headers, eol, blank, body, end)| {
            let headers: String = headers
                .into_iter()
                .map(|(header, eol)| format!("{header}{eol}"))
                .collect();
            format!("{command}{eol}{headers}{blank}{body}{end}").into_bytes()
        });
    let frame = prop_oneof![9 => frame, 1 => vec(any::<u8>(), 0..4)];
    vec(frame, 0..4).prop_map(|frames| frames.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn decoder_agrees_with_the_model(stream in stream(), version in select(Version::ALL.to_vec())) {
        prop_assert_eq!(decoder(version, &stream), model(version, &stream), "{}", stream.escape_ascii());
        assert_same_in_pieces(Some(version), LIMITS, &stream, 16);
    }
}
