//! What the derives know of a type: its fields and variants, with their keys in canonical order.

use std::cmp::Ordering;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Data, DeriveInput, Fields, GenericArgument, Generics, Ident, LitStr, Member, PathArguments, Type};

use crate::attributes::{DefaultValue, FieldAttributes, TypeAttributes, variant_rename};

#[cfg(test)]
mod tests;

/// A type whose bytes are derived.
pub(crate) struct Item {
    pub(crate) ident: Ident,
    pub(crate) generics: Generics,
    /// The path of `hhs_model`.
    pub(crate) root: TokenStream,
    pub(crate) shape: Shape,
}

#[expect(clippy::large_enum_variant, reason = "there is one in every expansion")]
pub(crate) enum Shape {
    Struct(Content),
    Enum(Vec<Variant>),
}

pub(crate) struct Variant {
    pub(crate) ident: Ident,
    pub(crate) key: Key,
    pub(crate) content: Content,
}

/// What a struct or a variant holds.
pub(crate) enum Content {
    Unit,
    /// Named fields, in the canonical order of their keys.
    Named(NamedFields),
    /// One unnamed field: stands for its type.
    Newtype(Type),
    /// Several unnamed fields.
    List(Vec<Type>),
}

pub(crate) struct NamedFields {
    pub(crate) fields: Vec<Field>,
    /// The field that keeps what the type does not know.
    pub(crate) unknown: Option<UnknownField>,
}

pub(crate) struct Field {
    pub(crate) member: Member,
    pub(crate) ty: Type,
    pub(crate) key: Key,
    pub(crate) default: Option<DefaultValue>,
}

pub(crate) struct UnknownField {
    pub(crate) member: Member,
    pub(crate) ty: Type,
}

/// A key of a map in the bytes, and where to point if it is wrong.
pub(crate) struct Key {
    pub(crate) text: String,
    pub(crate) span: Span,
}

impl Item {
    pub(crate) fn parse(input: &DeriveInput) -> syn::Result<Self> {
        let TypeAttributes { root } = TypeAttributes::parse(&input.attrs)?;
        let shape = match &input.data {
            Data::Struct(data) => Shape::Struct(match Content::parse(&data.fields)? {
                // An empty map, to which fields can be added later.
                Content::Unit => Content::Named(NamedFields { fields: Vec::new(), unknown: None }),
                content => content,
            }),
            Data::Enum(data) => Shape::Enum(variants(&input.ident, data)?),
            Data::Union(data) => {
                let text = "a union has no canonical bytes: use an enum, which says which of its variants it holds";
                return Err(syn::Error::new_spanned(data.union_token, text));
            }
        };
        Ok(Self { ident: input.ident.clone(), generics: input.generics.clone(), root, shape })
    }

    /// The types of all fields.
    pub(crate) fn types(&self) -> Vec<&Type> {
        match &self.shape {
            Shape::Struct(content) => content.types(),
            Shape::Enum(variants) => variants.iter().flat_map(|variant| variant.content.types()).collect(),
        }
    }

    /// Decoded values own what they hold.
    pub(crate) fn refuse_lifetimes(&self) -> syn::Result<()> {
        match self.generics.lifetimes().next() {
            None => Ok(()),
            Some(lifetime) => Err(syn::Error::new_spanned(
                lifetime,
                "a value that is decoded owns what it holds: use owned types, such as `String` and `hhs_model::Bytes`",
            )),
        }
    }
}

impl Content {
    fn parse(fields: &Fields) -> syn::Result<Self> {
        let mut errors = Errors::default();
        for field in fields {
            errors.take(refuse_unwritable(&field.ty));
        }
        let content = match fields {
            Fields::Unit => Self::Unit,
            Fields::Named(fields) => Self::Named(NamedFields::parse(fields, &mut errors)),
            Fields::Unnamed(fields) => {
                for field in &fields.unnamed {
                    errors.take(refuse_attributes(field));
                }
                let mut types: Vec<Type> = fields.unnamed.iter().map(|field| field.ty.clone()).collect();
                match types.len() {
                    0 => Self::Unit,
                    1 => Self::Newtype(types.remove(0)),
                    _ => Self::List(types),
                }
            }
        };
        errors.finish()?;
        Ok(content)
    }

