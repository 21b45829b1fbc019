//! The operations of the API: one table for the routes and for the document.

use axum::http::Method;

use super::{Answered, Answering, Api, Call, document, page, publish, sessions, subscriptions};

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

/// Who may ask.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Keys,
    Everybody,
}

/// A variable of a path, or of a query.
pub(super) struct Parameter {
    pub(super) name: &'static str,
    /// `path` or `query`.
    pub(super) place: &'static str,
    pub(super) about: &'static str,
    /// Its schema, as JSON.
    pub(super) schema: &'static str,
    pub(super) example: &'static str,
}

/// JSON that is sent or answered.
pub(super) struct Content {
    /// The name of its schema in the document.
    pub(super) schema: &'static str,
    /// Each with a name and as JSON.
    pub(super) examples: &'static [(&'static str, &'static str)],
}

const NAME: Parameter = Parameter {
    name: "name",
    place: "path",
    about: "The user, with percent escapes where the name has a `/`.",
    schema: r#"{"type": "string"}"#,
    example: "ada",
};

const ID: Parameter = Parameter {
    name: "id",
    place: "path",
    about: "The session, as the header `session` of CONNECTED named it.",
    schema: r#"{"type": "string"}"#,
    example: "5c0a9b6d1f2e4c8ba7d3e60f18b24c97",
};

const SUBSCRIPTION: Parameter = Parameter {
    name: "subscription",
    place: "path",
    about: "The `id` of SUBSCRIBE, with percent escapes where it has a `/`.",
    schema: r#"{"type": "string", "minLength": 1}"#,
    example: "sub-0",
};

const LIMIT: Parameter = Parameter {
    name: "limit",
    place: "query",
    about: "Most entries of the answer.",
    schema: r#"{"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}"#,
    example: "10",
};

const AFTER: Parameter = Parameter {
    name: "after",
    place: "query",
    about: "`next` of the page before.",
    schema: r#"{"type": "string"}"#,
    example: "0",
};

const AFTER_SUBSCRIPTION: Parameter = Parameter {
    name: "after",
    place: "query",
    about: "`next` of the page before.",
    schema: r#"{"type": "string", "pattern": "^[0-9a-f]+-[0-9]+$"}"#,
    example: "0-0",
};

const OF_USER: Parameter = Parameter {
    name: "user",
    place: "query",
    about: "Only those of this user.",
    schema: r#"{"type": "string"}"#,
    example: "ada",
};

/// What a query for subscriptions may say.
const OF_SUBSCRIPTIONS: &[Parameter] = &[
    LIMIT,
    AFTER_SUBSCRIPTION,
    Parameter {
        name: "destination",
        place: "query",
        about: "Only those to this destination, compared as the client wrote it.",
        schema: r#"{"type": "string"}"#,
        example: "/topic/prices",
    },
    Parameter {
        name: "destination_prefix",
        place: "query",
        about: "Only those to destinations that begin so.",
        schema: r#"{"type": "string"}"#,
        example: "/topic/",
    },
    Parameter {
        name: "session",
        place: "query",
        about: "Only those of this session.",
        schema: r#"{"type": "string"}"#,
        example: "5c0a9b6d1f2e4c8ba7d3e60f18b24c97",
    },
    OF_USER,
];

const REASON: Parameter = Parameter {
    name: "reason",
    place: "query",
    about: "Why, instead of `disconnected-by-application`: the code of the ERROR.",
    schema: r##"{"$ref": "#/components/schemas/Reason"}"##,
    example: "refused",
};

const CLOSE_CODE: Parameter = Parameter {
    name: "close_code",
    place: "query",
    about: "The close code of WebSocket and SockJS, instead of that of the reason.",
    schema: r#"{"type": "integer", "minimum": 4000, "maximum": 4999}"#,
    example: "4900",
};

const TEXT: Parameter = Parameter {
    name: "text",
    place: "query",
    about: "For people: `message` and body of the ERROR, and what stands behind the reason in the close frame, as far as it fits.",
    schema: r#"{"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*$"}"#,
    example: "trial-over",
};

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

/// What may go wrong with any message.
const OF_MESSAGES: &[u16] = &[400, 409, 413, 415, 422, 503];

pub(super) static OPERATIONS: &[Operation] = &[
    Operation {
        name: "publish",
        method: Method::POST,
        path: "/messages",
        access: Access::Keys,
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
        answer: Answer::Now(publish::publish),
    },
    Operation {
        name: "listUsers",
        method: Method::GET,
        path: "/users",
        access: Access::Keys,
        summary: "Lists who is connected to this node, by name.",
        parameters: &[
            LIMIT,
            Parameter {
                name: "after",
                place: "query",
                about: "Only names behind this one: `next` of the page before.",
                schema: r#"{"type": "string"}"#,
                example: "a",
            },
        ],
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
        access: Access::Keys,
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
        access: Access::Keys,
        summary: "Sends a message to all sessions of a user that have subscribed to `/user/PATH`.",
        parameters: &[NAME],
        request: Some(MESSAGE),
        response: REACHED,
        problems: OF_MESSAGES,
        answer: Answer::Now(publish::to_user),
    },
    Operation {
        name: "sendToSession",
        method: Method::POST,
        path: "/sessions/{id}/messages",
        access: Access::Keys,
        summary: "Sends a message to one session, if it has subscribed to `/user/PATH`.",
        parameters: &[ID],
        request: Some(MESSAGE),
        response: REACHED,
        problems: &[400, 404, 409, 413, 415, 422, 503],
        answer: Answer::Now(publish::to_session),
    },
    Operation {
        name: "disconnectUser",
        method: Method::DELETE,
        path: "/users/{name}/sessions",
        access: Access::Keys,
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
        access: Access::Keys,
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
        access: Access::Keys,
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
        access: Access::Keys,
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
        access: Access::Keys,
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
        access: Access::Keys,
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
        access: Access::Keys,
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
        access: Access::Keys,
        summary: "Ends a subscription of a session, which goes on.",
        parameters: &[ID, SUBSCRIPTION],
        request: None,
        response: UNSUBSCRIBED,
        problems: &[404, 422, 503],
        answer: Answer::Later(subscriptions::end),
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
