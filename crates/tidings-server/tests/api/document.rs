//! The OpenAPI document against the server that it describes.

use serde_json::Value;

use crate::server::{Place, Running};

/// Whether `value` is what `schema` says; reads as much of JSON Schema as the document uses.
fn fits(document: &Value, schema: &Value, value: &Value) -> bool {
    if let Some(reference) = schema["$ref"].as_str() {
        let named = document.pointer(reference.trim_start_matches('#'));
        return fits(document, named.expect(reference), value);
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let fitting = choices.iter().filter(|one| fits(document, one, value));
        return fitting.count() == 1;
    }
    if schema
        .get("const")
        .is_some_and(|constant| constant != value)
    {
        return false;
    }
    if let Some(names) = schema["enum"].as_array() {
        return names.contains(value);
    }
    if let Some(types) = schema["type"].as_array() {
        return types.iter().any(|one| {
            let schema = serde_json::json!({ "type": one });
            fits(document, &schema, value)
        });
    }
    match schema["type"].as_str() {
        Some("null") => value.is_null(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_u64(),
        Some("array") => value.as_array().is_some_and(|items| {
            items
                .iter()
                .all(|item| fits(document, &schema["items"], item))
        }),
        Some("object") => fits_object(document, schema, value),
        Some(other) => panic!("a schema of type {other}"),
        None => true,
    }
}

fn fits_object(document: &Value, schema: &Value, value: &Value) -> bool {
    let Some(members) = value.as_object() else {
        return false;
    };
    let required = schema["required"].as_array().into_iter().flatten();
    let is_there = |name: &Value| members.contains_key(name.as_str().unwrap_or_default());
    required.into_iter().all(is_there)
        && members.iter().all(|(name, value)| {
            let more = &schema["additionalProperties"];
            match schema["properties"].get(name) {
                Some(schema) => fits(document, schema, value),
                None if more.is_object() => fits(document, more, value),
                None => more.as_bool().unwrap_or(true),
            }
        })
}

/// The path with the examples of its parameters in it.
fn filled(path: &str, described: &Value, session: &str) -> String {
    let mut filled = path.to_owned();
    let mut query = Vec::new();
    for parameter in described["parameters"].as_array().into_iter().flatten() {
        let name = parameter["name"].as_str().expect("it has one");
        let example = match name {
            "id" | "session" => session,
            _ => parameter["example"].as_str().unwrap_or_default(),
        };
        match parameter["in"].as_str() {
            Some("path") => filled = filled.replace(&format!("{{{name}}}"), example),
            Some("query") => query.push(format!("{name}={example}")),
            _ => {}
        }
    }
    format!("{filled}?{}", query.join("&"))
}

/// `description: { "application/json": { schema, examples } }`.
fn examples(content: &Value) -> impl Iterator<Item = (&Value, &Value)> {
    let content = &content["content"]["application/json"];
    let examples = content["examples"].as_object().into_iter().flatten();
    examples.map(|(_, example)| (&content["schema"], &example["value"]))
}

#[test]
fn every_example_of_the_document_works_and_is_answered_as_it_says() {
    let server = Running::start(Place::BeneathHttp);
    let (status, document) = server.ask("GET", "/api/v1/openapi.json", None);
    assert_eq!(status, 200);
    let mut asked = 0;
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, described) in methods.as_object().expect("methods") {
            let responses = &described["responses"];
            let requests: Vec<_> = examples(&described["requestBody"]).collect();
            for (schema, example) in &requests {
                assert!(fits(&document, schema, example), "{example}");
            }
            for (schema, example) in examples(&responses["200"]) {
                assert!(fits(&document, schema, example), "{example}");
            }
            let bodies = match requests.len() {
                0 => vec![None],
                _ => requests
                    .iter()
                    .map(|(_, example)| Some(example.to_string()))
                    .collect(),
            };
            for body in bodies {
                let (mut client, session) = server.client("ada");
                client.subscribe("sub-0", "/topic/prices");
                let path = filled(path, described, &session);
                let (status, answer) = server.ask(&method.to_uppercase(), &path, body.as_deref());
                assert_eq!(status, 200, "{method} {path} {body:?}: {answer}");
                let schema = &responses["200"]["content"]["application/json"]["schema"];
                assert!(
                    fits(&document, schema, &answer),
                    "{method} {path}: {answer}"
                );
                asked += 1;
            }
        }
    }
    assert!(asked >= 23, "{asked}");
}

#[test]
fn a_problem_is_as_the_document_says() {
    let server = Running::start(Place::BeneathHttp);
    let (_, document) = server.ask("GET", "/api/v1/openapi.json", None);
    let problem = serde_json::json!({"$ref": "#/components/schemas/Problem"});
    for (method, path, status) in [
        ("GET", "/api/v1/nothing", 404),
        ("POST", "/api/v1/messages", 400),
        ("DELETE", "/api/v1/sessions/none", 404),
        ("DELETE", "/api/v1/sessions/none/subscriptions/a", 404),
        ("GET", "/api/v1/subscriptions?after=x", 422),
    ] {
        let (answered, body) = server.ask(method, path, None);
        assert_eq!(answered, status, "{body}");
        assert!(fits(&document, &problem, &body), "{body}");
    }
}
