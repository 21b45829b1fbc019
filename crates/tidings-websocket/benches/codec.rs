//! What one message costs: `cargo bench -p tidings-websocket`.

use std::hint::black_box;

use bytes::BytesMut;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use tidings_websocket::{
    Decoder, DeflateParams, Deflater, Limits, MessageKind, Role, encode_header, mask, message_frame,
};

const KEY: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];

/// Frames in one read, so that the cost of a fresh buffer is shared as it is on a busy connection.
const BURST: usize = 16;

fn text(len: usize) -> Vec<u8> {
    br#"{"symbol":"ACME","price":101.25,"volume":4200,"side":"buy"}"#
        .iter()
        .copied()
        .cycle()
        .take(len)
        .collect()
}

fn decode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decode a burst of 16 masked text frames");
    for len in [128, 1024] {
        let burst = message_frame(MessageKind::Text, &text(len), Some(KEY)).repeat(BURST);
        let mut decoder = Decoder::new(Role::Server, Limits::default(), None);
        group.throughput(Throughput::Bytes(burst.len() as u64));
        group.bench_function(format!("{len} bytes each"), |bencher| {
            bencher.iter_batched_ref(
                || BytesMut::from(&burst[..]),
                |input| {
                    while let Ok(Some(event)) = decoder.decode(input) {
                        black_box(event);
                    }
                },
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

fn inflate(criterion: &mut Criterion) {
    let frame = Deflater::new(1, 15).message_frame(MessageKind::Text, &text(1024), Some(KEY));
    let mut decoder = Decoder::new(
        Role::Server,
        Limits::default(),
        Some(DeflateParams::default()),
    );
    criterion.bench_function("decode a compressed frame of 1024 bytes", |bencher| {
        bencher.iter_batched_ref(
            || BytesMut::from(&frame[..]),
            |input| {
                while let Ok(Some(event)) = decoder.decode(input) {
                    black_box(event);
                }
            },
            BatchSize::SmallInput,
        );
    });
}

fn unmask(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("unmask");
    for len in [128, 1024, 65536] {
        let mut payload = text(len);
        group.throughput(Throughput::Bytes(len as u64));
        group.bench_function(format!("{len} bytes"), |bencher| {
            bencher.iter(|| mask::apply(black_box(KEY), black_box(&mut payload)));
        });
    }
    group.finish();
}

fn encode(criterion: &mut Criterion) {
    criterion.bench_function("encode a head", |bencher| {
        bencher.iter(|| {
            encode_header(
                black_box(MessageKind::Text.into()),
                true,
                false,
                black_box(1024),
                None,
            )
        });
    });
    let mut group = criterion.benchmark_group("compress");
    for len in [128, 1024, 65536] {
        let payload = text(len);
        let mut deflater = Deflater::new(1, 15);
        let mut out = Vec::with_capacity(len);
        group.throughput(Throughput::Bytes(len as u64));
        group.bench_function(format!("{len} bytes at level 1"), |bencher| {
            bencher.iter(|| {
                out.clear();
                deflater.compress(black_box(&payload), &mut out);
            });
        });
    }
    group.finish();
}

criterion_group!(benches, decode, inflate, unmask, encode);
criterion_main!(benches);