    fn types(&self) -> Vec<&Type> {
        match self {
            Self::Unit => Vec::new(),
            Self::Named(named) => named.fields.iter().map(|field| &field.ty).collect(),
            Self::Newtype(ty) => vec![ty],
            Self::List(types) => types.iter().collect(),
        }
    }

    /// The pattern, after the path of the struct or variant, that binds every field to its [`binding`].
    pub(crate) fn pattern(&self) -> TokenStream {
        match self {
            Self::Unit => TokenStream::new(),
            Self::Named(named) => {
                let members = named.fields.iter().map(|field| &field.member);
                let bindings = (0..named.fields.len()).map(binding);
                let unknown = named.unknown.iter().map(|unknown| &unknown.member);
                quote!({ #(#members: #bindings,)* #(#unknown: __unknown,)* })
            }
            Self::Newtype(_) => quote!((__field0)),
            Self::List(types) => {
                let bindings = (0..types.len()).map(binding);
                quote!((#(#bindings),*))
            }
        }
    }
}

impl NamedFields {
    fn parse(fields: &syn::FieldsNamed, errors: &mut Errors) -> Self {
        let mut named = Self { fields: Vec::new(), unknown: None };
        for field in &fields.named {
            let Some(ident) = &field.ident else { continue };
            let Some(attributes) = errors.take(FieldAttributes::parse(&field.attrs)) else { continue };
            let (member, ty) = (Member::Named(ident.clone()), field.ty.clone());
            if let Some(span) = attributes.unknown {
                errors.take(keeps_unknown(&ty));
                if named.unknown.replace(UnknownField { member, ty }).is_some() {
                    errors.push(syn::Error::new(span, "one field at most keeps what is not known"));
                }
                continue;
            }
            let key = Key::of(ident, attributes.rename);
            named.fields.push(Field { member, ty, key, default: attributes.default });
        }
        errors.take(in_canonical_order(&mut named.fields, |field| &field.key));
        named
    }
}

impl Key {
    pub(crate) fn of(ident: &Ident, rename: Option<LitStr>) -> Self {
        match rename {
            Some(rename) => Self { text: rename.value(), span: rename.span() },
            None => Self { text: ident.unraw().to_string(), span: ident.span() },
        }
    }
}

/// The name of a field's value in generated code.
pub(crate) fn binding(index: usize) -> Ident {
    format_ident!("__field{index}")
}

/// A span in generated code that points at `tokens`, so that a missing implementation is reported there.
pub(crate) fn pointing_at(tokens: &impl ToTokens) -> Span {
    Span::call_site().located_at(tokens.span())
}

/// The order of map keys in canonical bytes: shorter first, then bytewise.
pub(crate) fn canonical_order(a: &str, b: &str) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

/// Sorts what stands under keys; a key may be there once.
pub(crate) fn in_canonical_order<T>(items: &mut [T], key: impl Fn(&T) -> &Key) -> syn::Result<()> {
    // Stable, so that of two with the same key the later one in the source is reported.
    items.sort_by(|a, b| canonical_order(&key(a).text, &key(b).text));
    let mut errors = Errors::default();
    for pair in items.windows(2) {
        let (first, second) = (key(&pair[0]), key(&pair[1]));
        if first.text == second.text {
            let text = format!("the key {:?} is taken: every key stands for one thing", second.text);
            errors.push(syn::Error::new(second.span, text));
        }
    }
    errors.finish()
}

/// Several mistakes, reported together.
#[derive(Debug, Default)]
pub(crate) struct Errors(Option<syn::Error>);

impl Errors {
    pub(crate) fn push(&mut self, error: syn::Error) {
        match &mut self.0 {
            Some(first) => first.combine(error),
            None => self.0 = Some(error),
        }
    }

    pub(crate) fn take<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    pub(crate) fn finish(self) -> syn::Result<()> {
        self.0.map_or(Ok(()), Err)
    }
}

fn variants(ident: &Ident, data: &syn::DataEnum) -> syn::Result<Vec<Variant>> {
    if data.variants.is_empty() {
        return Err(syn::Error::new_spanned(ident, "an enum without variants has no values that could be written"));
    }
    let mut errors = Errors::default();
    let mut variants = Vec::new();
    for variant in &data.variants {
        let rename = errors.take(variant_rename(&variant.attrs));
        let content = errors.take(Content::parse(&variant.fields));
        if let (Some(rename), Some(content)) = (rename, content) {
            let key = Key::of(&variant.ident, rename);
            variants.push(Variant { ident: variant.ident.clone(), key, content });
        }
    }
    errors.take(in_canonical_order(&mut variants, |variant| &variant.key));
    errors.finish()?;
    Ok(variants)
}

fn keeps_unknown(ty: &Type) -> syn::Result<()> {
    match ty {
        Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "Unknown") => Ok(()),
        _ => {
            let text = "what is not known is kept in a field of type `hhs_model::codec::Unknown`";
            Err(syn::Error::new_spanned(ty, text))
        }
    }
}

fn refuse_attributes(field: &syn::Field) -> syn::Result<()> {
    match field.attrs.iter().find(|attribute| attribute.path().is_ident("hhs")) {
        None => Ok(()),
        Some(attribute) => {
            let text = "a field without a name has no key, and takes no attribute: give the fields names";
            Err(syn::Error::new_spanned(attribute, text))
        }
    }
}

/// Types that have no canonical bytes, and lists of `u8`, which are nearly always meant to be byte strings.
fn refuse_unwritable(ty: &Type) -> syn::Result<()> {
    let mut search = Unwritable(Errors::default());
    search.visit_type(ty);
    search.0.finish()
}

struct Unwritable(Errors);

impl<'ast> Visit<'ast> for Unwritable {
    fn visit_type(&mut self, ty: &'ast Type) {
        let reason = match ty {
            Type::Slice(slice) if is_u8(&slice.elem) => Some(BYTES),
            Type::Array(array) if is_u8(&array.elem) => Some(BYTE_ARRAY),
            Type::Path(path) => path.path.segments.last().and_then(why_unwritable),
            _ => None,
        };
        let Some(reason) = reason else { return visit::visit_type(self, ty) };
        let written = ty.to_token_stream().to_string().replace(' ', "").replace(';', "; ").replace(',', ", ");
        self.0.push(syn::Error::new_spanned(ty, format!("`{written}` {reason}")));
    }
}

const BYTES: &str = "would stand for a list of integers: use `hhs_model::Bytes` for a byte string";
const BYTE_ARRAY: &str = "would stand for a list of integers: use `hhs_model::Bytes` for a byte string, or a type of its \
                          own that reads it with `Decoder::byte_array`";

fn why_unwritable(segment: &syn::PathSegment) -> Option<&'static str> {
    let name = segment.ident.to_string();
    let first = match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => arguments.args.first(),
        _ => None,
    };
    match (name.as_str(), first) {
        ("Vec", Some(GenericArgument::Type(ty))) if is_u8(ty) => Some(BYTES),
        ("HashMap", Some(_)) => Some("has no order, and its bytes would differ from run to run: use `BTreeMap`"),
        ("HashSet", Some(_)) => Some("has no order, and its bytes would differ from run to run: use `BTreeSet`"),
        ("usize", None) => Some("is not equally long on all machines: use `u64`"),
        ("isize", None) => Some("is not equally long on all machines: use `i64`"),
        ("f32", None) => Some("has no canonical bytes, as floats are 64 bits long: use `f64`"),
        ("u128" | "i128", None) => {
            Some("exceeds the integers that bytes can hold: use `u64`, `i64` or `hhs_model::Bytes`")
        }
        ("char", None) => Some("has no canonical bytes: use `String`"),
        _ => None,
    }
}

fn is_u8(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.is_ident("u8"))
}
