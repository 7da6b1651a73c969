//! `derive(Object)`: the class and what the type holds, in one map.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{DeriveInput, Generics, Member, Path, Type, TypeParamBound, parse_quote};

use crate::attributes::ObjectAttributes;
use crate::bounds::bounded;
use crate::decode;
use crate::encode::{self, unit_pattern};
use crate::item::{Content, Errors, Field, Item, Key, NamedFields, Shape, Variant, canonical_order, pointing_at};

/// `hhs_model::object::CLASS_KEY`.
const CLASS_KEY: &str = "$";
/// Under which a struct without named fields stands.
const VALUE_KEY: &str = "value";

pub(crate) fn expand(input: &DeriveInput) -> syn::Result<TokenStream> {
    let ObjectAttributes { class, validate, upgrades } = ObjectAttributes::parse(&input.ident, &input.attrs)?;
    let mut item = Item::parse(input)?;
    can_be_shared(&mut item.generics);
    let item = item;
    item.refuse_lifetimes()?;
    keys_follow_the_class(&item)?;
    let (ident, root) = (&item.ident, &item.root);
    // The same for all three, as validation may need any of them.
    let bound = quote!(#root::codec::Encode + #root::codec::Decode);
    let none = TokenStream::new();
    let encode = encode::implementation(&item, &bound, &encode_body(&item, validate.as_ref()), &none);
    let decode = decode::implementation(&item, &bound, &decode_body(&item, validate.as_ref()), &none);
    let register_upgrades = upgrades.map(|older| register_upgrades(&older, root));
    let generics = bounded(&item.generics, &item.types(), &bound, root);
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    let (_, type_generics, _) = item.generics.split_for_impl();
    Ok(quote! {
        #encode
        #decode
        #[automatically_derived]
        impl #impl_generics #root::object::Object for #ident #type_generics #where_clause {
            const CLASS: &'static ::core::primitive::str = #class;
            #register_upgrades
        }
    })
}

