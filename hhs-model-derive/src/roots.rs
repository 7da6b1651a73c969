//! Where generated code finds `hhs_model` and `hhs_crdt`: as the user's own dependency, under whatever name, or through
//! the facade `hhs`.

use proc_macro_crate::{FoundCrate, crate_name};
use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::Ident;

/// The path of `hhs_model`.
pub(crate) fn model() -> TokenStream {
    find("hhs-model", "model")
}

/// The path of `hhs_crdt`.
pub(crate) fn crdt() -> TokenStream {
    find("hhs-crdt", "crdt")
}

/// The path of a crate of ours, which the facade re-exports as `module`.
fn find(package: &str, module: &str) -> TokenStream {
    let module = Ident::new(module, Span::call_site());
    let own = Ident::new(&package.replace('-', "_"), Span::call_site());
    match (crate_name(package), crate_name("hhs")) {
        (Ok(FoundCrate::Name(name)), _) => {
            let name = Ident::new(&name, Span::call_site());
            quote!(::#name)
        }
        (Err(_), Ok(FoundCrate::Name(name))) => {
            let name = Ident::new(&name, Span::call_site());
            quote!(::#name::#module)
        }
        // In the crate itself, which names itself; elsewhere the error that rustc reports says what is missing.
        _ => quote!(::#own),
    }
}
