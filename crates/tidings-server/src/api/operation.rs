//! The operations of the API: one table for the routes and for the document.

use axum::http::Method;

use super::{Answered, Api, Call, document, page, publish, sessions};

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
    /// The statuses of the problems that it may answer with.
    pub(super) problems: &'static [u16],
    pub(super) answer: fn(&Api, &Call<'_>) -> Answered,
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

/// What may go wrong with any message.
const OF_MESSAGES: &[u16] = &[400, 401, 409, 413, 415, 422, 503];

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
                ("topic", r#"{"status": 200}"#),
                ("user", r#"{"status": 200, "sessions_reached": 1}"#),
                (
                    "batch",
                    r#"{"results": [{"status": 200}, {"type": "urn:tidings:problem:unknown-destination", "title": "The destination starts with no prefix that the server knows.", "status": 422, "detail": "the destination starts with no known prefix: use one of /topic/, /queue/, /user/, /temp-queue/, /reply-queue/", "code": "unknown-destination"}]}"#,
                ),
            ],
        },
        problems: OF_MESSAGES,
        answer: publish::publish,
    },
    Operation {
        name: "listUsers",
        method: Method::GET,
        path: "/users",
        access: Access::Keys,
        summary: "Lists who is connected to this node, by name.",
        parameters: &[
            Parameter {
                name: "limit",
                place: "query",
                about: "Most users of the answer.",
                schema: r#"{"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}"#,
                example: "10",
            },
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
                r#"{"users": [{"name": "ada", "sessions": 1}], "next": "ada"}"#,
            )],
        },
        problems: &[401, 422],
        answer: page::list,
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
                r#"{"name": "ada", "sessions": ["5c0a9b6d1f2e4c8ba7d3e60f18b24c97"]}"#,
            )],
        },
        problems: &[401, 422],
        answer: page::show,
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
        answer: publish::to_user,
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
        problems: &[400, 401, 404, 409, 413, 415, 422, 503],
        answer: publish::to_session,
    },
    Operation {
        name: "disconnectUser",
        method: Method::DELETE,
        path: "/users/{name}/sessions",
        access: Access::Keys,
        summary: "Disconnects all sessions of a user, with the reason `disconnected-by-application`.",
        parameters: &[NAME],
        request: None,
        response: DISCONNECTED,
        problems: &[401, 422],
        answer: sessions::end_all,
    },
    Operation {
        name: "disconnectSession",
        method: Method::DELETE,
        path: "/sessions/{id}",
        access: Access::Keys,
        summary: "Disconnects a session, with the reason `disconnected-by-application`.",
        parameters: &[ID],
        request: None,
        response: DISCONNECTED,
        problems: &[401, 404, 422],
        answer: sessions::end,
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
        answer: document::describe,
    },
];
