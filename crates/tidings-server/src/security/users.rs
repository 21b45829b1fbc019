//! Names and passcodes of a file.

use std::path::Path;
use std::sync::Arc;

use tidings_auth::users::Users;
use tidings_core::security::{AuthenticationError, Principal};

use super::desk::Desk;
use super::policy::PolicyError;

/// Checks passcodes.
pub(super) struct Passcodes {
    users: Arc<Users>,
    desk: Arc<Desk>,
}

impl Passcodes {
    pub(super) fn load(path: &Path, desk: &Arc<Desk>) -> Result<Self, PolicyError> {
        let unreadable = |source| PolicyError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        let users = Users::parse(&text).map_err(|error| PolicyError::BadFile {
            path: path.to_owned(),
            cause: error.to_string(),
        })?;
        Ok(Self {
            users: Arc::new(users),
            desk: Arc::clone(desk),
        })
    }

    /// Whether it is the user's passcode. Which of both is wrong is not told.
    pub(super) fn check(
        &self,
        login: Arc<str>,
        passcode: Arc<str>,
    ) -> impl Future<Output = Result<Principal, AuthenticationError>> + Send + use<> {
        let (users, desk) = (Arc::clone(&self.users), Arc::clone(&self.desk));
        async move {
            let verified = desk.run(move || users.verify(&login, &passcode)).await?;
            verified.ok_or_else(|| {
                AuthenticationError::Rejected("the login or the passcode is wrong".to_owned())
            })
        }
    }
}
