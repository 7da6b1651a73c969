//! `derive(Replica)`: a struct of replicated fields as a class of replicas, and the struct of its edits.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::{DeriveInput, LitStr};

use crate::attributes::checked_class;
use crate::item::pointing_at;
use crate::replicated::{Field, Kind, Struct};

pub(crate) fn expand(input: &DeriveInput) -> syn::Result<TokenStream> {
    let (class, name) = Struct::parse(input, Kind::Replica)?;
    let name = name.ok_or_else(|| {
        let text = "a replica has a class: add `#[replica(class = \"app/v1/Name\")]`, which names the type for good";
        syn::Error::new_spanned(&input.ident, text)
    })?;
    let name = checked_class(name)?;
    let about = format!("Records writes to a [`{}`], to become one op.", class.ident);
    let must_use = "writes become an op with `Replica::finish`, and are lost without";
    let edit = class.edit_struct(&about, Some(must_use));
    let implementation = implementation(&class, &name);
    Ok(quote!(#edit #implementation))
}

fn implementation(class: &Struct, name: &LitStr) -> TokenStream {
    let Struct { ident, root, .. } = class;
    let (edit, edit_generics) = (class.edit_ident(), class.edit_generics());
    let (_, edit_type, _) = edit_generics.split_for_impl();
    let generics = class.bounded_state();
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    let types = class.each(|Field { ty, root, .. }| quote_spanned!(pointing_at(ty)=> #root::__private::Mutations<#ty>));
    let mutations: Vec<_> = class.fields.iter().map(|field| &field.mutations).collect();
    let positional = class.any("POSITIONAL");
    let new = class
        .each(|Field { ident, ty, .. }| quote_spanned!(pointing_at(ty)=> #ident: ::core::default::Default::default()));
    let accepts = class.each(|field| {
        let (Field { mutations, name, ty, root, .. }, restrictions) = (field, field.restrictions());
        quote_spanned!(pointing_at(ty)=> #root::__private::accepts::<#ty>(#name, #mutations, __op, &#restrictions)?;)
    });
    let apply = class.each(|Field { ident, mutations, name, ty, root, .. }| {
        quote_spanned!(pointing_at(ty)=> #root::__private::apply(#name, &mut self.#ident, #mutations, __op, __changes);)
    });
    let shadow = class.each(|Field { ident, mutations, ty, root, .. }| {
        quote_spanned!(pointing_at(ty)=> #root::__private::shadow(&mut self.#ident, #mutations, __op);)
    });
    let (decode, finish, undo, join) = (decode_body(class), finish_body(class), undo_body(class), join_body(class));
    let state_functions = class.state_functions();
    quote! {
        #[automatically_derived]
        #[allow(trivial_bounds)]
        impl #impl_generics #root::Replica for #ident #type_generics #where_clause {
            const CLASS: &'static ::core::primitive::str = #name;
            const POSITIONAL: ::core::primitive::bool = #positional;

            type Edit<'edit> = #edit #edit_type;
            type Mutations = (#(#types,)*);

            fn new() -> Self {
                Self { #(#new,)* }
            }

            fn decode(
                __payload: &[::core::primitive::u8],
            ) -> ::core::result::Result<Self::Mutations, #root::__private::Void> {
                #decode
            }

            fn accepts(
                (#(#mutations,)*): &Self::Mutations,
                __op: &#root::__private::OpContext<'_>,
            ) -> ::core::result::Result<(), #root::__private::Void> {
                #(#accepts)*
                ::core::result::Result::Ok(())
            }

            fn apply(
                &mut self,
                (#(#mutations,)*): Self::Mutations,
                __op: &#root::__private::OpContext<'_>,
                __changes: &mut #root::__private::Changes,
            ) {
                #(#apply)*
            }

            fn shadow(&mut self, (#(#mutations,)*): Self::Mutations, __op: &#root::__private::OpContext<'_>) {
                #(#shadow)*
            }

            fn finish(
                __edit: Self::Edit<'_>,
            ) -> ::core::result::Result<#root::__private::Draft, #root::__private::EditError> {
                #finish
            }

            fn undo(
                &self,
                (#(#mutations,)*): &Self::Mutations,
                __op: &#root::__private::OpContext<'_>,
                __before: &Self,
            ) -> ::core::result::Result<#root::__private::Draft, #root::__private::EditError> {
                #undo
            }

            fn join(
                __parts: ::std::vec::Vec<Self::Mutations>,
            ) -> ::core::result::Result<#root::__private::Draft, #root::__private::EditError> {
                #join
            }

            #state_functions
        }
    }
}

fn join_body(class: &Struct) -> TokenStream {
    let declare = declare(class);
    let parts: Vec<_> = class.fields.iter().map(|field| format_ident!("__part{}", field.mutations)).collect();
    let mutations = class.fields.iter().map(|field| &field.mutations);
    let joined = class.canonical().into_iter().map(|field| {
        let Field { mutations, ty, root, .. } = field;
        checked(field, &quote_spanned!(pointing_at(ty)=> #root::__private::join::<#ty>(#mutations)))
    });
    let finish = finish(class, joined);
    quote! {
        #(#declare)*
        for (#(#parts,)*) in __parts {
            #(#mutations.extend(#parts);)*
        }
        #finish
    }
}

/// Mutations of each field, none so far.
fn declare(class: &Struct) -> Vec<TokenStream> {
    class.each(|Field { mutations, ty, root, .. }| {
        let ty = quote_spanned!(pointing_at(ty)=> #root::__private::Mutations<#ty>);
        quote!(let mut #mutations: #ty = ::core::default::Default::default();)
    })
}

/// Everything is decoded before anything is applied.
fn decode_body(class: &Struct) -> TokenStream {
    let root = &class.root;
    let declare = declare(class);
    let read = class.each(|Field { mutations, ty, name, .. }| {
        let read = quote_spanned!(pointing_at(ty)=> __reader.mutations::<#ty>()?);
        quote!(#name => #mutations = #read,)
    });
    let mutations = class.fields.iter().map(|field| &field.mutations);
    quote! {
        #(#declare)*
        let mut __reader = #root::__private::PayloadReader::new(__payload)?;
        while let ::core::option::Option::Some(__field) = __reader.next_field()? {
            match __field {
                #(#read)*
                _ => return ::core::result::Result::Err(__reader.unknown_field().into()),
            }
        }
        ::core::result::Result::Ok((#(#mutations,)*))
    }
}

fn finish_body(class: &Struct) -> TokenStream {
    let recorded = class.canonical().into_iter().map(|field| {
        let Field { ident, ty, root, .. } = field;
        let recorded = quote_spanned!(pointing_at(ty)=> <#ty as #root::Field>::finish(__edit.#ident));
        checked(field, &recorded)
    });
    finish(class, recorded)
}

fn undo_body(class: &Struct) -> TokenStream {
    let undone = class.canonical().into_iter().map(|field| {
        let Field { ident, mutations, ty, root, .. } = field;
        let undone = quote_spanned!(pointing_at(ty)=>
            #root::__private::undo(&self.#ident, #mutations, __op, &__before.#ident));
        checked(field, &undone)
    });
    finish(class, undone)
}

/// What was recorded for a field, beside its name, if it may be written.
fn checked(field: &Field, recorded: &TokenStream) -> TokenStream {
    let (Field { name, ty, root, .. }, restrictions) = (field, field.restrictions());
    quote_spanned!(pointing_at(ty)=>
        (#name, &#root::__private::checked::<#ty>(#name, #recorded, &#restrictions, &mut __needs)?))
}

fn finish(class: &Struct, recorded: impl Iterator<Item = TokenStream>) -> TokenStream {
    let root = &class.root;
    quote! {
        let mut __needs = ::core::default::Default::default();
        #root::__private::finish(&[#(#recorded),*], __needs)
    }
}
