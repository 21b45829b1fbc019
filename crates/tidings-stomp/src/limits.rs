//! What a peer may make us hold.

/// Limits of one frame. Each is checked before the bytes that would pass it are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest body, in bytes. Default 1 MiB.
    pub max_body_bytes: usize,
    /// Longest header line, in bytes, as it stands on the wire without its LF. Default 8 KiB.
    pub max_header_line_bytes: usize,
    /// Most headers of one frame, repeated ones counted. Default 128.
    pub max_headers: usize,
    /// Longest command line, in bytes, without its LF. Default 32.
    pub max_command_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_body_bytes: 1024 * 1024,
            max_header_line_bytes: 8 * 1024,
            max_headers: 128,
            max_command_bytes: 32,
        }
    }
}
