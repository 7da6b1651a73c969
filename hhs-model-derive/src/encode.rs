//! `derive(Encode)`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{DeriveInput, Type};

use crate::bounds::bounded;
use crate::item::{Content, Item, NamedFields, Shape, Variant, binding, pointing_at};

pub(crate) fn expand(input: &DeriveInput) -> syn::Result<TokenStream> {
    let item = Item::parse(input)?;
    let root = &item.root;
    let (body, is_absent) = match &item.shape {
        Shape::Struct(content) => {
            let (pattern, write) = (content.pattern(), content_of(content, root));
            let absent = match content {
                Content::Newtype(ty) => method_is_absent(root, ty),
                _ => TokenStream::new(),
            };
            (quote!(let Self #pattern = self; #write), absent)
        }
        Shape::Enum(variants) => (variants_of(variants, root), TokenStream::new()),
    };
    Ok(implementation(&item, &quote!(#root::codec::Encode), &body, &is_absent))
}

/// The implementation of `Encode` with this bound on type parameters and this body, which may use `self` and
/// `__encoder`.
pub(crate) fn implementation(item: &Item, bound: &TokenStream, body: &TokenStream, more: &TokenStream) -> TokenStream {
    let (ident, root) = (&item.ident, &item.root);
    let generics = bounded(&item.generics, &item.types(), bound, root);
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    let (_, type_generics, _) = item.generics.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #impl_generics #root::codec::Encode for #ident #type_generics #where_clause {
            fn encode(&self, __encoder: &mut #root::codec::Encoder) {
                // What has failed need not go on; a value that nests too deep must not.
                if __encoder.has_failed() {
                    return;
                }
                #body
            }
            #more
        }
    }
}

/// Writes the content of a struct or variant whose fields are bound.
pub(crate) fn content_of(content: &Content, root: &TokenStream) -> TokenStream {
    match content {
        Content::Unit => quote!(__encoder.null();),
        Content::Named(named) => map_of(named, root, None),
        Content::Newtype(ty) => value_of(0, ty, root),
        Content::List(types) => {
            let count = types.len();
            let values = types.iter().enumerate().map(|(index, ty)| value_of(index, ty, root));
            quote!(__encoder.list(#count); #(#values)*)
        }
    }
}

/// Writes a map of named fields that are bound, after the entry of the class if there is one.
pub(crate) fn map_of(named: &NamedFields, root: &TokenStream, class: Option<&TokenStream>) -> TokenStream {
    let fixed = usize::from(class.is_some());
    let class = class.map(|class| quote!(__encoder.key(#root::object::CLASS_KEY).text(#class);));
    let counts = named.fields.iter().enumerate().map(|(index, field)| {
        let (ty, value) = (&field.ty, binding(index));
        quote_spanned!(pointing_at(ty)=> + ::core::primitive::usize::from(!<#ty as #root::codec::Encode>::is_absent(#value)))
    });
    let entries = named.fields.iter().enumerate().map(|(index, field)| {
        let (ty, value, key) = (&field.ty, binding(index), &field.key.text);
        let before = named.unknown.as_ref().map(|_| quote!(__rest.write_before(#key, __encoder);));
        let write = value_of(index, ty, root);
        quote_spanned! {pointing_at(ty)=>
            #before
            if !<#ty as #root::codec::Encode>::is_absent(#value) {
                __encoder.key(#key);
                #write
            }
        }
    });
    let (rest, rest_count, rest_end) = match &named.unknown {
        None => Default::default(),
        Some(unknown) => (
            quote_spanned!(pointing_at(&unknown.ty)=> let mut __rest = #root::__private::UnknownEntries::new(__unknown);),
            quote!(+ __rest.count()),
            quote!(__rest.write_all(__encoder);),
        ),
    };
    quote! {
        #rest
        __encoder.map(#fixed #(#counts)* #rest_count);
        #class
        #(#entries)*
        #rest_end
    }
}

fn variants_of(variants: &[Variant], root: &TokenStream) -> TokenStream {
    let arms = variants.iter().map(|variant| {
        let (ident, key, pattern) = (&variant.ident, &variant.key.text, variant.content.pattern());
        let write = match &variant.content {
            Content::Unit => quote!(__encoder.text(#key);),
            content => {
                let content = content_of(content, root);
                quote!(__encoder.map(1).key(#key); #content)
            }
        };
        let braces = unit_pattern(variant);
        quote!(Self::#ident #pattern #braces => { #write })
    });
    quote!(match self { #(#arms)* })
}

/// What follows a variant without content in patterns and expressions: `A {}` is right for `A`, `A()` and `A {}`.
pub(crate) fn unit_pattern(variant: &Variant) -> TokenStream {
    match &variant.content {
        Content::Unit => quote!({}),
        _ => TokenStream::new(),
    }
}

fn value_of(index: usize, ty: &Type, root: &TokenStream) -> TokenStream {
    let value = binding(index);
    quote_spanned!(pointing_at(ty)=> <#ty as #root::codec::Encode>::encode(#value, __encoder);)
}

fn method_is_absent(root: &TokenStream, ty: &Type) -> TokenStream {
    quote_spanned! {pointing_at(ty)=>
        fn is_absent(&self) -> ::core::primitive::bool {
            <#ty as #root::codec::Encode>::is_absent(&self.0)
        }
    }
}
