//! The operations of the API: one table for the routes and for the document.

use axum::http::Method;

use super::parameter::{
    AFTER, AFTER_REVOCATION, AFTER_SUBSCRIPTION, CLOSE_CODE, ID, LIMIT, NAME, OF_SUBSCRIPTIONS,
    OF_USER, Parameter, REASON, SUBSCRIPTION, TEXT, TOKEN_ID,
};
use super::{
    Answered, Answering, Api, Call, document, page, publish, revocations, sessions, subscriptions,
};
use crate::security::Need;

/// One method of one path.
pub(super) struct Operation {
    /// The `operationId`, and the label of the metrics.
    pub(super) name: &'static str,
    pub(super) method: Method,
    /// Beneath the path of the API.
    pub(super) path: &'static str,
    pub(super) access: Access,
    pub(super) summary: &'static str,
    pub(super) parameters: &'static [Parameter],
    /// The body; none where the method has none.
    pub(super) request: Option<Content>,
    pub(super) response: Content,
    /// The statuses of the problems that it may answer with, besides those of keys.
    pub(super) problems: &'static [u16],
    pub(super) answer: Answer,
}

/// What an operation does.
pub(super) enum Answer {
    Now(fn(&Api, &Call<'_>) -> Answered),
    /// Workers are asked.
    Later(for<'a> fn(&'a Api, &'a Call<'_>) -> Answering<'a>),
}

/// Who may ask: everybody, or who has a key with this scope.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Everybody,
    Read,
    Administer,
    Publish,
}

impl Access {
    /// What the key must allow.
    pub(super) fn need(self) -> Option<Need<'static>> {
        match self {
            Self::Everybody => None,
            Self::Read => Some(Need::Read),
            Self::Administer => Some(Need::Administer),
            Self::Publish => Some(Need::Publish),
        }
    }
}

/// JSON that is sent or answered.
pub(super) struct Content {
    /// The name of its schema in the document.
    pub(super) schema: &'static str,
    /// Each with a name and as JSON.
    pub(super) examples: &'static [(&'static str, &'static str)],
}

const MESSAGE: Content = Content {
    schema: "PathMessage",
    examples: &[(
        "text",
        r#"{"path": "queue/news", "body": "Your order is on its way."}"#,
    )],
};

