//! docs/security.md: each configuration starts a server, and the authenticator is one.

use std::env;
use std::fs;
use std::path::Path;
use std::process;

use tidings_core::security::{AuthenticationError, Credential, Credentials, Principal};
use tidings_server::config::{AuthenticatorKind, Config, Overrides};
use tidings_server::{BindError, Server};

const PAGE: &str = include_str!("../../../docs/security.md");

/// The text of each block of this language.
fn blocks(language: &str) -> Vec<&'static str> {
    let fenced = PAGE.split("\n```").skip(1).step_by(2);
    let parted = fenced.filter_map(|block| block.split_once('\n'));
    parted
        .filter(|block| block.0 == language)
        .map(|block| block.1)
        .collect()
}

#[tokio::test]
async fn every_configuration_of_the_page_starts_a_server_and_deserves_no_warning() {
    let folder = env::temp_dir().join(format!("tidings-security-page-{}", process::id()));
    furnish(&folder);
    let here = folder.to_str().expect("a plain name");
    let file = folder.join("tidings.toml");
    let mut kinds = Vec::new();
    for text in blocks("toml") {
        fs::write(&file, text.replace("/etc/tidings", here)).expect("it was made");
        let config = Config::load(Some(&file), [].into_iter(), &Overrides::default());
        let config = config.unwrap_or_else(|errors| panic!("{errors}\n{text}"));
        assert_eq!(config.warnings(), Vec::<String>::new(), "{text}");
        assert!(!config.security.rules.is_empty(), "{text}");
        kinds.extend(config.security.authenticator.clone());
        starts(config, text).await;
    }
    fs::remove_dir_all(&folder).expect("it was made");
    for kind in [
        AuthenticatorKind::Users,
        AuthenticatorKind::Jwt,
        AuthenticatorKind::Webhook,
    ] {
        assert!(kinds.contains(&kind), "{}", kind.name());
    }
    assert_eq!(kinds.len(), 7);
}

/// Takes no port, and ends at once.
async fn starts(config: Config, text: &str) {
    let server = Server::unbound(config);
    let ran = server
        .run(axum::Router::new(), std::future::ready(()))
        .await;
    ran.unwrap_or_else(|error| panic!("{error}\n{text}"));
}

/// What the page has in `/etc/tidings`.
fn furnish(folder: &Path) {
    let names = ["localhost".to_owned()];
    let signed = rcgen::generate_simple_self_signed(names).expect("a certificate");
    let certificate = signed.cert.pem();
    let files = [
        ("server.pem", &*certificate),
        ("server.key", &*signed.signing_key.serialize_pem()),
        ("clients.pem", &*certificate),
        ("users.txt", blocks("text")[0]),
        ("billing.pem", &*signed.signing_key.public_key_pem()),
    ];
    fs::create_dir_all(folder).expect("a folder to write to");
    for (name, text) in files {
        fs::write(folder.join(name), text).expect("it was made");
    }
}

#[test]
fn the_user_of_the_page_has_the_passcode_that_tests_know() {
    let [text] = blocks("text")[..] else {
        panic!("one file of users");
    };
    let users = tidings_auth::users::Users::parse(text).expect("a good file");
    let feed = users.verify("feed", "correct-horse").expect("its passcode");
    assert!(feed.has_role("feed"));
}

async fn serve(config: Config) -> Result<Server, BindError> {
    let server = Server::bind(config).await?;
    Ok(server.authenticator(|credentials: Credentials| async move {
        match credentials.credential {
            Credential::Token { token, .. } => match user_of(&token).await {
                Some(user) => Ok(Principal::user(user).with_roles(["staff"])),
                None => Err(AuthenticationError::Rejected("sign in again".into())),
            },
            _ => Err(AuthenticationError::Missing("connect with a token".into())),
        }
    }))
}

/// As some table of the program says.
async fn user_of(token: &str) -> Option<String> {
    (token == "4d1fe2").then(|| "ann".to_owned())
}

#[test]
fn the_authenticator_of_the_page_is_the_one_that_compiles_here() {
    let page = blocks("rust").concat();
    let here = include_str!("security_page.rs");
    let (_, from) = here.split_once("\nasync fn serve").expect("it is here");
    let (body, _) = from.split_once("\n}\n").expect("it ends");
    assert_eq!(page, format!("async fn serve{body}\n}}"));
    let _ = serve;
}
