//! Webhooks that cannot work, and those that deserve a word.

use super::super::checked::{Config, Webhook};
use super::super::units::format_duration;
use super::Report;
use crate::outgoing::{is_local, parse};
use crate::webhook::Routes;

/// Appends what in `[webhook]` contradicts.
pub(super) fn check(config: &Config, report: &mut Report<'_>) {
    let webhook = &config.webhook;
    if let Err(error) = Routes::new(&webhook.routes, config.broker.separator) {
        let others = ["broker.separator"];
        report.require(false, "webhook.routes", &others, || error.to_string());
    }
    for (key, url) in webhook.urls() {
        if let Err(error) = parse(url) {
            report.require(false, key, &[], || error.to_string());
        }
    }
    if !webhook.asks_anybody() {
        return;
    }
    let named = webhook.urls().map(|(key, _)| key);
    let others: Vec<_> = named.chain(["webhook.routes"]).collect();
    report.require(webhook.secret.is_some(), "webhook.secret", &others, || {
        "is absent, and back ends know by it who asks; set it, best by TIDINGS__WEBHOOK__SECRET"
            .to_owned()
    });
    if !webhook.is_used() {
        return;
    }
    let least = webhook.timeout.saturating_mul(2);
    let others = ["application.timeout", "webhook.routes"];
    report.require(config.application.timeout >= least, "webhook.timeout", &others, || {
        format!(
            "is {}, more than half of `application.timeout`, which holds for waiting and answering together; lower the \
             one or raise the other",
            format_duration(webhook.timeout)
        )
    });
}

/// A sentence for each back end that others may stand before.
pub(super) fn warnings(webhook: &Webhook) -> impl Iterator<Item = String> {
    let urls = webhook.routes.iter().map(|route| &*route.url);
    let elsewhere = urls
        .chain(webhook.urls().map(|(_, url)| url))
        .filter(|url| others_can_read(url));
    elsewhere.map(|url| {
        format!(
            "`webhook` names {url}: who is on the way there reads what clients send, and can answer them; use `https://`"
        )
    })
}

fn others_can_read(url: &str) -> bool {
    parse(url).is_ok_and(|url| url.scheme_str() == Some("http") && !is_local(&url))
}

impl Webhook {
    /// Whether a back end is named that does the work of an application: then webhooks are that of the server. One that
    /// only authenticates is none.
    pub fn is_used(&self) -> bool {
        let urls = [&self.connect_url, &self.subscribe_url, &self.events_url];
        !self.routes.is_empty() || urls.into_iter().any(Option::is_some)
    }

    /// Whether any back end is named.
    pub(crate) fn asks_anybody(&self) -> bool {
        !self.routes.is_empty() || self.urls().next().is_some()
    }

    /// The keys that name one back end, those that are there.
    pub(crate) fn urls(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let urls = [
            ("webhook.connect_url", &self.connect_url),
            ("webhook.subscribe_url", &self.subscribe_url),
            ("webhook.authenticate_url", &self.authenticate_url),
            ("webhook.events_url", &self.events_url),
        ];
        urls.into_iter()
            .filter_map(|(key, url)| Some((key, url.as_deref()?)))
    }
}
