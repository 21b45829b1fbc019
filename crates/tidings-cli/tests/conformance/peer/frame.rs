//! STOMP frames as this suite reads and writes them.

/// The STOMP version that a peer has agreed, which decides how it escapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    V10,
    V11,
    V12,
}

impl Version {
    pub(crate) const ALL: [Self; 3] = [Self::V10, Self::V11, Self::V12];

    /// The version that a CONNECTED frame names.
    #[track_caller]
    pub(super) fn of(connected: &Frame) -> Self {
        let name = connected.get("version");
        let found = Self::ALL.into_iter().find(|version| version.name() == name);
        found.unwrap_or_else(|| panic!("no version of STOMP: {name:?}"))
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::V10 => "1.0",
            Self::V11 => "1.1",
            Self::V12 => "1.2",
        }
    }
}

/// A frame that arrived.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    pub(crate) command: String,
    /// In the order of the wire, unescaped for the version of the peer.
    pub(crate) headers: Vec<(String, String)>,
    /// Header lines as they stood on the wire.
    pub(crate) lines: Vec<String>,
    pub(crate) body: Vec<u8>,
}

impl Frame {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The value of a header that must be there exactly once.
    #[track_caller]
    pub(crate) fn get(&self, name: &str) -> &str {
        let count = self.headers.iter().filter(|(key, _)| key == name).count();
        assert_eq!(count, 1, "header `{name}` is to appear once in {self:?}");
        self.header(name).expect("counted above")
    }

    #[track_caller]
    pub(crate) fn assert_absent(&self, name: &str) {
        assert_eq!(
            self.header(name),
            None,
            "header `{name}` is not to appear in {self:?}"
        );
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Takes one whole frame off the front of `input`; `None` while it is not complete.
    pub(crate) fn take(input: &mut Vec<u8>, version: Version) -> Result<Option<Self>, String> {
        let Some(head_len) = find(input, b"\n\n") else {
            return Ok(None);
        };
        let head =
            std::str::from_utf8(&input[..head_len]).map_err(|_| "a head that is not UTF-8")?;
        let mut lines = head.split('\n').map(str::to_owned);
        let command = lines.next().unwrap_or_default();
        let lines: Vec<String> = lines.collect();
        let escapes = if command == "CONNECTED" {
            Version::V10
        } else {
            version
        };
        let headers = lines
            .iter()
            .map(|line| split(line, escapes))
            .collect::<Result<Vec<_>, _>>()?;
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let length = length.map(|(_, value)| value.parse::<usize>());
        let body = &input[head_len + 2..];
        let body_len = match length {
            Some(Err(_)) => return Err(format!("a content-length that is no number in {head:?}")),
            Some(Ok(length)) if body.len() <= length => return Ok(None),
            Some(Ok(length)) if body[length] != 0 => {
                return Err(format!("no NUL after the body of {head:?}"));
            }
            Some(Ok(length)) => length,
            None => match body.iter().position(|&byte| byte == 0) {
                None => return Ok(None),
                Some(end) => end,
            },
        };
        let body = body[..body_len].to_vec();
        input.drain(..head_len + 2 + body_len + 1);
        Ok(Some(Self {
            command,
            headers,
            lines,
            body,
        }))
    }
}

/// The octets of a frame, escaped for `version`, with `content-length` when there is a body.
pub(crate) fn encode(
    version: Version,
    command: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Vec<u8> {
    let escapes = if matches!(command, "CONNECT" | "STOMP") {
        Version::V10
    } else {
        version
    };
    let mut frame = format!("{command}\n").into_bytes();
    for (name, value) in headers {
        let line = format!("{}:{}\n", escape(name, escapes), escape(value, escapes));
        frame.extend(line.into_bytes());
    }
    let named = headers.iter().any(|(name, _)| *name == "content-length");
    if !body.is_empty() && !named {
        frame.extend(format!("content-length:{}\n", body.len()).into_bytes());
    }
    frame.push(b'\n');
    frame.extend_from_slice(body);
    frame.push(0);
    frame
}

fn escape(text: &str, version: Version) -> String {
    if version == Version::V10 {
        return text.to_owned();
    }
    let text = text
        .replace('\\', "\\\\")
        .replace('\n', "\\n")
        .replace(':', "\\c");
    match version {
        Version::V12 => text.replace('\r', "\\r"),
        _ => text,
    }
}

fn split(line: &str, version: Version) -> Result<(String, String), String> {
    let (name, value) = line
        .split_once(':')
        .ok_or_else(|| format!("a header line without colon: {line:?}"))?;
    if version != Version::V10 && value.contains(':') {
        return Err(format!("a colon that is not escaped: {line:?}"));
    }
    Ok((unescape(name, version)?, unescape(value, version)?))
}

fn unescape(text: &str, version: Version) -> Result<String, String> {
    if version == Version::V10 {
        return Ok(text.to_owned());
    }
    let mut plain = String::new();
    let mut rest = text.chars();
    while let Some(next) = rest.next() {
        plain.push(match next {
            '\\' => match (rest.next(), version) {
                (Some('n'), _) => '\n',
                (Some('c'), _) => ':',
                (Some('\\'), _) => '\\',
                (Some('r'), Version::V12) => '\r',
                _ => {
                    return Err(format!(
                        "an escape that {} does not know: {text:?}",
                        version.name()
                    ));
                }
            },
            other => other,
        });
    }
    Ok(plain)
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}
