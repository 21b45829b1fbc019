//! Who subscribes to what and who publishes to it.

use serde::Serialize;

use crate::fleet::LinkPlan;
use crate::link::Subscription;
use crate::transport::Transport;

/// The connections of a run with their destinations. Publishers that do not subscribe come after all subscribers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) links: Vec<LinkPlan>,
    pub(crate) publishers: Vec<PublisherPlan>,
    /// For each connection: which destination it hears.
    pub(crate) hears: Vec<Option<usize>>,
    pub(crate) destinations: usize,
    pub(crate) way: Way,
}

/// How a message comes to those who hear it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Way {
    /// By the broker alone: sent to the topic that is heard.
    #[default]
    Broker,
    /// A message handler sends it to the topic.
    HandlerToTopic,
    /// A message handler sends it back to the session that it came from.
    HandlerToSender,
}

impl Way {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Broker => "broker",
            Self::HandlerToTopic => "handler to topic",
            Self::HandlerToSender => "handler to sender",
        }
    }

    /// The destination of SEND.
    pub(crate) fn sent_to(self, number: usize) -> String {
        match self {
            Self::Broker => destination_name(number),
            Self::HandlerToTopic => format!("/app/echo/bench-{number}"),
            Self::HandlerToSender => "/app/echo".to_owned(),
        }
    }

    /// The destination of SUBSCRIBE and MESSAGE.
    fn heard_at(self, number: usize) -> String {
        match self {
            Self::Broker | Self::HandlerToTopic => destination_name(number),
            Self::HandlerToSender => "/user/queue/echo".to_owned(),
        }
    }
}

/// A connection that publishes, and the destination it publishes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PublisherPlan {
    pub(crate) link: usize,
    pub(crate) destination: usize,
}

impl Plan {
    /// Subscribers and publishers dealt out over the destinations like cards.
    pub(crate) fn fanout(
        publishers: usize,
        subscribers: usize,
        destinations: usize,
        distinct_ids: bool,
    ) -> Self {
        let mut plan = Self::subscribers(subscribers, destinations, distinct_ids);
        plan.add_publishers(publishers);
        plan
    }

    /// Each user hears a destination of its own and publishes to its partner's; an odd user out is dropped.
    pub(crate) fn pairs(users: usize) -> Self {
        let users = users & !1;
        let mut plan = Self::subscribers(users, users, false);
        plan.publishers = (0..users)
            .map(|user| PublisherPlan {
                link: user,
                destination: user ^ 1,
            })
            .collect();
        plan
    }

    /// Each connection hears what it sends itself.
    pub(crate) fn echo(connections: usize, way: Way) -> Self {
        let mut plan = Self::subscribers(connections, connections, false);
        plan.way = way;
        for (number, link) in plan.links.iter_mut().enumerate() {
            if let Some(subscription) = &mut link.subscription {
                subscription.destination = way.heard_at(number);
            }
            plan.publishers.push(PublisherPlan {
                link: number,
                destination: number,
            });
        }
        plan
    }

    /// One publisher, one destination, and subscribers of which the last `stalled` stop to read.
    pub(crate) fn stalled(fast: usize, stalled: usize) -> Self {
        let mut plan = Self::subscribers(fast + stalled, 1, false);
        for link in &mut plan.links[fast..] {
            link.stalls = true;
        }
        plan.add_publishers(1);
        plan
    }

    /// The same with all that subscribe over `transport`. Where that is SockJS, those that only publish speak it in a
    /// WebSocket, which every SockJS server has at the same address.
    pub(crate) fn over(mut self, transport: Transport) -> Self {
        for link in &mut self.links {
            link.transport = match (transport, &link.subscription) {
                (Transport::Websocket, _) | (_, Some(_)) => transport,
                (_, None) => Transport::SockjsWebsocket,
            };
        }
        self
    }

