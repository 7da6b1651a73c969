//! What may be written to a field: `#[replica(…)]` or `#[field(…)]` on it.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::spanned::Spanned;
use syn::{Attribute, LitStr, Path};

use crate::attributes::{each, once};

/// Longest name of a capability, in bytes; `hhs_model::bounds::MAX_CAPABILITY_BYTES`.
const MAX_CAPABILITY_BYTES: usize = 64;

#[derive(Clone, Default)]
pub(super) struct Restrictions {
    /// A function of a mutation.
    accept: Option<Path>,
    /// A function of a mutation and of the op.
    accept_by: Option<Path>,
    /// A function of an author.
    writers: Option<Path>,
    /// A capability.
    needs: Option<LitStr>,
}

impl Restrictions {
    pub(super) fn parse(attributes: &[Attribute], name: &str) -> syn::Result<Self> {
        let mut parsed = Self::default();
        each(attributes, name, |meta| {
            let path =
                |slot: &mut Option<Path>| once(slot, meta, |meta| crate::attributes::unquoted(meta, "accept = check"));
            if meta.path.is_ident("accept") {
                return path(&mut parsed.accept);
            }
            if meta.path.is_ident("accept_by") {
                return path(&mut parsed.accept_by);
            }
            if meta.path.is_ident("writers") {
                return path(&mut parsed.writers);
            }
            if meta.path.is_ident("needs") {
                return once(&mut parsed.needs, meta, |meta| checked_capability(meta.value()?.parse()?));
            }
            Err(meta.error(
                "unknown attribute of a replicated field: there are `accept = path`, `accept_by = path`, `writers = path` and `needs = \"capability\"`",
            ))
        })?;
        Ok(parsed)
    }

    /// A value of `Restrictions` of `hhs_crdt`; what has the wrong type is reported where it is named.
    pub(super) fn expression(&self, root: &TokenStream) -> TokenStream {
        let option = |path: &Option<Path>| match path {
            Some(path) => {
                let path = path.to_token_stream();
                quote::quote_spanned!(path.span()=> ::core::option::Option::Some(#path))
            }
            None => quote!(::core::option::Option::None),
        };
        let (accept, accept_by, writers) = (option(&self.accept), option(&self.accept_by), option(&self.writers));
        let needs = match &self.needs {
            Some(needs) => quote!(::core::option::Option::Some(#needs)),
            None => quote!(::core::option::Option::None),
        };
        quote! {
            #root::__private::Restrictions {
                accept: #accept,
                accept_by: #accept_by,
                writers: #writers,
                needs: #needs,
            }
        }
    }
}

/// A name that a capability can have.
fn checked_capability(name: LitStr) -> syn::Result<LitStr> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-/.".contains(&byte);
    let text = name.value();
    if (1..=MAX_CAPABILITY_BYTES).contains(&text.len()) && text.bytes().all(plain) {
        return Ok(name);
    }
    let message = format!(
        "no capability has this name: it has to be 1 to {MAX_CAPABILITY_BYTES} bytes of a-z, 0-9, '-', '/' and '.'"
    );
    Err(syn::Error::new_spanned(name, message))
}
