//! What is encoded for a version, that version decodes to the same frame.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use tidings_stomp::encoder::encode_frame;
use tidings_stomp::{Command, Frame, Item, Limits, Version};

use super::stream::decode_whole;

const COMMANDS: [Command; 10] = [
    Command::Send,
    Command::Subscribe,
    Command::Unsubscribe,
    Command::Ack,
    Command::Nack,
    Command::Begin,
    Command::Disconnect,
    Command::Message,
    Command::Receipt,
    Command::Error,
];

/// Text with much of what must be escaped, and nothing that can't be.
fn text(version: Version) -> impl Strategy<Value = String> {
    let alphabet = match version {
        Version::V1_0 => "abé\\😀",
        Version::V1_1 | Version::V1_2 => "ab :\\\n\r\té😀",
    };
    vec(select(alphabet.chars().collect::<Vec<_>>()), 1..12)
        .prop_map(|text| text.into_iter().collect())
}

fn frame(version: Version) -> impl Strategy<Value = Frame> {
    let headers = vec((text(version), text(version)), 0..6);
    (select(COMMANDS.to_vec()), headers, vec(any::<u8>(), 0..40)).prop_map(
        |(command, headers, body)| Frame {
            command,
            headers: headers
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect(),
            body: if command.has_body() {
                body.into()
            } else {
                Default::default()
            },
        },
    )
}

proptest! {
    #[test]
    fn frame_survives_encoding(
        (version, frame) in select(Version::ALL.to_vec()).prop_flat_map(|version| (Just(version), frame(version)))
    ) {
        let mut bytes = Vec::new();
        encode_frame(&frame, version, &mut bytes);
        let (items, error) = decode_whole(Some(version), Limits::default(), &bytes);
        prop_assert_eq!(error, None);
        let expected = match frame.command.has_body() {
            true => frame.clone().with_header("content-length", &frame.body.len().to_string()),
            false => frame,
        };
        prop_assert_eq!(items, [Item::Frame(expected)]);
    }
}
