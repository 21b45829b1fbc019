//! What keeps a function from being a handler.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Error, FnArg, ItemFn, Result, ReturnType, Type};

use crate::state;

/// As `tidings::handler::Handler` is implemented.
const MAX_ARGUMENTS: usize = 8;

/// The function as it is, and behind it its faults or the checks that need types.
pub(crate) fn expand(options: TokenStream, item: TokenStream) -> TokenStream {
    let checks = syn::parse2(item.clone())
        .map_err(|error| Error::new(error.span(), "`debug_handler` is for functions"))
        .and_then(|function| checks(options, &function))
        .unwrap_or_else(Error::into_compile_error);
    quote!(#item #checks)
}

fn checks(options: TokenStream, function: &ItemFn) -> Result<TokenStream> {
    let given = state::given(options)?;
    check_shape(function)?;
    let types = argument_types(function)?;
    let state = match given {
        Some(state) => state,
        None => state::inferred(function)?,
    };
    let state_check = quote_spanned!(state.span()=> ::tidings::handler::check::state::<#state>(););
    let last = types.len().saturating_sub(1);
    let arguments = types.iter().enumerate().map(|(at, ty)| {
        let check = if at == last {
            quote!(last_argument::<#ty, #state, _>)
        } else {
            quote!(argument::<#ty, #state>)
        };
        quote_spanned!(ty.span()=> ::tidings::handler::check::#check();)
    });
    let arguments: Vec<_> = arguments.collect();
    let reply = reply_check(function);
    let future = future_check(function, &types);
    Ok(quote! {
        const _: () = {
            #[allow(unreachable_code, unused, clippy::all)]
            fn check() {
                #state_check
                #(#arguments)*
                #reply
                #future
            }
        };
    })
}

/// What can be seen without types.
fn check_shape(function: &ItemFn) -> Result<()> {
    let signature = &function.sig;
    let returns_future = mentions(&signature.output, |word| word.ends_with("Future"));
    if signature.asyncness.is_none() && !returns_future {
        let message = format!(
            "a handler is asynchronous: write `async fn {}`",
            signature.ident
        );
        return Err(Error::new(signature.fn_token.span, message));
    }
    if !signature.generics.params.is_empty() || signature.generics.where_clause.is_some() {
        let message = "`debug_handler` checks no generic functions, as it would have to know the types; take one of the two away";
        return Err(Error::new_spanned(&signature.generics, message));
    }
    if let Some(ninth) = signature.inputs.iter().nth(MAX_ARGUMENTS) {
        let message = format!(
            "a handler takes at most {MAX_ARGUMENTS} arguments; put some together into an extractor of your own: \
             a struct that implements `FromMessageParts`"
        );
        return Err(Error::new_spanned(ninth, message));
    }
    Ok(())
}

fn argument_types(function: &ItemFn) -> Result<Vec<&Type>> {
    function.sig.inputs.iter().map(argument_type).collect()
}

fn argument_type(argument: &FnArg) -> Result<&Type> {
    match argument {
        FnArg::Receiver(receiver) => Err(Error::new_spanned(
            receiver,
            "a handler is a free function; take what it needs of `self` as `State`",
        )),
        FnArg::Typed(argument) if mentions(&argument.ty, |word| word == "impl") => {
            Err(Error::new_spanned(
                &argument.ty,
                "`debug_handler` checks no generic functions, as it would have to know the types; name this type",
            ))
        }
        FnArg::Typed(argument) => Ok(&argument.ty),
    }
}

/// A reply that has a name, at the place of that name. What has none is checked with the future.
fn reply_check(function: &ItemFn) -> Option<TokenStream> {
    let ReturnType::Type(_, ty) = &function.sig.output else {
        return None;
    };
    if function.sig.asyncness.is_none() || mentions(ty, |word| word == "impl") {
        return None;
    }
    Some(quote_spanned!(ty.span()=> ::tidings::handler::check::reply::<#ty>();))
}

/// That the future may be sent to another thread. An argument stands for a value that nobody will ever make.
fn future_check(function: &ItemFn, types: &[&Type]) -> TokenStream {
    let name = &function.sig.ident;
    let span = name.span();
    let values: Vec<_> = (0..types.len())
        .map(|at| format_ident!("argument_{at}", span = Span::mixed_site()))
        .collect();
    let check = match reply_check(function) {
        Some(_) => quote_spanned!(span=> future),
        None => quote_spanned!(span=> replying_future),
    };
    quote_spanned! {span=>
        #(let #values: #types = loop {};)*
        ::tidings::handler::check::#check(#name(#(#values),*));
    }
}

/// Whether one of the words of the code is such a one.
fn mentions(code: &impl ToTokens, is_such: impl Fn(&str) -> bool + Copy) -> bool {
    fn any(tokens: TokenStream, is_such: impl Fn(&str) -> bool + Copy) -> bool {
        tokens.into_iter().any(|token| match token {
            proc_macro2::TokenTree::Ident(word) => is_such(&word.to_string()),
            proc_macro2::TokenTree::Group(group) => any(group.stream(), is_such),
            _ => false,
        })
    }
    any(code.to_token_stream(), is_such)
}
