//! What a connection says in CONNECT and agrees on.

use std::time::Duration;

use crate::wire::Frame;

/// What every connection of a run says in its CONNECT.
#[derive(Debug, Clone)]
pub(crate) struct Greeting {
    pub(crate) virtual_host: String,
    pub(crate) proof: Proof,
    /// Offered both ways; zero: none.
    pub(crate) heart_beat: Duration,
}

/// By what a connection shows who it is.
#[derive(Debug, Clone)]
pub(crate) enum Proof {
    None,
    Login { login: String, passcode: String },
    Token(String),
}

impl Greeting {
    /// The CONNECT frame.
    pub(crate) fn connect(&self) -> String {
        let beat = self.heart_beat.as_millis();
        let proof = match &self.proof {
            Proof::None => String::new(),
            Proof::Login { login, passcode } => format!("login:{login}\npasscode:{passcode}\n"),
            Proof::Token(token) => format!("Authorization:Bearer {token}\n"),
        };
        format!(
            "CONNECT\naccept-version:1.2\nhost:{}\nheart-beat:{beat},{beat}\n{proof}\n\0",
            self.virtual_host
        )
    }
}

/// Heart-beat intervals after the negotiation (STOMP 1.2, "Heart-beating"): how often each side must say something;
/// zero: never.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Beats {
    pub(crate) ours: Duration,
    pub(crate) theirs: Duration,
}

impl Beats {
    /// What was `offered` both ways, and the server's answer to it in its CONNECTED frame.
    pub(crate) fn agreed(offered: Duration, connected: &Frame<'_>) -> Self {
        Self::of(offered, connected.header(b"heart-beat"))
    }

    fn of(offered: Duration, answer: Option<&[u8]>) -> Self {
        let answer = String::from_utf8_lossy(answer.unwrap_or_default());
        let (sends, wants) = answer.split_once(',').unwrap_or(("0", "0"));
        let agree = |theirs: &str| match theirs.trim().parse::<u64>() {
            Ok(milliseconds) if milliseconds > 0 && !offered.is_zero() => {
                offered.max(Duration::from_millis(milliseconds))
            }
            _ => Duration::ZERO,
        };
        Self {
            ours: agree(wants),
            theirs: agree(sends),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beats_are_the_longer_interval_of_the_two_and_none_when_one_side_declines() {
        let seconds = Duration::from_secs;
        let agreed = |ours, answer: &str| Beats::of(seconds(ours), Some(answer.as_bytes()));
        let beats = |ours, theirs| Beats {
            ours: seconds(ours),
            theirs: seconds(theirs),
        };
        assert_eq!(agreed(10, "5000,20000"), beats(20, 10));
        assert_eq!(agreed(10, "0,10000"), beats(10, 0));
        assert_eq!(agreed(0, "5000,5000"), beats(0, 0));
        assert_eq!(Beats::of(seconds(10), None), beats(0, 0));
    }
}
