//! The macros of `hhs-model` and `hhs-crdt`; use them through those crates, which re-export them.

use proc_macro::TokenStream;

mod attributes;
mod bounds;
mod decode;
mod encode;
mod field;
mod item;
mod object;
mod replica;
mod replicated;
mod roots;
mod seam;

/// How a type stands in canonical bytes.
///
/// - A struct with named fields is a map; its keys are the fields' names.
/// - A struct without fields is an empty map; fields can be added to it later.
/// - A struct with one unnamed field is what that field is; one with several is a list.
/// - A variant without content is a text, its name; one with content is a map of one entry, `{name: content}`.
///
/// Attributes: `#[hhs(rename = "…")]` on fields and variants; `#[hhs(default)]` and `#[hhs(default = path)]` on named
/// fields, for decoding (defaults are written all the same); `#[hhs(unknown)]` on one named field of type
/// `hhs_model::codec::Unknown`, which keeps fields that the type does not know; `#[hhs(crate = path)]` on the type,
/// where `hhs_model` goes by another name.
#[proc_macro_derive(Encode, attributes(hhs))]
pub fn derive_encode(input: TokenStream) -> TokenStream {
    expand(input, encode::expand)
}

/// How a type is read from canonical bytes: what `derive(Encode)` writes, and nothing else but fields that the type does
/// not know. The attributes are those of `derive(Encode)`.
#[proc_macro_derive(Decode, attributes(hhs))]
pub fn derive_decode(input: TokenStream) -> TokenStream {
    expand(input, decode::expand)
}

/// Implements `Object`, and with it `Encode` and `Decode`: an immutable value whose class is part of its bytes.
///
/// `#[object(class = "app/v1/Name")]` names the class; `validate = path` names a function
/// `fn(&Self) -> Result<(), impl Display>` that is asked when an object is encoded and when it is decoded; `upgrades =
/// OlderType` says that objects of an older class become objects of this one, by its `From<OlderType>`, wherever a
/// `Registry` reads them as such. Type parameters have to be `Send`, `Sync` and `'static`, as every object is. The bytes are
/// a map whose first entry is `"$"`, the class. Beside it stand the fields of a struct, `"value"` for a struct with
/// unnamed fields, or one entry `{variant: content}` for an enum, null where the variant has no content. Fields take the
/// attributes of `derive(Encode)`.
#[proc_macro_derive(Object, attributes(object, hhs))]
pub fn derive_object(input: TokenStream) -> TokenStream {
    expand(input, object::expand)
}

/// Implements `Replica` for a struct of replicated fields, and makes the struct of its edits; documented where `hhs-crdt`
/// re-exports it.
#[proc_macro_derive(Replica, attributes(replica, hhs))]
pub fn derive_replica(input: TokenStream) -> TokenStream {
    expand(input, replica::expand)
}

/// Implements `Field` for a struct of replicated fields, and makes the struct of its edits and the enum of its mutations; documented
/// where `hhs-crdt` re-exports it.
#[proc_macro_derive(Field, attributes(field, hhs))]
pub fn derive_field(input: TokenStream) -> TokenStream {
    expand(input, field::expand)
}

/// Marks an async trait, or an implementation of one, as a seam between a pure crate and its surroundings.
///
/// Expands to `async_trait`, whose futures are `Send` on native targets and need not be on `wasm32`, where everything
/// runs on one thread.
#[proc_macro_attribute]
pub fn seam(_arguments: TokenStream, item: TokenStream) -> TokenStream {
    seam::expand(item.into()).into()
}

fn expand(input: TokenStream, derive: fn(&syn::DeriveInput) -> syn::Result<proc_macro2::TokenStream>) -> TokenStream {
    let input = syn::parse_macro_input!(input as syn::DeriveInput);
    derive(&input).unwrap_or_else(|error| error.to_compile_error()).into()
}
