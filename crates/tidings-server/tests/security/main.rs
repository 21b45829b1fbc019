//! Who a client is and what it may do, proven against the whole server: docs/testing.md says what each file is for.

mod advisories;
#[path = "../tls/certificates.rs"]
mod certificates;
mod commit;
mod life;
mod logs;
mod model;
mod property;
mod reload;
mod sockets;
mod table;
mod world;
