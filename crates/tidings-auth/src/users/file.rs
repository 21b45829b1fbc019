//! The lines of a users file.

use std::collections::HashMap;

use super::User;
use super::passcode::HashError;

/// The most bytes of a users file.
pub const MAX_FILE_BYTES: usize = 4 * 1024 * 1024;

/// The most users of a file.
pub const MAX_USERS: usize = 10_000;

/// The most bytes of a line.
pub const MAX_LINE_BYTES: usize = 4096;

/// Why a users file is not taken. No message shows a hash.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UsersError {
    /// More than [`MAX_FILE_BYTES`].
    #[error("the users file is larger than {MAX_FILE_BYTES} bytes; use tokens for so many users")]
    TooLarge,
    /// A line is wrong.
    #[error("line {line} of the users file: {cause}")]
    Line {
        /// Which, counted from 1.
        line: usize,
        /// Why.
        cause: LineError,
    },
}

/// Why a line of a users file is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LineError {
    /// More than [`MAX_LINE_BYTES`].
    #[error("it is longer than {MAX_LINE_BYTES} bytes")]
    TooLong,
    /// It is none of the forms.
    #[error("it is not `name:hash` or `name:hash:role,role`; `tidings hash` makes a hash")]
    Form,
    /// Nothing, or control characters, before the first colon.
    #[error("the name is empty or has control characters")]
    Name,
    /// Nothing, or spaces or control characters, between commas.
    #[error("a role is empty or has spaces; write role,role")]
    Role,
    /// The name is taken.
    #[error("the name stands in line {first} already; remove one")]
    Duplicate {
        /// The line that has it.
        first: usize,
    },
    /// The hash is not taken.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// More than [`MAX_USERS`].
    #[error("there are more than {MAX_USERS} users; use tokens for so many")]
    TooMany,
}

pub(super) fn read(text: &str) -> Result<HashMap<Box<str>, User>, UsersError> {
    if text.len() > MAX_FILE_BYTES {
        return Err(UsersError::TooLarge);
    }
    let mut users = HashMap::new();
    let mut first_lines = HashMap::new();
    // Some editors begin a file with a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (line, content) in (1..).zip(text.lines().map(str::trim)) {
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        let at = |cause| UsersError::Line { line, cause };
        let (name, user) = read_line(content).map_err(at)?;
        if let Some(first) = first_lines.insert(name, line) {
            return Err(at(LineError::Duplicate { first }));
        }
        if first_lines.len() > MAX_USERS {
            return Err(at(LineError::TooMany));
        }
        users.insert(name.into(), user);
    }
    Ok(users)
}

fn read_line(content: &str) -> Result<(&str, User), LineError> {
    if content.len() > MAX_LINE_BYTES {
        return Err(LineError::TooLong);
    }
    let mut parts = content.splitn(3, ':');
    let (Some(name), Some(hash)) = (parts.next(), parts.next()) else {
        return Err(LineError::Form);
    };
    if name.is_empty() || name.contains(char::is_control) {
        return Err(LineError::Name);
    }
    let user = User {
        hash: hash.parse()?,
        roles: parts.next().map_or(Ok(Vec::new()), read_roles)?,
    };
    Ok((name, user))
}

fn read_roles(text: &str) -> Result<Vec<Box<str>>, LineError> {
    let role = |role: &str| {
        let is_role =
            !role.is_empty() && !role.contains(|one: char| one.is_whitespace() || one.is_control());
        is_role.then(|| role.into()).ok_or(LineError::Role)
    };
    text.split(',').map(role).collect()
}
