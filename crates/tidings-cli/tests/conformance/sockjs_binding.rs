//! Whose a session over HTTP is: the cookie that binds it to the client that has shown it once.

use std::time::Instant;

use crate::peer::{Http, PATIENCE, Response, Server, SockFrame, frame_of, fresh_url};

const WRONG: &str = "tidings-session=0123456789abcdef0123456789abcdef";

/// A session that has been opened, and the cookie of its first answer.
struct Opened {
    http: Http,
    url: String,
    cookie: String,
}

impl Opened {
    fn on(server: &Server) -> Self {
        let url = fresh_url();
        let mut http = server.http();
        let answer = http.post(&format!("{url}/xhr"), &[], "");
        assert_eq!(frame_of(&answer.rest), SockFrame::Open);
        let cookie = cookies(&answer).join("; ");
        let cookie = cookie
            .split(';')
            .next()
            .expect("split gives one part at least");
        let cookie = cookie.to_owned();
        Self { http, url, cookie }
    }

    fn ask(&mut self, last: &str, cookie: Option<&str>, body: &str) -> Response {
        let headers: Vec<_> = cookie
            .map(|cookie| ("Cookie", cookie))
            .into_iter()
            .collect();
        self.http
            .post(&format!("{}/{last}", self.url), &headers, body)
    }

    /// What comes of a CONNECT and of a poll behind it, with this cookie or none.
    fn statuses(&mut self, cookie: Option<&str>) -> [u16; 2] {
        let connect = "[\"CONNECT\\naccept-version:1.2\\nhost:h\\n\\n\\u0000\"]";
        let said = self.ask("xhr_send", cookie, connect).status;
        [said, self.ask("xhr", cookie, "").status]
    }

    /// As `statuses`, for who may not: other connections are refused too.
    fn assert_closed_to(&mut self, cookie: Option<&str>) {
        for last in ["xhr_send", "xhr", "xhr_streaming"] {
            let answer = self.ask(last, cookie, "[\"NOSUCH\\n\\n\\u0000\"]");
            assert_eq!(answer.status, 404, "{last} with {cookie:?}");
            assert!(cookies(&answer).is_empty(), "nothing is offered");
        }
        let headers: Vec<_> = cookie
            .map(|cookie| ("Cookie", cookie))
            .into_iter()
            .collect();
        let path = format!("{}/eventsource", self.url);
        assert_eq!(self.http.get(&path, &headers).status, 404);
    }
}

fn cookies(answer: &Response) -> Vec<String> {
    let all = answer.headers.iter();
    all.filter(|(name, _)| name == "set-cookie")
        .map(|(_, value)| value.clone())
        .collect()
}

#[test]
fn the_answer_that_creates_a_session_sets_a_cookie_for_its_urls_alone() {
    let server = Server::start();
    let mut secrets = Vec::new();
    for last in ["xhr", "xhr_streaming"] {
        let url = fresh_url();
        let mut http = server.http();
        let path = format!("{url}/{last}");
        http.send("POST", &path, &[], b"").expect("it is written");
        let head = http.read_head(Instant::now() + PATIENCE);
        let [cookie] = cookies(&head.expect("it is answered"))
            .try_into()
            .expect("it is one");
        let (secret, attributes) = cookie.split_once("; ").expect("it has attributes");
        assert_eq!(attributes, format!("Path={url}; HttpOnly; SameSite=Lax"));
        let secret = secret.strip_prefix("tidings-session=").expect("its name");
        assert_eq!(secret.len(), 32, "128 bits in hexadecimal");
        secrets.push(secret.to_owned());
    }
    assert_ne!(secrets[0], secrets[1]);
}

#[test]
fn only_the_first_answer_sets_it() {
    let server = Server::start();
    let mut session = Opened::on(&server);
    assert_eq!(session.statuses(None), [204, 200]);
    session.ask("xhr_send", None, "[\"NOSUCH\\n\\n\\u0000\"]");
    let error = session.ask("xhr", None, "");
    assert!(error.text().contains("unknown-command"), "{}", error.text());
    assert_eq!(cookies(&error), [""; 0]);
}

