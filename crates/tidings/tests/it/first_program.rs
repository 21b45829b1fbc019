#[test]
fn the_page_shows_the_example_as_it_is() {
    let page = include_str!("../../../../docs/framework.md");
    let example = include_str!("../../examples/chat.rs");
    assert!(
        page.contains(&format!("```rust\n{example}```\n")),
        "docs/framework.md shows another program: copy examples/chat.rs into it"
    );
}

#[test]
fn the_page_shows_how_the_service_of_the_example_is_put_together() {
    let page = include_str!("../../../../docs/framework.md");
    let example = include_str!("../../examples/axum_app.rs");
    let start = example.find("/// Serves until `stop`");
    let end = example.find("\n#[tokio::main]");
    let shown = start.zip(end).map(|(start, end)| &example[start..end]);
    let shown = shown.expect("the example has this function before its main");
    assert!(
        page.contains(&format!("```rust\n{shown}```\n")),
        "docs/framework.md shows another service: copy `serve` of examples/axum_app.rs into it"
    );
}