const REACHED: Content = Content {
    schema: "Sent",
    examples: &[("reached", r#"{"status": 200, "sessions_reached": 1}"#)],
};

const DISCONNECTED: Content = Content {
    schema: "Disconnected",
    examples: &[("one", r#"{"disconnected": 1}"#)],
};

const SUBSCRIPTIONS: Content = Content {
    schema: "Subscriptions",
    examples: &[(
        "page",
        r#"{"subscriptions": [{"session": "5c0a9b6d1f2e4c8ba7d3e60f18b24c97", "user": "ada", "id": "sub-0", "destination": "/topic/prices", "ack": "auto", "link": "websocket"}], "next": "0-17"}"#,
    )],
};

const UNSUBSCRIBED: Content = Content {
    schema: "Unsubscribed",
    examples: &[("one", r#"{"unsubscribed": 1}"#)],
};

const LIFTED: Content = Content {
    schema: "Lifted",
    examples: &[("one", r#"{"lifted": 1}"#)],
};

/// What may go wrong with any message.
const OF_MESSAGES: &[u16] = &[400, 409, 413, 415, 422, 503];

pub(super) static OPERATIONS: &[Operation] = &[
    Operation {
        name: "publish",
        method: Method::POST,
        path: "/messages",
        access: Access::Publish,
        summary: "Sends one message, or a batch with a result for each, in order.",
        parameters: &[],
        request: Some(Content {
            schema: "Publish",
            examples: &[
                (
                    "text",
                    r#"{"destination": "/topic/prices", "body": "ACME 17.20"}"#,
                ),
                (
                    "json",
                    r#"{"destination": "/queue/orders", "json": {"id": 7, "item": "lamp"}, "headers": {"priority": "high"}, "ttl_ms": 60000}"#,
                ),
                (
                    "counted",
                    r#"{"destination": "/topic/prices", "body": "ACME 17.20", "count": true}"#,
                ),
                (
                    "bytes",
                    r#"{"destination": "/user/ada/queue/pictures", "body_base64": "iVBORw0KGgo=", "content_type": "image/png"}"#,
                ),
                (
                    "batch",
                    r#"{"messages": [{"destination": "/topic/prices", "body": "ACME 17.30"}, {"destination": "/nowhere"}]}"#,
                ),
            ],
        }),
        response: Content {
            schema: "Published",
            examples: &[
                ("topic", r#"{"status": 200, "sessions_reached": null}"#),
                ("user", r#"{"status": 200, "sessions_reached": 1}"#),
                (
                    "batch",
                    r#"{"results": [{"status": 200, "sessions_reached": null}, {"type": "urn:tidings:problem:unknown-destination", "title": "The destination starts with no prefix that the server knows.", "status": 422, "detail": "the destination starts with no known prefix: use one of /topic/, /queue/, /user/, /temp-queue/, /reply-queue/", "code": "unknown-destination"}]}"#,
                ),
            ],
        },
        problems: OF_MESSAGES,
        answer: Answer::Later(publish::publish),
    },
    Operation {
        name: "listUsers",
        method: Method::GET,
        path: "/users",
        access: Access::Read,
        summary: "Lists who is connected to this node, by name.",
        parameters: &[LIMIT, AFTER],
        request: None,
        response: Content {
            schema: "Users",
            examples: &[(
                "page",
                r#"{"users": [{"name": "ada", "sessions": 1}], "total": 2, "next": "ada"}"#,
            )],
        },
        problems: &[422],
        answer: Answer::Now(page::list),
    },
    Operation {
        name: "showUser",
        method: Method::GET,
        path: "/users/{name}",
        access: Access::Read,
        summary: "Names the sessions of a user; of one who is not connected, none.",
        parameters: &[NAME],
        request: None,
        response: Content {
            schema: "UserSessions",
            examples: &[(
                "connected",
                r#"{"name": "ada", "sessions": ["5c0a9b6d1f2e4c8ba7d3e60f18b24c97"], "total": 1}"#,
            )],
        },
        problems: &[422],
        answer: Answer::Now(page::show),
    },
    Operation {
        name: "sendToUser",
        method: Method::POST,
        path: "/users/{name}/messages",
        access: Access::Publish,
        summary: "Sends a message to all sessions of a user that have subscribed to `/user/PATH`.",
        parameters: &[NAME],
        request: Some(MESSAGE),
        response: REACHED,
        problems: OF_MESSAGES,
        answer: Answer::Later(publish::to_user),
    },
    Operation {
        name: "sendToSession",
        method: Method::POST,
        path: "/sessions/{id}/messages",
        access: Access::Publish,
        summary: "Sends a message to one session, if it has subscribed to `/user/PATH`.",
        parameters: &[ID],
        request: Some(MESSAGE),
        response: REACHED,
        problems: &[400, 404, 409, 413, 415, 422, 503],
        answer: Answer::Later(publish::to_session),
    },
    Operation {
        name: "disconnectUser",
        method: Method::DELETE,
        path: "/users/{name}/sessions",
        access: Access::Administer,
        summary: "Disconnects all sessions of a user.",
        parameters: &[NAME, REASON, CLOSE_CODE, TEXT],
        request: None,
        response: DISCONNECTED,
        problems: &[422],
        answer: Answer::Now(sessions::end_all),
    },
    Operation {
        name: "disconnectSession",
        method: Method::DELETE,
        path: "/sessions/{id}",
        access: Access::Administer,
        summary: "Disconnects a session.",
        parameters: &[ID, REASON, CLOSE_CODE, TEXT],
        request: None,
        response: DISCONNECTED,
        problems: &[404, 422],
        answer: Answer::Now(sessions::end),
    },
    Operation {
        name: "listSessions",
        method: Method::GET,
        path: "/sessions",
        access: Access::Read,
        summary: "Lists the sessions on this node, by id, those of clients without a name too.",
        parameters: &[LIMIT, AFTER, OF_USER],
        request: None,
        response: Content {
            schema: "Sessions",
            examples: &[(
                "page",
                r#"{"sessions": [{"id": "5c0a9b6d1f2e4c8ba7d3e60f18b24c97", "user": null, "link": "websocket", "peer": "192.0.2.7:50412", "connected_at_ms": 1767225600000}], "total": 1}"#,
            )],
        },
        problems: &[422],
        answer: Answer::Now(sessions::list),
    },
    Operation {
        name: "showSession",
        method: Method::GET,
        path: "/sessions/{id}",
        access: Access::Read,
        summary: "Tells of one session, and how many subscriptions it has.",
        parameters: &[ID],
        request: None,
        response: Content {
            schema: "SessionShown",
            examples: &[(
                "one",
                r#"{"id": "5c0a9b6d1f2e4c8ba7d3e60f18b24c97", "user": "ada", "link": "tcp", "peer": "192.0.2.7:50412", "connected_at_ms": 1767225600000, "subscriptions": 3}"#,
            )],
        },
        problems: &[404, 422, 503],
        answer: Answer::Later(sessions::show),
    },
    Operation {
        name: "listSubscriptions",
        method: Method::GET,
        path: "/subscriptions",
        access: Access::Read,
        summary: "Lists subscriptions on this node. A page may have fewer than `limit`, or none, and yet a `next`.",
        parameters: OF_SUBSCRIPTIONS,
        request: None,
        response: SUBSCRIPTIONS,
        problems: &[422, 503],
        answer: Answer::Later(subscriptions::list),
    },
    Operation {
        name: "endSubscriptions",
        method: Method::DELETE,
        path: "/subscriptions",
        access: Access::Administer,
        summary: "Ends the subscriptions to a destination, or to all that begin so, of all, one user or one session. At most `limit`; while the answer has a `next`, ask again.",
        parameters: OF_SUBSCRIPTIONS,
        request: None,
        response: UNSUBSCRIBED,
        problems: &[422, 503],
        answer: Answer::Later(subscriptions::end_all),
    },
    Operation {
        name: "listSubscriptionsOfSession",
        method: Method::GET,
        path: "/sessions/{id}/subscriptions",
        access: Access::Read,
        summary: "Lists the subscriptions of a session, in the order in which it made them.",
        parameters: &[ID, LIMIT, AFTER_SUBSCRIPTION],
        request: None,
        response: SUBSCRIPTIONS,
        problems: &[404, 422, 503],
        answer: Answer::Later(subscriptions::of_session),
    },
    Operation {
        name: "endSubscription",
        method: Method::DELETE,
        path: "/sessions/{id}/subscriptions/{subscription}",
        access: Access::Administer,
        summary: "Ends a subscription of a session, which goes on.",
        parameters: &[ID, SUBSCRIPTION],
        request: None,
        response: UNSUBSCRIBED,
        problems: &[404, 422, 503],
        answer: Answer::Later(subscriptions::end),
    },
    Operation {
        name: "revoke",
        method: Method::POST,
        path: "/revocations",
        access: Access::Administer,
        summary: "Ends the sessions of a user or of a token, or one session, with the code `revoked`; a token, and a user where `until` is there, is refused from now on.",
        parameters: &[],
        request: Some(Content {
            schema: "Revoke",
            examples: &[
                (
                    "user",
                    r#"{"user": "mallory", "reason": "left the company"}"#,
                ),
                (
                    "session",
                    r#"{"session": "5c0a9b6d1f2e4c8ba7d3e60f18b24c97"}"#,
                ),
                (
                    "token",
                    r#"{"token_id": "0e6f7a52-6b3c-4c55-9d0f-1a2b3c4d5e6f"}"#,
                ),
            ],
        }),
        response: Content {
            schema: "Revoked",
            examples: &[
                ("user", r#"{"disconnected": 2, "until": null}"#),
                ("token", r#"{"disconnected": 1, "until": 1767225600}"#),
            ],
        },
        problems: OF_MESSAGES,
        answer: Answer::Now(revocations::revoke),
    },
    Operation {
        name: "listRevocations",
        method: Method::GET,
        path: "/revocations",
        access: Access::Read,
        summary: "Lists the tokens and users that are refused on this node: tokens by id, then users by name.",
        parameters: &[LIMIT, AFTER_REVOCATION],
        request: None,
        response: Content {
            schema: "Revocations",
            examples: &[(
                "page",
                r#"{"revocations": [{"user": "mallory", "token_id": null, "until": 1767225600, "reason": "left the company", "by": "accounts", "revoked_at_ms": 1767139200000}], "total": 2, "next": "user:mallory"}"#,
            )],
        },
        problems: &[422],
        answer: Answer::Now(revocations::list),
    },
    Operation {
        name: "liftRevocationOfUser",
        method: Method::DELETE,
        path: "/revocations/users/{name}",
        access: Access::Administer,
        summary: "Lets a user connect again.",
        parameters: &[NAME],
        request: None,
        response: LIFTED,
        problems: &[422],
        answer: Answer::Now(revocations::lift_user),
    },
    Operation {
        name: "liftRevocationOfToken",
        method: Method::DELETE,
        path: "/revocations/tokens/{token_id}",
        access: Access::Administer,
        summary: "Lets a token count again.",
        parameters: &[TOKEN_ID],
        request: None,
        response: LIFTED,
        problems: &[422],
        answer: Answer::Now(revocations::lift_token),
    },
    Operation {
        name: "describe",
        method: Method::GET,
        path: "/openapi.json",
        access: Access::Everybody,
        summary: "This document. It needs no key.",
        parameters: &[],
        request: None,
        response: Content {
            schema: "Document",
            examples: &[],
        },
        problems: &[],
        answer: Answer::Now(document::describe),
    },
];
