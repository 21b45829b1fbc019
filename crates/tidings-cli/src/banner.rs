//! What development mode says to the person who started it.

use tidings_server::config::Config;

use tidings_server::{Listener, ListenerKind};

/// The banner, several lines without a last line feed.
pub(crate) fn banner(config: &Config, listeners: &[Listener]) -> String {
    let rows: Vec<_> = listeners
        .iter()
        .map(|listener| row(config, listener))
        .collect();
    format!(
        "\
Tidings {version} in development mode

{rows}

  Only this machine can connect. Any login is taken as that user's name.
  Nothing is kept after exit.

  Go on with    tidings serve --config tidings.toml
  Stop with     Ctrl-C
",
        version = env!("CARGO_PKG_VERSION"),
        rows = rows.join("\n"),
    )
}

fn row(config: &Config, listener: &Listener) -> String {
    let (address, url) = (listener.address, listener.url());
    match listener.kind {
        ListenerKind::Http => {
            let demo = if config.http.demo {
                format!("  Open          {url}/\n")
            } else {
                String::new()
            };
            format!(
                "{demo}  WebSocket     {}://{address}{}",
                if listener.tls { "wss" } else { "ws" },
                config.websocket.path
            )
        }
        ListenerKind::Tcp if listener.tls => format!("  STOMP         {url}"),
        ListenerKind::Tcp => format!("  STOMP         {address}"),
        ListenerKind::Admin => format!("  Admin         {url}/"),
        ListenerKind::Api => format!("  API           {url}/api/v1"),
    }
}
