//! Who can reach a server, and what that asks of its configuration.

use super::*;

#[test]
fn others_can_reach_a_server_only_if_its_file_says_who_clients_are() {
    for key in ["http.listen", "tcp.listen", "admin.listen"] {
        for address in ["0.0.0.0:8081", "192.0.2.1:8081", "[::]:8081"] {
            let found = complaints(&format!("{key} = '{address}'"));
            let expected = format!(
                "`{key}` at tidings.toml:1 is {address}, which others can reach, and there is no authentication: "
            );
            assert!(found.starts_with(&expected), "{found}");
            let trusting = load(&format!(
                "{key} = '{address}'\nsecurity.authenticator = 'trust-login'"
            ))
            .expect(key);
            assert_eq!(trusting.warnings().len(), 1, "{key}");
        }
        for address in ["127.0.0.2:8081", "[::1]:8081", "[::ffff:127.0.0.1]:8081"] {
            let config = load(&format!("{key} = '{address}'")).expect("loopback is accepted");
            assert_eq!(config.warnings(), Vec::<String>::new());
        }
    }
    assert_eq!(
        complaints("http.listen = '0.0.0.0:8080'"),
        "`http.listen` at tidings.toml:1 is 0.0.0.0:8080, which others can reach, and there is no authentication: \
         whoever connects is whichever user they name in `login`. Listen on 127.0.0.1, write \
         `[security] authenticator = \"jwt\"` or `\"users\"`, or accept that by `\"trust-login\"`"
    );
}
