//! Configuration: what the operator wrote, checked once.
//!
//! `raw` collects what stands in the file, the environment and the flags, `form` says what each key accepts, `check`
//! compares keys with each other, and [`Config`] is what remains: every value in range. The one table of keys is in
//! `checked`; the parser, the structs, `docs/configuration.md` and `docs/tidings.example.toml` come from it.

mod api_key;
mod check;
mod checked;
mod error;
mod form;
mod key;
mod load;
mod nearest;
mod network;
mod raw;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;
mod units;
mod values;

pub use api_key::{ApiKey, ApiScope};
pub use checked::{
    Admin, AllowedOrigins, Api, Audit, AuthenticatorKind, Broker, ClientCertificates, Config, Http,
    Jwt, JwtIssuer, KeySource, Outbox, Queue, Secret, Security, Server, Session,
    SlowConsumerPolicy, SockJs, Stomp, Tcp, Tls, TlsVersion, Users, WebSocket, Webhook,
    WebhookRoute,
};
pub use error::{ConfigError, ConfigErrors, Place};
pub use load::{Overrides, Setting};
pub(crate) use network::is_trusted;
pub use network::{Network, NetworkError};
pub use units::parse_duration;
pub(crate) use values::is_same_secret;
