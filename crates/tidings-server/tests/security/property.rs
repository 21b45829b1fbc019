//! Whatever clients, operators and the application do, and in whatever order: nobody hears what the rules of that moment
//! forbid it to subscribe to, and nothing reaches anybody that its sender was forbidden to send.
//!
//! "That moment" is as strict as it can be said: after each step the server comes to rest. So what is published after the
//! RECEIPT of a renewal, or after a reload and what it posts to the workers, is held against the new rights.

use std::collections::HashSet;
use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::select;
use tidings::prelude::*;
use tidings_testkit::{Link, Peer, TestServer};

use crate::model::{self, Rule, Who, allow, takes_in};
use crate::world::{bearer, of_tokens, token_for};

/// Less than anything that is due; more than what has come takes.
const REST: Duration = Duration::from_millis(1);

const EXACT: &[&str] = &[
    "/topic/a/c",
    "/topic/a/d",
    "/topic/b/c",
    "/topic/b/d",
    "/queue/a",
    "/queue/b",
    "/user/queue/n",
    "/user/queue/m",
];

const WILD: &[&str] = &[
    "/topic/**",
    "/topic/a/*",
    "/topic/*/c",
    "/topic/?/d",
    "/topic/b/**",
    "/user/queue/*",
];

const SENT: &[&str] = &[
    "/topic/a/c",
    "/topic/a/d",
    "/topic/b/c",
    "/topic/b/d",
    "/queue/a",
    "/queue/b",
    "/user/ann/queue/n",
    "/user/bob/queue/n",
    "/user/%62ob/queue/m",
];

const CLIENTS: [(Option<&str>, Link); 4] = [
    (Some("ann"), Link::Tcp),
    (Some("ann"), Link::WebSocket),
    (Some("bob"), Link::XhrStreaming),
    (None, Link::Tcp),
];

