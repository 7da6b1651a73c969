//! `derive(Field)`: a struct of replicated fields as a field itself, its mutations, and the struct of its edits.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{DeriveInput, Generics};

use crate::item::pointing_at;
use crate::replicated::{Field, Kind, Struct};

pub(crate) fn expand(input: &DeriveInput) -> syn::Result<TokenStream> {
    let (nested, _) = Struct::parse(input, Kind::Field)?;
    let edit = nested.edit_struct(&format!("Records writes to a [`{}`].", nested.ident), None);
    let mutation = mutation(&nested);
    let implementation = implementation(&nested);
    Ok(quote!(#edit #mutation #implementation))
}

fn mutation_ident(nested: &Struct) -> Ident {
    format_ident!("{}Mutation", nested.ident.unraw())
}

/// The enum of mutations, one of one field each, and how it stands in payloads.
fn mutation(nested: &Struct) -> TokenStream {
    let Struct { ident, visibility, root, .. } = nested;
    let (name, generics) = (mutation_ident(nested), nested.bounded());
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    let name_text = name.to_string();
    let variants = nested.each(|Field { ident, variant, ty, root, .. }| {
        let text = format!("Of `{}`.", ident.unraw());
        let ty = quote_spanned!(pointing_at(ty)=> <#ty as #root::Field>::Mutation);
        quote!(#[doc = #text] #variant(#ty))
    });
    let encode = nested.each(
        |Field { variant, name, .. }| quote!(Self::#variant(__mutation) => { __encoder.key(#name).value(__mutation); }),
    );
    let decode = nested.each(|Field { variant, name, .. }| quote!(#name => Self::#variant(__decoder.value()?),));
    let names = nested.each(|Field { variant, name, .. }| quote!(Self::#variant(_) => #name));
    let text = format!("A change of a [`{ident}`]: one of one of its fields.");
    quote! {
        #[doc = #text]
        #[allow(unreachable_pub, private_interfaces, private_bounds, trivial_bounds, dead_code)]
        #visibility enum #name #generics #where_clause {
            #(#variants,)*
        }

        #[automatically_derived]
        #[allow(trivial_bounds)]
        impl #impl_generics ::core::fmt::Debug for #name #type_generics #where_clause {
            fn fmt(&self, __f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                let __field = match self { #(#names,)* };
                __f.debug_struct(#name_text).field("field", &__field).finish_non_exhaustive()
            }
        }

        #[automatically_derived]
        #[allow(trivial_bounds)]
        impl #impl_generics #root::__private::Encode for #name #type_generics #where_clause {
            fn encode(&self, __encoder: &mut #root::__private::Encoder) {
                __encoder.map(1);
                match self { #(#encode)* }
            }
        }

        #[automatically_derived]
        #[allow(trivial_bounds)]
        impl #impl_generics #root::__private::Decode for #name #type_generics #where_clause {
            fn decode(
                __decoder: &mut #root::__private::Decoder<'_>,
            ) -> ::core::result::Result<Self, #root::__private::DecodeError> {
                #root::__private::decode_nested(__decoder, |__field, __decoder| {
                    ::core::result::Result::Ok(::core::option::Option::Some(match __field {
                        #(#decode)*
                        _ => return ::core::result::Result::Ok(::core::option::Option::None),
                    }))
                })
            }
        }
    }
}

fn implementation(nested: &Struct) -> TokenStream {
    let Struct { ident, root, .. } = nested;
    let (edit, edit_generics) = (nested.edit_ident(), nested.edit_generics());
    let (_, edit_type, _) = edit_generics.split_for_impl();
    let generics = nested.bounded_state();
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    let mutation = mutation_ident(nested);
    let constants = ["POSITIONAL", "OBSERVES", "AUTHORISED"].map(|name| {
        let (any, name) = (nested.any(name), format_ident!("{name}"));
        quote!(const #name: ::core::primitive::bool = #any;)
    });
    let functions = mutation_functions(nested, &mutation);
    let state_functions = nested.state_functions();
    let default = default(nested, &generics);
    quote! {
        #default

        #[automatically_derived]
        #[allow(trivial_bounds)]
        impl #impl_generics #root::Field for #ident #type_generics #where_clause {
            #(#constants)*

            type Mutation = #mutation #type_generics;
            type Edit<'edit> = #edit #edit_type;

            #functions
            #state_functions
        }
    }
}

/// What is asked about one mutation.
fn mutation_functions(nested: &Struct, mutation: &Ident) -> TokenStream {
    let root = &nested.root;
    let accepts = nested.each(|field| {
        let (Field { variant, name, ty, root, .. }, restrictions) = (field, field.restrictions());
        quote_spanned!(pointing_at(ty)=> #mutation::#variant(__mutation) =>
            #root::__private::accepts_one::<#ty>(#name, __mutation, __op, &#restrictions))
    });
    let check = nested.each(|field| {
        let (Field { variant, name, ty, root, .. }, restrictions) = (field, field.restrictions());
        quote_spanned!(pointing_at(ty)=> #mutation::#variant(__mutation) =>
            #root::__private::check_one::<#ty>(#name, __mutation, &#restrictions, __needs))
    });
    let apply = nested.each(|Field { ident, variant, name, ty, root, .. }| {
        quote_spanned!(pointing_at(ty)=> #mutation::#variant(__mutation) =>
            #root::__private::apply_one(#name, &mut self.#ident, __mutation, __at, __changes))
    });
    let shadow = nested.each(|Field { ident, variant, ty, root, .. }| {
        quote_spanned!(pointing_at(ty)=> #mutation::#variant(__mutation) =>
            #root::__private::shadow_one(&mut self.#ident, __mutation, __at))
    });
    let finish = nested.each(|Field { ident, variant, ty, root, .. }| {
        quote_spanned!(pointing_at(ty)=>
            #root::__private::wrap(&mut __recorded, <#ty as #root::Field>::finish(__edit.#ident), #mutation::#variant);)
    });
    let undo = nested.each(|Field { ident, variant, ty, root, .. }| {
        quote_spanned!(pointing_at(ty)=>
            #root::__private::undo_one::<#ty, _>(
                &mut __undone,
                &self.#ident,
                __mutations,
                |__mutation| match __mutation {
                    #mutation::#variant(__mutation) => ::core::option::Option::Some(__mutation),
                    #[allow(unreachable_patterns)]
                    _ => ::core::option::Option::None,
                },
                __op,
                &__before.#ident,
                #mutation::#variant,
            );)
    });
    let sort = nested.each(
        |Field { mutations, variant, .. }| quote!(#mutation::#variant(__mutation) => #mutations.push(__mutation)),
    );
    let declare = nested.each(|Field { mutations, .. }| quote!(let mut #mutations = ::std::vec::Vec::new();));
    let coalesce = nested.each(|Field { mutations, variant, ty, root, .. }| {
        quote_spanned!(pointing_at(ty)=>
            #root::__private::coalesce_one::<#ty, _>(&mut __coalesced, #mutations, #mutation::#variant);)
    });
    quote! {
        fn coalesce(__mutations: ::std::vec::Vec<Self::Mutation>) -> ::std::vec::Vec<Self::Mutation> {
            #(#declare)*
            for __mutation in __mutations {
                match __mutation { #(#sort,)* }
            }
            let mut __coalesced = ::std::vec::Vec::new();
            #(#coalesce)*
            __coalesced
        }

        fn accepts(
            __mutation: &Self::Mutation,
            __op: &#root::__private::OpContext<'_>,
        ) -> ::core::result::Result<(), #root::__private::Void> {
            match __mutation { #(#accepts,)* }
        }

        fn check(
            __mutation: &Self::Mutation,
            __needs: &mut #root::__private::Needs,
        ) -> ::core::result::Result<(), #root::__private::EditError> {
            match __mutation { #(#check,)* }
        }

        fn apply(
            &mut self,
            __mutation: Self::Mutation,
            __at: #root::At<'_>,
            __changes: &mut #root::__private::Changes,
        ) {
            match __mutation { #(#apply,)* }
        }

        fn shadow(&mut self, __mutation: Self::Mutation, __at: #root::At<'_>) {
            match __mutation { #(#shadow,)* }
        }

        fn finish(__edit: Self::Edit<'_>) -> #root::Recorded<Self::Mutation> {
            let mut __recorded = ::core::default::Default::default();
            #(#finish)*
            __recorded
        }

        fn undo(
            &self,
            __mutation: &Self::Mutation,
            __at: #root::At<'_>,
            __before: &Self,
        ) -> #root::__private::Undone<Self> {
            self.undo_all(&[(__at.index, __mutation)], __at.op, __before)
        }

        fn undo_all(
            &self,
            __mutations: &[(::core::primitive::u32, &Self::Mutation)],
            __op: &#root::__private::OpContext<'_>,
            __before: &Self,
        ) -> #root::__private::Undone<Self> {
            let mut __undone = ::std::vec::Vec::new();
            #(#undo)*
            __undone
        }
    }
}

fn default(nested: &Struct, generics: &Generics) -> TokenStream {
    let ident = &nested.ident;
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    let new = nested
        .each(|Field { ident, ty, .. }| quote_spanned!(pointing_at(ty)=> #ident: ::core::default::Default::default()));
    quote! {
        #[automatically_derived]
        #[allow(trivial_bounds)]
        impl #impl_generics ::core::default::Default for #ident #type_generics #where_clause {
            fn default() -> Self {
                Self { #(#new,)* }
            }
        }
    }
}
