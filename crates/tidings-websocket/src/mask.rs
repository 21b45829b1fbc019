//! Masking (RFC 6455, section 5.3): xor with a repeated four-byte key, which also undoes it.

/// Masks or unmasks `data` in place.
///
/// `key` applies from its first byte on; for the next piece of the same payload, rotate it with [`advance`].
pub fn apply(key: [u8; 4], data: &mut [u8]) {
    // 32 bytes at a step become vector instructions; the rest goes byte by byte.
    let [a, b, c, d] = key;
    let wide: [u8; 32] = std::array::from_fn(|i| [a, b, c, d][i % 4]);
    let (blocks, rest) = data.as_chunks_mut::<32>();
    for block in blocks {
        for (byte, key) in block.iter_mut().zip(wide) {
            *byte ^= key;
        }
    }
    for (byte, key) in rest.iter_mut().zip(wide) {
        *byte ^= key;
    }
}

/// The key for what follows `consumed` bytes of a payload.
pub fn advance(mut key: [u8; 4], consumed: usize) -> [u8; 4] {
    key.rotate_left(consumed % 4);
    key
}
