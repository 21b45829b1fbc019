//! `tidings check-config`.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context as _;
use tidings_server::Server;
use tidings_server::config::{Config, Overrides};

use crate::arguments::Listen;
use crate::outcome::Failure;
use crate::serve::environment;

/// Prints what `serve` would do to stdout, or fails with everything that is wrong.
pub(crate) fn run(file: Option<&Path>, flags: &Listen) -> Result<(), Failure> {
    let config = Config::load(file, environment(), &Overrides::from(flags))
        .map_err(Failure::Configuration)?;
    read_what_it_names(config.clone()).map_err(Failure::Usage)?;
    let name = file.map_or("no file".to_owned(), |path| path.display().to_string());
    std::io::stdout()
        .write_all(summary(&name, &config).as_bytes())
        .context("stdout cannot be written")
        .map_err(Failure::Running)
}

/// Users, keys, certificates.
fn read_what_it_names(config: Config) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the runtime cannot start")?;
    let _within = runtime.enter();
    Ok(Server::check(config)?)
}

fn summary(name: &str, config: &Config) -> String {
    let mut text = format!("ok: {name}\n");
    let _ = writeln!(
        text,
        "  http   {}, WebSocket at {}",
        config.http.listen, config.websocket.path
    );
    let _ = writeln!(text, "  tcp    {}", address_or_off(config.tcp.listen));
    let _ = writeln!(text, "  admin  {}", address_or_off(config.admin.listen));
    let settings = config.settings();
    if !settings.is_empty() {
        text.push_str("differs from the defaults:\n");
    }
    for setting in settings {
        let _ = writeln!(text, "  {} = {}", setting.key, setting.value);
    }
    for warning in config.warnings() {
        let _ = writeln!(text, "warning: {warning}");
    }
    text
}

fn address_or_off(address: Option<SocketAddr>) -> String {
    address.map_or_else(|| "off".to_owned(), |address| address.to_string())
}
