//! Whatever is encoded is decoded to the same, for both roles.

mod gathered;

use gathered::{Gathered, Reading};
use proptest::prelude::*;
use tidings_websocket::{
    CloseCode, Deflater, MessageKind, Opcode, Role, close_frame, ping_frame, pong_frame,
    write_frame,
};

/// What one end sends: messages in fragments of certain sizes, compressed or not, with a ping after each fragment.
#[derive(Clone, Debug)]
struct Sent {
    kind: MessageKind,
    payload: Vec<u8>,
    fragment: usize,
    compressed: bool,
    ping: Option<Vec<u8>>,
}

fn sent() -> impl Strategy<Value = Sent> {
    let content = prop_oneof![
        any::<String>().prop_map(|text| (MessageKind::Text, text.into_bytes())),
        prop::collection::vec(any::<u8>(), 0..2000).prop_map(|bytes| (MessageKind::Binary, bytes)),
        (any::<u8>(), 0..100_000_usize)
            .prop_map(|(byte, len)| (MessageKind::Binary, vec![byte; len])),
    ];
    let ping = prop::option::of(prop::collection::vec(any::<u8>(), 0..=125));
    (content, 1..3000_usize, any::<bool>(), ping).prop_map(
        |((kind, payload), fragment, compressed, ping)| Sent {
            kind,
            payload,
            fragment,
            compressed,
            ping,
        },
    )
}

impl Sent {
    fn encode(&self, wire: &mut Vec<u8>, mask: Option<[u8; 4]>, events: &mut Vec<Gathered>) {
        let mut content = Vec::new();
        if self.compressed {
            Deflater::new(6, 15).compress(&self.payload, &mut content);
        } else {
            content.extend_from_slice(&self.payload);
        }
        let count = content.len().div_ceil(self.fragment).max(1);
        for i in 0..count {
            let end = content.len().min((i + 1) * self.fragment);
            let opcode = if i == 0 {
                self.kind.into()
            } else {
                Opcode::Continuation
            };
            let rsv1 = self.compressed && i == 0;
            write_frame(
                wire,
                opcode,
                i + 1 == count,
                rsv1,
                &content[i * self.fragment..end],
                mask,
            );
            if i + 1 == count {
                events.push(Gathered::Message(self.kind, self.payload.clone()));
            }
            if let Some(ping) = &self.ping {
                wire.extend_from_slice(&ping_frame(ping, mask));
                events.push(Gathered::Ping(ping.clone()));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_sent_arrives(
        messages in prop::collection::vec(sent(), 0..4),
        key in any::<[u8; 4]>(),
        from_client in any::<bool>(),
        chunk in 1..9000_usize,
    ) {
        let (mask, role) = if from_client { (Some(key), Role::Server) } else { (None, Role::Client) };
        let (mut wire, mut events) = (Vec::new(), Vec::new());
        for message in &messages {
            message.encode(&mut wire, mask, &mut events);
        }
        wire.extend_from_slice(&pong_frame(b"last", mask));
        events.push(Gathered::Pong(b"last".into()));
        wire.extend_from_slice(&close_frame(Some(CloseCode::NORMAL), "bye", mask));
        events.push(Gathered::Close(Some(CloseCode::NORMAL), "bye".into()));

        let mut reading = Reading::compressed(role);
        reading.limits.max_fragments = 1 << 20;
        prop_assert_eq!(reading.read(wire.chunks(chunk)), (events, Ok(())));
    }
}