#[test]
fn a_client_that_never_shows_it_is_served() {
    let server = Server::start();
    let mut session = Opened::on(&server);
    assert_eq!(session.statuses(None), [204, 200]);
}

#[test]
fn once_shown_nobody_gets_in_without_it_and_the_owner_goes_on() {
    let server = Server::start();
    let mut session = Opened::on(&server);
    let own = session.cookie.clone();
    assert_eq!(session.ask("xhr_send", Some(&own), "[\"\\n\"]").status, 204);
    for other in [None, Some(WRONG), Some("tidings-session="), Some("a=b")] {
        session.assert_closed_to(other);
    }
    assert_eq!(session.statuses(Some(&own)), [204, 200]);
    let among_others = format!("a=b; {own}; JSESSIONID=x");
    let beat = session.ask("xhr_send", Some(&among_others), "[\"\\n\"]");
    assert_eq!(beat.status, 204);
}

#[test]
fn listening_with_it_binds_too() {
    let server = Server::start();
    let mut session = Opened::on(&server);
    let own = session.cookie.clone();
    let connect = "[\"CONNECT\\naccept-version:1.2\\nhost:h\\n\\n\\u0000\"]";
    assert_eq!(session.ask("xhr_send", None, connect).status, 204);
    assert_eq!(session.ask("xhr", Some(&own), "").status, 200);
    session.assert_closed_to(None);
    session.assert_closed_to(Some(WRONG));
}

#[test]
fn a_wrong_one_gets_nothing_even_before_the_right_one_is_shown() {
    let server = Server::start();
    let mut session = Opened::on(&server);
    session.assert_closed_to(Some(WRONG));
    assert_eq!(session.statuses(None), [204, 200]);
    let own = session.cookie.clone();
    assert_eq!(session.ask("xhr_send", Some(&own), "[\"\\n\"]").status, 204);
}

#[test]
fn a_secret_of_another_session_is_a_wrong_one() {
    let server = Server::start();
    let (mut one, other) = (Opened::on(&server), Opened::on(&server));
    one.assert_closed_to(Some(&other.cookie));
}

#[test]
fn a_client_that_shows_one_when_it_opens_is_bound_from_the_first_answer_on() {
    let server = Server::start();
    let mut session = Opened {
        http: server.http(),
        url: fresh_url(),
        cookie: WRONG.into(),
    };
    let opened = session.ask("xhr", Some(WRONG), "");
    assert_eq!(frame_of(&opened.rest), SockFrame::Open);
    session.assert_closed_to(None);
    assert_eq!(session.statuses(Some(WRONG)), [204, 200]);
}

#[test]
fn jsessionid_is_another_cookie_and_proves_nothing() {
    let server = Server::configured("[sockjs]\nsession_cookie_needed = true\n");
    let url = fresh_url();
    let mut http = server.http();
    let opened = http.post(&format!("{url}/xhr"), &[], "");
    let set = cookies(&opened);
    assert_eq!(set.len(), 2, "{set:?}");
    assert!(
        set.contains(&"JSESSIONID=dummy; path=/".to_owned()),
        "{set:?}"
    );
    let mut session = Opened {
        http,
        url,
        cookie: String::new(),
    };
    let answer = session.ask("xhr_send", Some("JSESSIONID=of-the-page"), "[\"\\n\"]");
    assert_eq!(answer.status, 204);
    assert_eq!(cookies(&answer), ["JSESSIONID=of-the-page; path=/"]);
    assert_eq!(session.statuses(None), [204, 200]);
}

#[test]
fn without_the_option_there_is_no_jsessionid() {
    let server = Server::start();
    let mut session = Opened::on(&server);
    let answer = session.ask("xhr_send", Some("JSESSIONID=x"), "[\"\\n\"]");
    assert_eq!((answer.status, cookies(&answer)), (204, Vec::new()));
}
