//! Reading and writing frames: `cargo bench -p tidings-stomp`.

use std::hint::black_box;

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tidings_stomp::encoder::encode_frame;
use tidings_stomp::{Command, Decoder, Frame, Item, Limits, Version};

const FRAMES: usize = 64;

/// A SEND of 1 KB in all, with the headers of a browser client.
fn send(body_bytes: usize) -> Frame {
    Frame::new(Command::Send)
        .with_header("destination", "/app/rooms/1234/messages")
        .with_header("content-type", "application/json")
        .with_header("receipt", "message-98765")
        .with_body(vec![b'x'; body_bytes])
}

fn stream(frame: &Frame) -> Bytes {
    let mut bytes = Vec::new();
    (0..FRAMES).for_each(|_| encode_frame(frame, Version::V1_2, &mut bytes));
    bytes.into()
}

fn decode(decoder: &mut Decoder, mut input: Bytes) -> usize {
    let mut frames = 0;
    while let Some(Item::Frame(frame)) = decoder.decode(&mut input).expect("good frames") {
        frames += usize::from(!black_box(frame).headers.is_empty());
    }
    frames
}

fn decoding(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decode");
    for (name, body_bytes) in [("send_of_1_kb", 900), ("send_of_empty_body", 0)] {
        let stream = stream(&send(body_bytes));
        let mut decoder = Decoder::new(Limits::default());
        decoder.set_version(Version::V1_2);
        group.throughput(Throughput::Bytes(stream.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| assert_eq!(decode(&mut decoder, stream.clone()), FRAMES));
        });
        group.bench_function(format!("{name}_in_pieces_of_700_bytes"), |bencher| {
            bencher.iter(|| {
                let pieces = (0..stream.len()).step_by(700);
                let pieces = pieces.map(|at| stream.slice(at..stream.len().min(at + 700)));
                assert_eq!(
                    pieces
                        .map(|piece| decode(&mut decoder, piece))
                        .sum::<usize>(),
                    FRAMES
                );
            });
        });
    }
}

fn encoding(criterion: &mut Criterion) {
    let message = Frame::new(Command::Message)
        .with_header("destination", "/topic/rooms/1234")
        .with_header("message-id", "8f14e45f-17")
        .with_header("subscription", "sub-0")
        .with_header("content-type", "application/json")
        .with_body(vec![b'x'; 900]);
    let mut out = Vec::new();
    encode_frame(&message, Version::V1_2, &mut out);
    let mut group = criterion.benchmark_group("encode");
    group.throughput(Throughput::Bytes(out.len() as u64));
    group.bench_function("message_of_1_kb", |bencher| {
        bencher.iter(|| {
            out.clear();
            encode_frame(black_box(&message), Version::V1_2, &mut out);
        });
    });
}

fn lookup(criterion: &mut Criterion) {
    let frame = send(0);
    criterion.bench_function("header/third_of_three", |bencher| {
        bencher.iter(|| black_box(&frame).header(black_box("receipt")).map(str::len));
    });
    criterion.bench_function("header/absent", |bencher| {
        bencher.iter(|| {
            black_box(&frame)
                .header(black_box("transaction"))
                .map(str::len)
        });
    });
}

criterion_group!(benches, decoding, encoding, lookup);
criterion_main!(benches);