    fn subscribers(count: usize, destinations: usize, distinct_ids: bool) -> Self {
        let hears: Vec<_> = (0..count)
            .map(|number| Some(number % destinations))
            .collect();
        let links = (0..count).map(|number| LinkPlan {
            subscription: Some(Subscription {
                id: if distinct_ids {
                    format!("sub-{number}")
                } else {
                    "0".to_owned()
                },
                destination: destination_name(number % destinations),
            }),
            ..LinkPlan::default()
        });
        Self {
            links: links.collect(),
            publishers: Vec::new(),
            hears,
            destinations,
            way: Way::default(),
        }
    }

    fn add_publishers(&mut self, count: usize) {
        for number in 0..count {
            self.publishers.push(PublisherPlan {
                link: self.links.len(),
                destination: number % self.destinations,
            });
            self.links.push(LinkPlan::default());
            self.hears.push(None);
        }
    }

    /// Subscribers whose deliveries count, for each destination.
    pub(crate) fn audiences(&self) -> Vec<u32> {
        let mut audiences = vec![0; self.destinations];
        for (link, hears) in self.links.iter().zip(&self.hears) {
            if let (Some(destination), false) = (*hears, link.stalls) {
                audiences[destination] += 1;
            }
        }
        audiences
    }

    pub(crate) fn subscriber_count(&self) -> usize {
        self.hears.iter().flatten().count()
    }
}

/// A destination that every broker takes: the prefix of topics, then one word.
pub(crate) fn destination_name(number: usize) -> String {
    format!("/topic/bench-{number}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fanout_deals_out_subscribers_and_publishers() {
        let plan = Plan::fanout(3, 5, 2, true);
        assert_eq!(plan.audiences(), [3, 2]);
        assert_eq!(
            plan.hears,
            [
                Some(0),
                Some(1),
                Some(0),
                Some(1),
                Some(0),
                None,
                None,
                None
            ]
        );
        let publishers: Vec<_> = plan
            .publishers
            .iter()
            .map(|p| (p.link, p.destination))
            .collect();
        assert_eq!(publishers, [(5, 0), (6, 1), (7, 0)]);
        let subscription = plan.links[3].subscription.as_ref().expect("a subscriber");
        assert_eq!(
            (subscription.id.as_str(), subscription.destination.as_str()),
            ("sub-3", "/topic/bench-1")
        );
    }

    #[test]
    fn pairs_publish_to_each_other() {
        let plan = Plan::pairs(5);
        let publishers: Vec<_> = plan
            .publishers
            .iter()
            .map(|p| (p.link, p.destination))
            .collect();
        assert_eq!(publishers, [(0, 1), (1, 0), (2, 3), (3, 2)]);
        assert_eq!(plan.audiences(), [1; 4]);
    }

    #[test]
    fn who_echoes_hears_what_comes_by_its_way() {
        for (way, sent_to, heard_at) in [
            (Way::Broker, "/topic/bench-1", "/topic/bench-1"),
            (Way::HandlerToTopic, "/app/echo/bench-1", "/topic/bench-1"),
            (Way::HandlerToSender, "/app/echo", "/user/queue/echo"),
        ] {
            let plan = Plan::echo(2, way);
            let publisher = plan.publishers[1];
            assert_eq!((publisher.link, publisher.destination), (1, 1));
            assert_eq!(
                (plan.audiences(), plan.way.sent_to(1)),
                (vec![1; 2], sent_to.into())
            );
            let subscription = plan.links[1].subscription.as_ref().expect("a subscriber");
            assert_eq!(subscription.destination, heard_at);
        }
    }

    #[test]
    fn publishers_of_a_sockjs_run_use_a_websocket() {
        let over = |transport| {
            let plan = Plan::fanout(1, 1, 1, false).over(transport);
            [plan.links[0].transport, plan.links[1].transport]
        };
        assert_eq!(over(Transport::Websocket), [Transport::Websocket; 2]);
        assert_eq!(
            over(Transport::XhrPolling),
            [Transport::XhrPolling, Transport::SockjsWebsocket]
        );
    }

    #[test]
    fn stalled_subscribers_are_no_audience() {
        let plan = Plan::stalled(5, 2);
        assert_eq!(plan.audiences(), [5]);
        assert_eq!((plan.subscriber_count(), plan.links.len()), (7, 8));
    }
}
