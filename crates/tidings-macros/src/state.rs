//! The state that a handler is checked with.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::parse::Parser;
use syn::{Error, FnArg, GenericArgument, Ident, PathArguments, Result, Token, Type, parse_quote};

/// What the program says of it: `state = T`, or nothing.
pub(crate) fn given(options: TokenStream) -> Result<Option<Type>> {
    let parser = |input: syn::parse::ParseStream<'_>| {
        if input.is_empty() {
            return Ok(None);
        }
        let name: Ident = input.parse()?;
        if name != "state" {
            let message = format!(
                "`{name}` is no option; write `debug_handler(state = T)` or `debug_handler`"
            );
            return Err(Error::new(name.span(), message));
        }
        if !input.peek(Token![=]) {
            let message = "`state` needs a type; write `debug_handler(state = T)`";
            return Err(Error::new(name.span(), message));
        }
        input.parse::<Token![=]>()?;
        let state: Type = input.parse()?;
        input.parse::<Option<Token![,]>>()?;
        Ok(Some(state))
    };
    parser.parse2(options)
}

/// The `T` of the arguments `State<T>`; `()` if there is none.
pub(crate) fn inferred(function: &syn::ItemFn) -> Result<Type> {
    let mut states = function.sig.inputs.iter().filter_map(taken);
    let Some(first) = states.next() else {
        return Ok(parse_quote!(()));
    };
    let text = |state: &Type| state.to_token_stream().to_string();
    match states.find(|other| text(other) != text(first)) {
        None => Ok(first.clone()),
        Some(other) => Err(Error::new_spanned(
            other,
            format!(
                "the state can't be both `{}` and `{}`; name the router's own: `#[debug_handler(state = T)]`, of which \
                 each `State` is a part by `FromRef`",
                text(first),
                text(other)
            ),
        )),
    }
}

/// The `T` of `State<T>`.
fn taken(argument: &FnArg) -> Option<&Type> {
    let FnArg::Typed(argument) = argument else {
        return None;
    };
    let Type::Path(path) = &*argument.ty else {
        return None;
    };
    let last = path.path.segments.last()?;
    let PathArguments::AngleBracketed(of) = &last.arguments else {
        return None;
    };
    match of.args.first() {
        Some(GenericArgument::Type(state)) if last.ident == "State" && of.args.len() == 1 => {
            Some(state)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    fn inferred_of(function: syn::ItemFn) -> Result<String> {
        inferred(&function).map(|state| state.to_token_stream().to_string())
    }

    #[test]
    fn the_state_is_that_of_the_arguments() {
        for (function, expected) in [
            (
                parse_quote!(
                    async fn f() {}
                ),
                "()",
            ),
            (
                parse_quote!(
                    async fn f(_: Json<u32>) {}
                ),
                "()",
            ),
            (
                parse_quote!(
                    async fn f(_: State<App>) {}
                ),
                "App",
            ),
            (
                parse_quote!(
                    async fn f(_: tidings::extract::State<App>, _: State<App>) {}
                ),
                "App",
            ),
        ] {
            assert_eq!(inferred_of(function).expect("one state"), expected);
        }
        let two = inferred_of(parse_quote!(
            async fn f(_: State<A>, _: State<B>) {}
        ));
        assert!(two.is_err());
    }

    #[test]
    fn options_are_read() {
        let given = |options| given(options).map(|state| state.is_some());
        assert!(matches!(given(quote!()), Ok(false)));
        assert!(matches!(given(quote!(state = App<u32>)), Ok(true)));
        for wrong in [
            quote!(App),
            quote!(stat = App),
            quote!(state = App, 1),
            quote!(state),
        ] {
            assert!(given(wrong).is_err());
        }
    }
}
