//! Tests of what the derives know of a type.

use quote::quote;
use syn::parse_quote;

use super::{Content, Item, Shape};
use crate::bounds::bounded;

/// Generated code writes entries in the order in which it finds them here: the canonical one.
#[test]
fn fields_in_the_canonical_order_of_their_keys() {
    let item = Item::parse(&parse_quote! {
        struct Message {
            text: String,
            r#as: u8,
            #[hhs(rename = "%")]
            b: u8,
            #[hhs(unknown)]
            rest: Unknown,
            #[hhs(rename = "")]
            zz: u8,
            a: u8,
        }
    });
    let Shape::Struct(Content::Named(named)) = item.expect("that is a struct").shape else { panic!("with names") };
    let keys: Vec<&str> = named.fields.iter().map(|field| field.key.text.as_str()).collect();
    assert_eq!(keys, ["", "%", "a", "as", "text"]);
    assert!(named.unknown.is_some());
}

/// An app developer makes three mistakes in one type and wants to hear of them at once.
#[test]
fn mistakes_are_reported_together() {
    let item = Item::parse(&parse_quote! {
        enum Event {
            A(Vec<u8>),
            B { #[hhs(renamed)] text: usize },
        }
    });
    let errors: Vec<String> = item.err().expect("three mistakes").into_iter().map(|error| error.to_string()).collect();
    assert_eq!(errors.len(), 3, "{errors:?}");
}

/// Type parameters are bound where their values stand in the bytes, and only there.
#[test]
fn bounds_of_type_parameters() {
    let item = Item::parse(&parse_quote! {
        struct Page<'a, T: Ord, U, V: Kind, W, const N: usize> where U: Copy {
            items: Vec<T>,
            next: Option<Box<Page<'a, T, U, V, W, N>>>,
            link: Link<U>,
            mark: std::marker::PhantomData<W>,
            label: (V::Label, &'a [V::Label]),
        }
    });
    let item = item.expect("that is a struct");
    let generics = bounded(&item.generics, &item.types(), &quote!(Encode), &quote!(model));
    let where_clause = generics.where_clause.map(|clause| quote!(#clause).to_string()).unwrap_or_default();
    let expected = quote!(where U: Copy, T: Encode, U: Encode, V: Encode, W: Encode, V::Label: Encode).to_string();
    assert_eq!(where_clause, expected);
    assert_eq!(generics.params.len(), 6);
}

/// What is nested is an object; what an object is made of has bytes, and can be shared between threads.
#[test]
fn bounds_of_nested_parameters() {
    let item = Item::parse(&parse_quote! {
        struct Page<T, U> {
            first: Nested<T>,
            rest: Vec<object::Nested<Page<T, Option<U>>>>,
        }
    });
    let item = item.expect("that is a struct");
    let generics = bounded(&item.generics, &item.types(), &quote!(Encode), &quote!(model));
    let where_clause = generics.where_clause.map(|clause| quote!(#clause).to_string()).unwrap_or_default();
    let shared = quote!(Encode + ::core::marker::Send + ::core::marker::Sync + 'static);
    let expected = quote!(where T: #shared, U: #shared, T: model::object::Object).to_string();
    assert_eq!(where_clause, expected);
}

/// A struct without fields is an empty map, however it is written.
#[test]
fn structs_without_fields() {
    for input in [
        parse_quote!(
            struct A;
        ),
        parse_quote!(
            struct A();
        ),
        parse_quote!(
            struct A {}
        ),
    ] {
        let item = Item::parse(&input).expect("that is a struct");
        assert!(matches!(item.shape, Shape::Struct(Content::Named(named)) if named.fields.is_empty()));
    }
}
