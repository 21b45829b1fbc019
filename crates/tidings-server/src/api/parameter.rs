//! The parameters of operations, as the document describes them.

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

pub(super) const NAME: Parameter = Parameter {
    name: "name",
    place: "path",
    about: "The user, with percent escapes where the name has a `/`.",
    schema: r#"{"type": "string"}"#,
    example: "ada",
};

pub(super) const ID: Parameter = Parameter {
    name: "id",
    place: "path",
    about: "The session, as the header `session` of CONNECTED named it.",
    schema: r#"{"type": "string"}"#,
    example: "5c0a9b6d1f2e4c8ba7d3e60f18b24c97",
};

pub(super) const SUBSCRIPTION: Parameter = Parameter {
    name: "subscription",
    place: "path",
    about: "The `id` of SUBSCRIBE, with percent escapes where it has a `/`.",
    schema: r#"{"type": "string", "minLength": 1}"#,
    example: "sub-0",
};

pub(super) const LIMIT: Parameter = Parameter {
    name: "limit",
    place: "query",
    about: "Most entries of the answer.",
    schema: r#"{"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}"#,
    example: "10",
};

pub(super) const AFTER: Parameter = Parameter {
    name: "after",
    place: "query",
    about: "Only what comes behind it: `next` of the page before.",
    schema: r#"{"type": "string"}"#,
    example: "0",
};

pub(super) const AFTER_SUBSCRIPTION: Parameter = Parameter {
    name: "after",
    place: "query",
    about: "`next` of the page before.",
    schema: r#"{"type": "string", "pattern": "^[0-9a-f]+-[0-9]+$"}"#,
    example: "0-0",
};

pub(super) const AFTER_REVOCATION: Parameter = Parameter {
    name: "after",
    place: "query",
    about: "`next` of the page before.",
    schema: r#"{"type": "string", "pattern": "^(token|user):"}"#,
    example: "token:0",
};

pub(super) const TOKEN_ID: Parameter = Parameter {
    name: "token_id",
    place: "path",
    about: "The token, as its claim `jti` names it, with percent escapes where that has a `/`.",
    schema: r#"{"type": "string"}"#,
    example: "0e6f7a52-6b3c-4c55-9d0f-1a2b3c4d5e6f",
};

pub(super) const OF_USER: Parameter = Parameter {
    name: "user",
    place: "query",
    about: "Only those of this user.",
    schema: r#"{"type": "string"}"#,
    example: "ada",
};

/// What a query for subscriptions may say.
pub(super) const OF_SUBSCRIPTIONS: &[Parameter] = &[
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

pub(super) const REASON: Parameter = Parameter {
    name: "reason",
    place: "query",
    about: "Why, instead of `disconnected-by-application`: the code of the ERROR.",
    schema: r##"{"$ref": "#/components/schemas/Reason"}"##,
    example: "refused",
};

pub(super) const CLOSE_CODE: Parameter = Parameter {
    name: "close_code",
    place: "query",
    about: "The close code of WebSocket and SockJS, instead of that of the reason.",
    schema: r#"{"type": "integer", "minimum": 4000, "maximum": 4999}"#,
    example: "4900",
};

pub(super) const TEXT: Parameter = Parameter {
    name: "text",
    place: "query",
    about: "For people: `message` and body of the ERROR, and what stands behind the reason in the close frame, as far as it fits.",
    schema: r#"{"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*$"}"#,
    example: "trial-over",
};