/// An object can be handed from thread to thread, whatever it holds: so must its type parameters.
fn can_be_shared(generics: &mut Generics) {
    for parameter in generics.type_params_mut() {
        parameter.bounds.extend::<[TypeParamBound; 3]>([
            parse_quote!(::core::marker::Send),
            parse_quote!(::core::marker::Sync),
            parse_quote!('static),
        ]);
    }
}

fn register_upgrades(older: &Type, root: &TokenStream) -> TokenStream {
    let from = quote_spanned!(pointing_at(older)=> <Self as ::core::convert::From<#older>>::from);
    quote_spanned! {pointing_at(older)=>
        fn register_upgrades(
            __registry: &mut #root::Registry,
        ) -> ::core::result::Result<(), #root::registry::RegistryError> {
            __registry.upgrade::<#older, Self>(#from)?;
            ::core::result::Result::Ok(())
        }
    }
}

/// The class is the first entry of an object, so that it can be read without knowing the rest.
fn keys_follow_the_class(item: &Item) -> syn::Result<()> {
    let keys: Vec<&Key> = match &item.shape {
        Shape::Struct(Content::Named(named)) => named.fields.iter().map(|field| &field.key).collect(),
        Shape::Struct(_) => Vec::new(),
        Shape::Enum(variants) => variants.iter().map(|variant| &variant.key).collect(),
    };
    let mut errors = Errors::default();
    for key in keys {
        if canonical_order(&key.text, CLASS_KEY).is_le() {
            let text = format!(
                "the key {:?} would not sort after {CLASS_KEY:?}, under which the class stands first: use another name",
                key.text
            );
            errors.push(syn::Error::new(key.span, text));
        }
    }
    errors.finish()
}

fn encode_body(item: &Item, validate: Option<&Path>) -> TokenStream {
    let root = &item.root;
    let class = quote!(<Self as #root::object::Object>::CLASS);
    let validate = validate.map(|validate| {
        quote_spanned! {pointing_at(validate)=>
            let __valid: ::core::result::Result<(), _> = #validate(self);
            if let ::core::result::Result::Err(__reason) = __valid {
                #root::__private::fail_validation(__encoder, &__reason);
                return;
            }
        }
    });
    let write = match &item.shape {
        Shape::Struct(content) => {
            let (pattern, write) = (content.pattern(), encode_struct(content, root, &class));
            quote!(let Self #pattern = self; #write)
        }
        Shape::Enum(variants) => {
            let arms = variants.iter().map(|variant| {
                let (ident, key, pattern) = (&variant.ident, &variant.key.text, variant.content.pattern());
                let (braces, content) = (unit_pattern(variant), encode::content_of(&variant.content, root));
                quote!(Self::#ident #pattern #braces => { __encoder.key(#key); #content })
            });
            quote! {
                __encoder.map(2).key(#root::object::CLASS_KEY).text(#class);
                match self { #(#arms)* }
            }
        }
    };
    quote!(#validate #write)
}

fn encode_struct(content: &Content, root: &TokenStream, class: &TokenStream) -> TokenStream {
    match content {
        Content::Named(named) => encode::map_of(named, root, Some(class)),
        Content::Newtype(ty) => encode::map_of(&value_field(ty), root, Some(class)),
        content => {
            let content = encode::content_of(content, root);
            quote! {
                __encoder.map(2).key(#root::object::CLASS_KEY).text(#class);
                __encoder.key(#VALUE_KEY);
                #content
            }
        }
    }
}

fn decode_body(item: &Item, validate: Option<&Path>) -> TokenStream {
    let root = &item.root;
    let read = match &item.shape {
        Shape::Struct(content) => decode_struct(content, root),
        Shape::Enum(variants) => decode_enum(variants, root),
    };
    let validate = validate.map(|validate| {
        quote_spanned! {pointing_at(validate)=>
            let __valid: ::core::result::Result<(), _> = #validate(&__object);
            if let ::core::result::Result::Err(__reason) = __valid {
                return ::core::result::Result::Err(#root::__private::invalid(&__reason));
            }
        }
    });
    quote! {
        let mut __map = __decoder.map()?;
        #root::__private::expect_class(&mut __map, __decoder, <Self as #root::object::Object>::CLASS)?;
        let __object = { #read };
        #validate
        ::core::result::Result::Ok(__object)
    }
}

fn decode_struct(content: &Content, root: &TokenStream) -> TokenStream {
    match content {
        Content::Named(named) => decode::fields_of(named, &quote!(Self), root),
        Content::Newtype(ty) => decode::fields_of(&value_field(ty), &quote!(Self), root),
        content => {
            let content = decode::content_of(content, &quote!(Self), root);
            quote! {
                #root::__private::expect_value(&mut __map, __decoder, #VALUE_KEY)?;
                let __object = #content;
                #root::__private::skip_rest(&mut __map, __decoder)?;
                __object
            }
        }
    }
}

fn decode_enum(variants: &[Variant], root: &TokenStream) -> TokenStream {
    let arms = variants.iter().map(|variant| {
        let (ident, key) = (&variant.ident, &variant.key.text);
        let content = decode::content_of(&variant.content, &quote!(Self::#ident), root);
        quote!(#key => #content,)
    });
    quote! {
        let __name = #root::__private::object_variant(&mut __map, __decoder)?;
        let __object = match __name {
            #(#arms)*
            __name => return ::core::result::Result::Err(#root::__private::unknown_variant(__name)),
        };
        __map.next_key(__decoder)?;
        __object
    }
}

/// One unnamed field as if it were named, so that it may be absent as others may.
fn value_field(ty: &Type) -> NamedFields {
    let key = Key { text: VALUE_KEY.to_owned(), span: proc_macro2::Span::call_site() };
    let field = Field { member: Member::Unnamed(0.into()), ty: ty.clone(), key, default: None };
    NamedFields { fields: vec![field], unknown: None }
}
