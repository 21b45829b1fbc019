//! What one connection may cost.

/// What one connection may send. Beyond it the decoder fails with close code 1009.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes of payload in one data frame, as on the wire.
    pub max_frame_bytes: u32,
    /// The most bytes in one message, over all its fragments and after inflating.
    pub max_message_bytes: u32,
    /// The most frames in one message; empty ones count.
    pub max_fragments: u32,
}

impl Default for Limits {
    /// 1 MiB in a frame and in a message, 1024 fragments.
    fn default() -> Self {
        Self {
            max_frame_bytes: 1 << 20,
            max_message_bytes: 1 << 20,
            max_fragments: 1024,
        }
    }
}
