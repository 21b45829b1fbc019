//! What holds for any input whatsoever. The fuzz target runs this very file.

use tidings_stomp::encoder::encode_frame;
use tidings_stomp::{Command, Frame, Item, Limits, Version};

use super::stream::{assert_same_in_pieces, decode_whole};

/// Checks a stream; its first byte chooses version and limits.
pub(crate) fn check(data: &[u8]) {
    let Some((&choice, stream)) = data.split_first() else {
        return;
    };
    let version = [
        None,
        Some(Version::V1_0),
        Some(Version::V1_1),
        Some(Version::V1_2),
    ][usize::from(choice & 3)];
    let limits = if choice & 4 == 0 {
        Limits::default()
    } else {
        SMALL
    };
    assert_same_in_pieces(version, limits, stream, 64);
    let (items, error) = decode_whole(version, limits, stream);
    if let Some(error) = error {
        assert!(!error.code().is_empty() && !error.to_string().is_empty());
    }
    for item in items {
        if let Item::Frame(frame) = item {
            assert_survives(&frame, version);
        }
    }
}

const SMALL: Limits = Limits {
    max_body_bytes: 16,
    max_header_line_bytes: 24,
    max_headers: 3,
    max_command_bytes: 12,
};

/// A frame that was decoded, encoded again, decodes to the same frame.
fn assert_survives(frame: &Frame, version: Option<Version>) {
    let form = version.unwrap_or(Version::V1_2);
    let mut bytes = Vec::new();
    encode_frame(frame, form, &mut bytes);
    let limits = Limits {
        max_body_bytes: usize::MAX,
        max_header_line_bytes: usize::MAX,
        max_headers: usize::MAX,
        ..Limits::default()
    };
    let (items, error) = decode_whole(version, limits, &bytes);
    assert_eq!(error, None, "{frame:?}");
    let [Item::Frame(again)] = &items[..] else {
        panic!("{items:?} from {frame:?}")
    };
    assert_eq!(again.command, frame.command);
    assert_eq!(again.body, frame.body);
    let escaped = form != Version::V1_0
        && !matches!(
            frame.command,
            Command::Connect | Command::Stomp | Command::Connected
        );
    assert_eq!(headers(again, true), headers(frame, escaped), "{frame:?}");
}

/// All headers but `content-length`, which the encoder sets itself. A CR that can't be escaped becomes a space.
fn headers(frame: &Frame, cr_survives: bool) -> Vec<(String, String)> {
    let text = |text: &str| {
        if cr_survives {
            text.to_owned()
        } else {
            text.replace('\r', " ")
        }
    };
    let headers = frame
        .headers
        .iter()
        .filter(|(name, _)| *name != "content-length");
    headers
        .map(|(name, value)| (text(name), text(value)))
        .collect()
}