#[derive(Debug, Clone)]
enum Step {
    Subscribe(usize, &'static str),
    Unsubscribe(usize, prop::sample::Index),
    Send(usize, &'static str),
    Begin(usize),
    SendInTransaction(usize, &'static str),
    Commit(usize),
    Abort(usize),
    /// The client asks the application, which sends to this destination.
    Ask(usize, &'static str),
    /// The application sends unasked.
    Publish(&'static str),
    PublishToUser(&'static str, &'static str),
    /// The application asks the sessions of a user.
    Request(&'static str),
    Renew(usize, (bool, Vec<&'static str>)),
    Reload(Vec<Rule>),
}

fn step() -> impl Strategy<Value = Step> {
    let client = 0..CLIENTS.len();
    let user = select(vec!["ann", "bob"]);
    let topics = &SENT[..6];
    prop_oneof![
        4 => (client.clone(), select(EXACT)).prop_map(|(at, to)| Step::Subscribe(at, to)),
        4 => (client.clone(), select(WILD)).prop_map(|(at, to)| Step::Subscribe(at, to)),
        1 => (client.clone(), any::<prop::sample::Index>()).prop_map(|(at, which)| Step::Unsubscribe(at, which)),
        6 => (client.clone(), select(SENT)).prop_map(|(at, to)| Step::Send(at, to)),
        3 => (0..2_usize).prop_map(Step::Begin),
        5 => (0..2_usize, select(SENT)).prop_map(|(at, to)| Step::SendInTransaction(at, to)),
        3 => (0..2_usize).prop_map(Step::Commit),
        1 => (0..2_usize).prop_map(Step::Abort),
        2 => (client.clone(), select(topics)).prop_map(|(at, to)| Step::Ask(at, to)),
        3 => select(topics).prop_map(Step::Publish),
        2 => (user.clone(), select(vec!["queue/n", "queue/m"])).prop_map(|(user, path)| Step::PublishToUser(user, path)),
        1 => user.prop_map(Step::Request),
        2 => (client, model::rights()).prop_map(|(at, rights)| Step::Renew(at, rights)),
        2 => model::rules().prop_map(Step::Reload),
    ]
}

/// A client, and what it has as far as the rules say so.
struct Client {
    peer: Peer,
    who: Who,
    subscriptions: Vec<(String, &'static str)>,
    /// What an open transaction holds: where to, and the body.
    transaction: Option<Vec<(&'static str, String)>>,
}

struct World {
    server: TestServer,
    rules: Vec<Rule>,
    clients: Vec<Client>,
    /// Bodies that nobody may ever see.
    forbidden: HashSet<String>,
    count: usize,
    /// MESSAGEs seen: a test that sees none proves nothing.
    seen: usize,
}

fn written(rules: &[Rule]) -> Vec<String> {
    let others = rules.iter().map(Rule::text);
    std::iter::once("allow connect".to_owned())
        .chain(others)
        .collect()
}

fn token_of(who: &Who) -> Option<String> {
    let roles: &[&str] = if who.is_staff { &["staff"] } else { &[] };
    Some(token_for(
        who.name?,
        roles,
        &who.teams,
        Duration::from_secs(86_400),
    ))
}

impl World {
    async fn new(rules: Vec<Rule>, rights: &[(bool, Vec<&'static str>)]) -> Self {
        let relay = async |Header(to): Header<Where>, body: String| SendTo(to, body);
        let server = of_tokens()
            .application(Router::new().message("relay", relay))
            .config(|config| {
                config.server.workers = 2;
                config.security.rules = written(&rules);
            })
            .start()
            .await;
        let mut clients = Vec::new();
        for ((name, link), (is_staff, teams)) in CLIENTS.into_iter().zip(rights) {
            let is_known = name.is_some();
            let who = Who {
                name,
                is_staff: *is_staff && is_known,
                teams: teams.iter().copied().filter(|_| is_known).collect(),
            };
            let dial = server.dial().over(link).header("error-mode", "continue");
            let dial = match token_of(&who) {
                Some(token) => bearer(dial, &token),
                None => dial,
            };
            clients.push(Client {
                peer: dial.connect().await,
                who,
                subscriptions: Vec::new(),
                transaction: None,
            });
        }
        Self {
            server,
            rules,
            clients,
            forbidden: HashSet::new(),
            count: 0,
            seen: 0,
        }
    }

    fn body(&mut self) -> String {
        self.count += 1;
        format!("body {}", self.count)
    }

    fn may(&self, at: usize, action: &str, destination: &str) -> bool {
        allow(&self.rules, &self.clients[at].who, action, destination)
    }

    async fn act(&mut self, step: &Step) {
        match step {
            Step::Subscribe(at, to) => {
                self.count += 1;
                let id = format!("s{}", self.count);
                let frame = Frame::new(Command::Subscribe)
                    .with_header("id", &id)
                    .with_header("destination", to);
                let is_live = self.tell(*at, frame).await;
                let all = EXACT.iter().filter(|one| takes_in(to, one));
                let may = all.clone().all(|one| self.may(*at, "subscribe", one));
                assert!(may || !is_live, "{to} lets in what is forbidden");
                let is_exact = EXACT.contains(to);
                assert!(is_live || !may || !is_exact, "{to} is allowed");
                if is_live {
                    self.clients[*at].subscriptions.push((id, to));
                }
            }
            Step::Unsubscribe(at, which) => {
                let all = &mut self.clients[*at].subscriptions;
                if !all.is_empty() {
                    let (id, _) = all.remove(which.index(all.len()));
                    let frame = Frame::new(Command::Unsubscribe).with_header("id", &id);
                    assert!(self.tell(*at, frame).await, "it had that one");
                }
            }
            Step::Send(at, to) => {
                let body = self.body();
                let is_done = self.send(*at, to, &body, None).await;
                assert_eq!(is_done, self.may(*at, "send", to), "SEND to {to}");
            }
            Step::Begin(at) => {
                let is_first = self.clients[*at].transaction.is_none();
                let frame = Frame::new(Command::Begin).with_header("transaction", "t");
                assert_eq!(self.tell(*at, frame).await, is_first);
                self.clients[*at].transaction.get_or_insert_default();
            }
            Step::SendInTransaction(at, to) => {
                if self.clients[*at].transaction.is_some() {
                    let body = self.body();
                    let may = self.may(*at, "send", to);
                    assert_eq!(
                        self.send(*at, to, &body, Some("t")).await,
                        may,
                        "SEND to {to}"
                    );
                    if let Some(held) = self.clients[*at].transaction.as_mut().filter(|_| may) {
                        held.push((to, body));
                    }
                }
            }
            Step::Commit(at) => {
                let held = self.clients[*at].transaction.take();
                let sends = held.as_deref().unwrap_or_default();
                let may = sends.iter().all(|(to, _)| self.may(*at, "send", to));
                if !may {
                    self.forbidden
                        .extend(sends.iter().map(|(_, body)| body.clone()));
                }
                let frame = Frame::new(Command::Commit).with_header("transaction", "t");
                assert_eq!(self.tell(*at, frame).await, may && held.is_some(), "COMMIT");
            }
            Step::Abort(at) => {
                let held = self.clients[*at].transaction.take();
                self.forbidden
                    .extend(held.iter().flatten().map(|(_, body)| body.clone()));
                let frame = Frame::new(Command::Abort).with_header("transaction", "t");
                assert_eq!(self.tell(*at, frame).await, held.is_some());
            }
            Step::Ask(at, to) => {
                let body = self.body();
                let may = self.may(*at, "send", "/app/relay");
                if !may {
                    self.forbidden.insert(body.clone());
                }
                let frame = Frame::new(Command::Send)
                    .with_header("destination", "/app/relay")
                    .with_header("x-to", to)
                    .with_body(body);
                assert_eq!(self.tell(*at, frame).await, may, "SEND to the application");
            }
            Step::Publish(to) => {
                let body = self.body();
                self.server
                    .broker()
                    .send(to, message(&body))
                    .expect("a destination");
                self.rest(None).await;
            }
            Step::PublishToUser(user, path) => {
                let body = self.body();
                let recipient = Recipient::User((*user).into());
                let sent = self
                    .server
                    .broker()
                    .send_to(&recipient, path, message(&body));
                sent.expect("a destination");
                self.rest(None).await;
            }
            Step::Request(user) => {
                let body = self.body();
                let recipient = Recipient::User((*user).into());
                let broker = self.server.broker();
                let asked = broker.request(&recipient, "queue/n", message(&body), REST);
                asked.await.expect_err("nobody answers");
                self.rest(None).await;
            }
            Step::Renew(at, (is_staff, teams)) => {
                let who = Who {
                    is_staff: *is_staff,
                    teams: teams.clone(),
                    ..self.clients[*at].who.clone()
                };
                let Some(token) = token_of(&who) else { return };
                let frame = Frame::new(Command::Send)
                    .with_header("destination", "/session/token")
                    .with_header("Authorization", &format!("Bearer {token}"));
                // What is on its way meanwhile counts as before: here nothing is.
                self.clients[*at].who = who;
                assert!(self.tell(*at, frame).await, "it is the same user's");
            }
            Step::Reload(rules) => {
                let lines = written(rules);
                let reloaded = self.server.reload(|config| config.security.rules = lines);
                reloaded.expect("good rules");
                self.rules = rules.clone();
                self.rest(None).await;
            }
        }
    }

    async fn send(&mut self, at: usize, to: &str, body: &str, transaction: Option<&str>) -> bool {
        if !self.may(at, "send", to) {
            self.forbidden.insert(body.to_owned());
        }
        let mut frame = Frame::new(Command::Send)
            .with_header("destination", to)
            .with_body(body.to_owned());
        if let Some(transaction) = transaction {
            frame = frame.with_header("transaction", transaction);
        }
        self.tell(at, frame).await
    }

    /// Sends a frame, and waits until all have come to rest; says whether it was done.
    async fn tell(&mut self, at: usize, frame: Frame) -> bool {
        let frame = frame.with_header("receipt", "told");
        self.clients[at].peer.send_frame(frame).await;
        self.rest(Some(at)).await.expect("an answer")
    }

    /// Looks at all that has come; gives what the client that asked was told.
    async fn rest(&mut self, asked: Option<usize>) -> Option<bool> {
        let mut told = None;
        for at in 0..self.clients.len() {
            for frame in self.clients[at].peer.frames(REST).await {
                let is_answer = frame.header("receipt-id") == Some("told");
                match frame.command {
                    Command::Message => self.look_at(at, &frame),
                    Command::Receipt | Command::Error => {
                        assert!(is_answer && asked == Some(at), "{frame:?}");
                        assert!(told.is_none(), "one answer is enough: {frame:?}");
                        told = Some(frame.command == Command::Receipt);
                    }
                    other => panic!("there came {other}"),
                }
            }
            let (who, rules) = (&self.clients[at].who, &self.rules);
            let of_all = |to: &str| {
                let mut all = EXACT.iter().filter(|one| takes_in(to, one));
                all.all(|one| allow(rules, who, "subscribe", one))
            };
            // Those that the server must have ended.
            let ended: Vec<_> = self.clients[at]
                .subscriptions
                .iter()
                .filter(|(_, to)| !of_all(to))
                .map(|(id, _)| id.clone())
                .collect();
            self.clients[at]
                .subscriptions
                .retain(|(id, _)| !ended.contains(id));
        }
        told
    }

    fn look_at(&mut self, at: usize, frame: &Frame) {
        self.seen += 1;
        let destination = frame.header("destination").expect("MESSAGE has one");
        let who = &self.clients[at].who;
        assert!(
            self.may(at, "subscribe", destination),
            "{who:?} hears of {destination}: {frame:?}"
        );
        let body = String::from_utf8_lossy(&frame.body).into_owned();
        assert!(
            !self.forbidden.contains(&body),
            "{who:?} hears {body:?}, which was refused"
        );
    }
}

/// The header that names where the application sends to.
struct Where;

impl HeaderName for Where {
    type Value = String;

    const NAME: &'static str = "x-to";
}

fn message(body: &str) -> Outgoing {
    Outgoing {
        body: body.to_owned().into(),
        ..Outgoing::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn nobody_hears_what_the_rules_forbid_and_nothing_refused_is_heard(
        rules in model::rules(),
        rights in prop::collection::vec(model::rights(), CLIENTS.len()),
        steps in prop::collection::vec(step(), 1..50),
    ) {
        tidings_testkit::run(async {
            let mut world = World::new(rules, &rights).await;
            for step in &steps {
                world.act(step).await;
            }
        });
    }
}

/// The model would be content with a server that delivers nothing.
#[test]
fn what_the_rules_allow_is_heard() {
    tidings_testkit::run(async {
        let mut runner = proptest::test_runner::TestRunner::deterministic();
        let steps = prop::collection::vec(step(), 400..401);
        let steps = proptest::strategy::Strategy::new_tree(&steps, &mut runner).expect("steps");
        let steps = proptest::strategy::ValueTree::current(&steps);
        let rights = vec![(true, vec!["a", "b"]); CLIENTS.len()];
        let mut world = World::new(model::generous(), &rights).await;
        for step in &steps {
            if !matches!(step, Step::Reload(_)) {
                world.act(step).await;
            }
        }
        assert!(world.seen > 200, "{} MESSAGEs", world.seen);
    });
}
