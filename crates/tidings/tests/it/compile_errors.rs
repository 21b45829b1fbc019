/// What the compiler says to the commonest mistakes. `TRYBUILD=overwrite` writes it anew.
#[test]
fn compile_errors_teach() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
