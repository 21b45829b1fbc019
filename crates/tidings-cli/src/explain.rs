//! `tidings explain`.

use std::io::Write as _;
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use tidings_core::destination::Destination;
use tidings_core::security::{
    Action, Credential, Credentials, Decision, Principal, Rules, TokenSource,
};
use tidings_server::config::{Config, Overrides};
use tidings_server::{Server, access_rules};

use crate::arguments::Explain;
use crate::outcome::Failure;
use crate::person;
use crate::serve::environment;

/// Prints what the rules decide and why; fails where they deny.
pub(crate) fn run(arguments: &Explain) -> Result<(), Failure> {
    let config = Config::load(
        arguments.config.as_deref(),
        environment(),
        &Overrides::default(),
    )
    .map_err(Failure::Configuration)?;
    let destination = destination(&config, arguments).map_err(Failure::Usage)?;
    let rules = access_rules(&config).map_err(|error| Failure::Usage(error.into()))?;
    let principal = principal(&config, arguments).map_err(Failure::Usage)?;
    let question = Question {
        config: &config,
        rules: &rules,
        principal: &principal,
        action: arguments.action,
        destination,
    };
    let decision = rules.decide(&principal, arguments.action, destination);
    write!(std::io::stdout(), "{}", question.answer(&decision))
        .context("stdout cannot be written")
        .map_err(Failure::Running)?;
    match decision.is_allowed {
        true => Ok(()),
        false => Err(Failure::Denied),
    }
}

/// What is asked about: a destination that a frame of this kind may have.
fn destination<'a>(config: &Config, arguments: &'a Explain) -> anyhow::Result<&'a str> {
    let action = arguments.action;
    let destination = match (action, &arguments.destination) {
        (Action::Connect, None) => return Ok(""),
        (Action::Connect, Some(_)) => {
            return Err(anyhow!("CONNECT has no destination; leave it out"));
        }
        (_, None) => {
            let frame = frame(action);
            return Err(anyhow!(
                "{frame} needs a destination; write it behind {frame}"
            ));
        }
        (_, Some(destination)) => destination,
    };
    let destinations = config.destinations();
    let known = match action {
        Action::Subscribe => destinations.classify_subscription(destination).map(|_| ()),
        _ => destinations.classify(destination).map(|_| ()),
    };
    known.with_context(|| {
        format!(
            "`{destination}` can't be the destination of {}",
            frame(action)
        )
    })?;
    Ok(destination)
}

fn principal(config: &Config, arguments: &Explain) -> anyhow::Result<Principal> {
    if let Some(token) = &arguments.token {
        return of_token(config, token);
    }
    let Some(user) = &arguments.user else {
        return Ok(Principal::anonymous());
    };
    let mut principal = Principal::user(user.as_str()).with_roles(arguments.traits.roles.clone());
    principal.claims = person::claims(&arguments.traits.claims);
    match principal.name {
        Some(_) => Ok(principal),
        None => Err(anyhow!("--user is empty; write a name, or --anonymous")),
    }
}

/// As the server finds it out.
fn of_token(config: &Config, token: &str) -> anyhow::Result<Principal> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the runtime cannot start")?;
    let credential = Credential::Token {
        token: Arc::from(token),
        source: TokenSource::Connect,
    };
    let known = runtime.block_on(async {
        let server = Server::unbound(config.clone());
        let credentials = Credentials::new(credential, None);
        anyhow::Ok(server.authenticate(credentials)?.await)
    })?;
    known.context("the token proves nobody")
}

/// What is asked, and what it is asked of.
struct Question<'a> {
    config: &'a Config,
    rules: &'a Rules,
    principal: &'a Principal,
    action: Action,
    destination: &'a str,
}

impl Question<'_> {
    fn answer(&self, decision: &Decision<'_>) -> String {
        let who = match &self.principal.name {
            Some(name) => name,
            None => "somebody without credentials",
        };
        let (verdict, may) = match decision.is_allowed {
            true => ("allowed", "may"),
            false => ("denied", "may not"),
        };
        let what = match self.action {
            Action::Connect => "connect".to_owned(),
            Action::Send => format!("send to {}", self.destination),
            Action::Subscribe => format!("subscribe to {}", self.destination),
        };
        format!("{verdict}: {who} {may} {what}\n{}", self.reason(decision))
    }

    /// Sentences, a line each.
    fn reason(&self, decision: &Decision<'_>) -> String {
        if let (Some(number), Some(rule)) = (decision.number, decision.rule) {
            let pattern = match self.is_pattern() && !decision.is_allowed {
                true => {
                    "  It denies some of what the pattern can match, so the whole pattern is refused.\n"
                }
                false => "",
            };
            return format!("  Rule {number} decides: {rule}\n{pattern}");
        }
        if decision.is_allowed {
            return self.openness();
        }
        let count = self.rules.iter().count();
        if count == 0 {
            return "  There are no rules, and clients have to prove who they are: then nothing is allowed, not even to \
                    connect. Write `security.rules`.\n"
                .to_owned();
        }
        let none = match self.is_pattern() {
            true => "allows everything that the pattern can match",
            false => "applies",
        };
        format!("  None of the {count} rules {none}, and what no rule allows is denied.\n")
    }

    fn openness(&self) -> String {
        let mut text = "  There are no rules, and nobody has to prove who they are: then everything is allowed.\n".to_owned();
        let destinations = self.config.destinations();
        let is_for_users = matches!(
            destinations.classify(self.destination),
            Ok(Destination::User(_))
        );
        if self.action == Action::Send && is_for_users && !self.config.broker.clients_send_to_users
        {
            text.push_str(
                "  Only to other users' destinations clients may not send unless `broker.clients_send_to_users` is on.\n",
            );
        }
        text
    }

    fn is_pattern(&self) -> bool {
        self.action == Action::Subscribe && self.destination.contains(['*', '?'])
    }
}

fn frame(action: Action) -> String {
    action.word().to_uppercase()
}
