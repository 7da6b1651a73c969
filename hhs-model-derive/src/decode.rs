//! `derive(Decode)`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{DeriveInput, Type};

use crate::attributes::DefaultValue;
use crate::bounds::bounded;
use crate::encode::unit_pattern;
use crate::item::{Content, Field, Item, NamedFields, Shape, Variant, binding, pointing_at};

pub(crate) fn expand(input: &DeriveInput) -> syn::Result<TokenStream> {
    let item = Item::parse(input)?;
    item.refuse_lifetimes()?;
    let root = &item.root;
    let (body, absent) = match &item.shape {
        Shape::Struct(content) => {
            let value = content_of(content, &quote!(Self), root);
            let absent = match content {
                Content::Newtype(ty) => function_absent(root, ty),
                _ => TokenStream::new(),
            };
            (quote!(::core::result::Result::Ok(#value)), absent)
        }
        Shape::Enum(variants) => (variants_of(variants, root), TokenStream::new()),
    };
    Ok(implementation(&item, &quote!(#root::codec::Decode), &body, &absent))
}

/// The implementation of `Decode` with this bound on type parameters and this body, a result, which may use
/// `__decoder`.
pub(crate) fn implementation(item: &Item, bound: &TokenStream, body: &TokenStream, more: &TokenStream) -> TokenStream {
    let (ident, root) = (&item.ident, &item.root);
    let generics = bounded(&item.generics, &item.types(), bound, root);
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    let (_, type_generics, _) = item.generics.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #impl_generics #root::codec::Decode for #ident #type_generics #where_clause {
            fn decode(
                __decoder: &mut #root::codec::Decoder<'_>,
            ) -> ::core::result::Result<Self, #root::codec::DecodeError> {
                #body
            }
            #more
        }
    }
}

/// Reads the content of a struct or variant, which `path` builds: an expression that may return.
pub(crate) fn content_of(content: &Content, path: &TokenStream, root: &TokenStream) -> TokenStream {
    match content {
        Content::Unit => quote!({ __decoder.null()?; #path {} }),
        Content::Named(named) => {
            let fields = fields_of(named, path, root);
            quote!({ let mut __map = __decoder.map()?; #fields })
        }
        Content::Newtype(ty) => {
            let value = value_of(ty, root);
            quote!(#path(#value))
        }
        Content::List(types) => {
            let count = types.len();
            let expected = format!("a list of {count} items");
            let values = types.iter().map(|ty| value_of(ty, root));
            quote!({
                #root::__private::expect_list(__decoder, #count, #expected)?;
                let __value = #path(#(#values),*);
                __decoder.leave();
                __value
            })
        }
    }
}

/// Reads the entries of `__map` that are left as the named fields of what `path` builds.
pub(crate) fn fields_of(named: &NamedFields, path: &TokenStream, root: &TokenStream) -> TokenStream {
    let empty = named.fields.iter().enumerate().map(|(index, field)| {
        let (value, ty) = (binding(index), &field.ty);
        quote!(let mut #value: ::core::option::Option<#ty> = ::core::option::Option::None;)
    });
    let arms = named.fields.iter().enumerate().map(|(index, field)| {
        let (value, ty, key) = (binding(index), &field.ty, &field.key.text);
        quote_spanned! {pointing_at(ty)=>
            #key => #value = ::core::option::Option::Some(#root::__private::field::<#ty>(__decoder)?),
        }
    });
    let (unknown, other) = match &named.unknown {
        None => (None, quote!(__decoder.skip()?;)),
        Some(_) => (
            Some(quote!(let mut __unknown = <#root::codec::Unknown as ::core::default::Default>::default();)),
            quote!(__unknown.read(__key, &__map, __decoder)?;),
        ),
    };
    let values = named.fields.iter().enumerate().map(|(index, field)| {
        let (member, value) = (&field.member, field_value(index, field, root));
        quote!(#member: #value,)
    });
    let unknown_value = named.unknown.as_ref().map(|unknown| {
        let member = &unknown.member;
        quote_spanned!(pointing_at(&unknown.ty)=> #member: __unknown,)
    });
    quote! {
        #(#empty)*
        #unknown
        while let ::core::option::Option::Some(__key) = __map.next_key(__decoder)? {
            match __key {
                #(#arms)*
                _ => { #other }
            }
        }
        #path { #(#values)* #unknown_value }
    }
}

fn field_value(index: usize, field: &Field, root: &TokenStream) -> TokenStream {
    let (value, ty, key) = (binding(index), &field.ty, &field.key.text);
    let span = pointing_at(ty);
    match &field.default {
        None => quote_spanned!(span=> #root::__private::required::<#ty>(#value, #key)?),
        Some(DefaultValue::Trait) => quote_spanned! {span=>
            #root::__private::or_default::<#ty>(#value, <#ty as ::core::default::Default>::default)
        },
        Some(DefaultValue::Function(path)) => {
            let span = pointing_at(path);
            quote_spanned!(span=> #root::__private::or_default::<#ty>(#value, #path))
        }
    }
}

fn variants_of(variants: &[Variant], root: &TokenStream) -> TokenStream {
    let named = variants.iter().map(|variant| {
        let (ident, key, braces) = (&variant.ident, &variant.key.text, unit_pattern(variant));
        match &variant.content {
            Content::Unit => quote!(#key => ::core::result::Result::Ok(Self::#ident #braces),),
            _ => {
                let expected = format!("the content of the variant {key:?}");
                quote! {
                    #key => ::core::result::Result::Err(
                        #root::codec::DecodeError::Expected { expected: #expected, at: __at },
                    ),
                }
            }
        }
    });
    let with_content = variants.iter().map(|variant| {
        let (ident, key) = (&variant.ident, &variant.key.text);
        match &variant.content {
            Content::Unit => {
                let expected = format!("the variant {key:?} as a text, as it has no content");
                quote! {
                    #key => return ::core::result::Result::Err(
                        #root::codec::DecodeError::Expected { expected: #expected, at: __at },
                    ),
                }
            }
            content => {
                let value = content_of(content, &quote!(Self::#ident), root);
                quote!(#key => #value,)
            }
        }
    });
    quote! {
        let __at = __decoder.position();
        if __decoder.peek()? == #root::codec::Kind::Text {
            return match __decoder.text()? {
                #(#named)*
                __name => ::core::result::Result::Err(#root::__private::unknown_variant(__name)),
            };
        }
        let (mut __entry, __name) = #root::__private::variant_entry(__decoder)?;
        let __value = match __name {
            #(#with_content)*
            __name => return ::core::result::Result::Err(#root::__private::unknown_variant(__name)),
        };
        __entry.next_key(__decoder)?;
        ::core::result::Result::Ok(__value)
    }
}

fn value_of(ty: &Type, root: &TokenStream) -> TokenStream {
    quote_spanned!(pointing_at(ty)=> <#ty as #root::codec::Decode>::decode(__decoder)?)
}

fn function_absent(root: &TokenStream, ty: &Type) -> TokenStream {
    quote_spanned! {pointing_at(ty)=>
        fn absent() -> ::core::option::Option<Self> {
            <#ty as #root::codec::Decode>::absent().map(Self)
        }
    }
}
