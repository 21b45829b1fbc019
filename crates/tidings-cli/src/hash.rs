//! `tidings hash`.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};

use anyhow::{Context as _, anyhow};
use tidings_auth::users::{self, MAX_PASSCODE_BYTES, Users};

use crate::arguments::Hash;
use crate::outcome::Failure;

/// Prints the hash of a passcode, or the line of a users file. The passcode is never an argument, which others could see
/// and the history of the shell would keep.
pub(crate) fn run(arguments: &Hash) -> Result<(), Failure> {
    let name = arguments.user.as_deref();
    if let Some(name) = name.filter(|name| !is_name(name)) {
        return Err(Failure::Usage(anyhow!(
            "`{name}` can't be the name of a user in a users file: it may have no colon and no control characters, not \
             begin with `#`, nor begin or end with a space"
        )));
    }
    let passcode = match io::stdin().is_terminal() {
        true => typed(),
        false => piped(),
    };
    let hash = passcode
        .and_then(|passcode| Ok(users::hash(&passcode)?))
        .map_err(Failure::Usage)?;
    let line = match name {
        None => hash,
        Some(name) => line(name, &hash, &arguments.roles).map_err(Failure::Usage)?,
    };
    writeln!(io::stdout(), "{line}")
        .context("stdout cannot be written")
        .map_err(Failure::Running)
}

fn typed() -> anyhow::Result<String> {
    let ask = |prompt| rpassword::prompt_password(prompt).context("the passcode can't be read");
    let passcode = ask("Passcode: ")?;
    match passcode == ask("Once more: ")? {
        true => Ok(passcode),
        false => Err(anyhow!("the passcodes differ; begin again")),
    }
}

/// The first line. One that is too long is not read to its end.
fn piped() -> anyhow::Result<String> {
    let limit = MAX_PASSCODE_BYTES as u64 + 2;
    let mut line = String::new();
    let read = io::stdin().lock().take(limit).read_line(&mut line);
    read.context("the passcode can't be read from stdin")?;
    let line = line.strip_suffix('\n').unwrap_or(&line);
    Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with('#')
        && !name.contains(|one: char| one == ':' || one.is_control())
        && name.trim() == name
}

/// The line, which a server takes.
fn line(name: &str, hash: &str, roles: &[String]) -> anyhow::Result<String> {
    let line = match roles.is_empty() {
        true => format!("{name}:{hash}"),
        false => format!("{name}:{hash}:{}", roles.join(",")),
    };
    Users::parse(&line)?;
    Ok(line)
}
