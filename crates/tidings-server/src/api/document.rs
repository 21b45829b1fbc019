//! The OpenAPI document, from the table of operations.

use serde_json::{Map, Value, json};
use tidings_core::disconnect::Reason;

use super::operation::{Access, Content, OPERATIONS, Operation};
use super::parameter::Parameter;
use super::{API_PATH, Answered, Api, Call, encode, sessions};

/// What requests and answers look like, by name.
const SCHEMAS: &str = include_str!("schemas.json");

const ABOUT: &str = "Sends messages to the clients of Tidings, tells who is connected and has subscribed, unsubscribes, disconnects and revokes.";

/// The header by which a request that comes twice is done once.
const IDEMPOTENCY_KEY: &str = "Names the request: when it comes again within `api.idempotency_time`, it is not done \
                               again, and the first answer is given.";

/// The document.
pub(super) fn describe(api: &Api, _: &Call<'_>) -> Answered {
    Ok(api.document.clone())
}

/// Writes the document. All that can fail in it is fixed at build time, and tested.
pub(super) fn write() -> bytes::Bytes {
    let mut paths = Map::new();
    for operation in OPERATIONS {
        let path = paths.entry(format!("{API_PATH}{}", operation.path));
        let methods = path.or_insert_with(|| json!({}));
        methods[operation.method.as_str().to_lowercase()] = describe_operation(operation);
    }
    let mut schemas = value(SCHEMAS);
    schemas["Reason"] = reasons();
    encode(&json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Tidings",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
        },
        "security": [{ "key": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": { "key": { "type": "http", "scheme": "bearer" } },
            "schemas": schemas,
        },
    }))
}

/// Those that an application may give.
fn reasons() -> Value {
    let names = Reason::all()
        .filter(sessions::may_be_given)
        .map(Reason::name);
    json!({
        "type": "string",
        "description": "A reason of docs/disconnect-codes.md.",
        "enum": names.collect::<Vec<_>>(),
    })
}

fn describe_operation(operation: &Operation) -> Value {
    let mut parameters: Vec<_> = operation.parameters.iter().map(parameter).collect();
    let mut responses = Map::new();
    responses.insert("200".to_owned(), described("Done.", &operation.response));
    let of_keys: &[u16] = match operation.access {
        Access::Everybody => &[],
        _ => &[401, 403, 429],
    };
    for status in of_keys.iter().chain(operation.problems) {
        responses.insert(status.to_string(), problem(*status));
    }
    let mut described = json!({
        "operationId": operation.name,
        "summary": operation.summary,
        "responses": responses,
    });
    if let Some(request) = &operation.request {
        parameters.push(json!({
            "name": "Idempotency-Key",
            "in": "header",
            "description": IDEMPOTENCY_KEY,
            "schema": { "type": "string", "minLength": 1, "maxLength": 255 },
        }));
        described["requestBody"] = json!({ "required": true, "content": content(request) });
    }
    match operation.access.need() {
        None => described["security"] = json!([]),
        Some(need) => {
            let needed = format!("Needs a key with the scope `{}`.", need.scope());
            described["description"] = needed.into();
        }
    }
    described["parameters"] = parameters.into();
    described
}

fn parameter(parameter: &Parameter) -> Value {
    json!({
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.place == "path",
        "description": parameter.about,
        "schema": value(parameter.schema),
        "example": parameter.example,
    })
}

fn described(description: &str, response: &Content) -> Value {
    json!({ "description": description, "content": content(response) })
}

fn content(content: &Content) -> Value {
    let examples = content
        .examples
        .iter()
        .map(|(name, example)| ((*name).to_owned(), json!({ "value": value(example) })));
    let examples: Map<_, _> = examples.collect();
    json!({ "application/json": { "schema": reference(content.schema), "examples": examples } })
}

fn problem(status: u16) -> Value {
    let description = match status {
        400 => "The body is no JSON or not complete, or the idempotency key can't be used.",
        401 => "No key, or none of the server's.",
        403 => "The key has not the scope for it.",
        404 => "No such session is connected, or it has no such subscription.",
        409 => "The first request with this idempotency key is not done.",
        413 => "Too large.",
        415 => "Not said to be JSON, or compressed.",
        429 => "Too many wrong keys: try again after the seconds of the header `retry-after`.",
        503 => "Not now: try again after the seconds of the header `retry-after`.",
        _ => "It can't be done as it stands: `code` and `detail` say why.",
    };
    let schema = reference("Problem");
    let mut described = json!({
        "description": description,
        "content": { "application/problem+json": { "schema": schema } },
    });
    if [429, 503].contains(&status) {
        let seconds = json!({ "type": "integer", "minimum": 1 });
        described["headers"] = json!({ "Retry-After": { "required": true, "schema": seconds } });
    }
    described
}

fn reference(schema: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{schema}") })
}

fn value(json: &str) -> Value {
    serde_json::from_str(json).expect("the tables hold JSON, as a test sees")
}
