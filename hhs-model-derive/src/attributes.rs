//! The attributes `#[hhs(…)]` and `#[object(…)]`, parsed once for all derives.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::meta::ParseNestedMeta;
use syn::{Attribute, Ident, LitStr, Path, Type};

#[cfg(test)]
mod tests;

/// Longest class name, in bytes; `hhs_model::bounds::MAX_CLASS_BYTES`.
const MAX_CLASS_BYTES: usize = 256;

/// `#[hhs(…)]` on a type.
pub(crate) struct TypeAttributes {
    /// The path of `hhs_model` in generated code.
    pub(crate) root: TokenStream,
}

impl TypeAttributes {
    pub(crate) fn parse(attributes: &[Attribute]) -> syn::Result<Self> {
        let mut root = None;
        each(attributes, "hhs", |meta| {
            if meta.path.is_ident("crate") {
                return once(&mut root, meta, |meta| meta.value()?.call(Path::parse_mod_style));
            }
            Err(meta.error("unknown attribute of a type: there is `crate = path::of::hhs_model`"))
        })?;
        Ok(Self { root: root.map_or_else(crate::roots::model, ToTokens::into_token_stream) })
    }
}

/// Where the value of a field that is missing comes from.
pub(crate) enum DefaultValue {
    /// `Default::default`.
    Trait,
    /// A function of the user's.
    Function(Path),
}

/// `#[hhs(…)]` on a field.
#[derive(Default)]
pub(crate) struct FieldAttributes {
    pub(crate) rename: Option<LitStr>,
    pub(crate) default: Option<DefaultValue>,
    /// The field keeps fields that are not known; where that is said.
    pub(crate) unknown: Option<Span>,
}

impl FieldAttributes {
    pub(crate) fn parse(attributes: &[Attribute]) -> syn::Result<Self> {
        let mut parsed = Self::default();
        each(attributes, "hhs", |meta| {
            if meta.path.is_ident("rename") {
                return once(&mut parsed.rename, meta, |meta| meta.value()?.parse());
            }
            if meta.path.is_ident("default") {
                return once(&mut parsed.default, meta, default_value);
            }
            if meta.path.is_ident("unknown") {
                return once(&mut parsed.unknown, meta, |meta| Ok(span(meta)));
            }
            Err(meta.error(
                "unknown attribute of a field: there are `rename = \"…\"`, `default`, `default = path` and `unknown`",
            ))
        })?;
        match parsed.unknown {
            Some(span) if parsed.rename.is_some() || parsed.default.is_some() => Err(syn::Error::new(
                span,
                "`unknown` goes with no other attribute: the field keeps entries under their own keys, and may be empty",
            )),
            _ => Ok(parsed),
        }
    }
}

/// `#[hhs(…)]` on a variant: its name in the bytes, if that is another.
pub(crate) fn variant_rename(attributes: &[Attribute]) -> syn::Result<Option<LitStr>> {
    let mut rename = None;
    each(attributes, "hhs", |meta| {
        if meta.path.is_ident("rename") {
            return once(&mut rename, meta, |meta| meta.value()?.parse());
        }
        Err(meta.error("unknown attribute of a variant: there is `rename = \"…\"`"))
    })?;
    Ok(rename)
}

/// `#[object(…)]`.
pub(crate) struct ObjectAttributes {
    pub(crate) class: LitStr,
    /// A function `fn(&Self) -> Result<(), impl Display>`.
    pub(crate) validate: Option<Path>,
    /// The older class whose objects become objects of this one.
    pub(crate) upgrades: Option<Type>,
}

impl ObjectAttributes {
    /// The attributes of the type `ident`, at which a missing class is reported.
    pub(crate) fn parse(ident: &Ident, attributes: &[Attribute]) -> syn::Result<Self> {
        let (mut class, mut validate, mut upgrades) = (None, None, None);
        each(attributes, "object", |meta| {
            if meta.path.is_ident("class") {
                return once(&mut class, meta, |meta| meta.value()?.parse());
            }
            if meta.path.is_ident("validate") {
                return once(&mut validate, meta, |meta| unquoted(meta, "validate = check"));
            }
            if meta.path.is_ident("upgrades") {
                return once(&mut upgrades, meta, |meta| unquoted(meta, "upgrades = NoteV1"));
            }
            Err(meta.error(
                "unknown attribute of an object: there are `class = \"…\"`, `validate = path` and `upgrades = OlderType`",
            ))
        })?;
        let class = class.ok_or_else(|| {
            syn::Error::new_spanned(
                ident,
                "an object has a class: add `#[object(class = \"app/v1/Name\")]`, which names the type for good",
            )
        })?;
        Ok(Self { class: checked_class(class)?, validate, upgrades })
    }
}

/// A class name that peers will take.
pub(crate) fn checked_class(class: LitStr) -> syn::Result<LitStr> {
    let name = class.value();
    if name.is_empty() {
        return Err(syn::Error::new_spanned(class, "a class has a name, such as \"app/v1/Name\""));
    }
    if name.len() > MAX_CLASS_BYTES {
        let text = format!("the class has {} bytes, more than the {MAX_CLASS_BYTES} that peers take", name.len());
        return Err(syn::Error::new_spanned(class, text));
    }
    if name.chars().any(char::is_control) {
        return Err(syn::Error::new_spanned(class, "a class has no control characters"));
    }
    Ok(class)
}

/// Reads everything in all attributes of this name.
pub(crate) fn each(
    attributes: &[Attribute],
    name: &str,
    mut read: impl FnMut(&ParseNestedMeta<'_>) -> syn::Result<()>,
) -> syn::Result<()> {
    attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident(name))
        .try_for_each(|attribute| attribute.parse_nested_meta(|meta| read(&meta)))
}

/// Reads what may be said once.
pub(crate) fn once<T>(
    slot: &mut Option<T>,
    meta: &ParseNestedMeta<'_>,
    read: impl FnOnce(&ParseNestedMeta<'_>) -> syn::Result<T>,
) -> syn::Result<()> {
    if slot.is_some() {
        return Err(meta.error("this attribute is given twice"));
    }
    *slot = Some(read(meta)?);
    Ok(())
}

/// Reads what names something in the program.
pub(crate) fn unquoted<T: syn::parse::Parse>(meta: &ParseNestedMeta<'_>, example: &str) -> syn::Result<T> {
    let value = meta.value()?;
    if value.peek(LitStr) {
        return Err(value.error(format!("this is a name in the program, without quotes: `{example}`")));
    }
    value.parse()
}

fn default_value(meta: &ParseNestedMeta<'_>) -> syn::Result<DefaultValue> {
    if meta.input.peek(syn::Token![=]) {
        return Ok(DefaultValue::Function(meta.value()?.parse()?));
    }
    Ok(DefaultValue::Trait)
}

fn span(meta: &ParseNestedMeta<'_>) -> Span {
    meta.path.get_ident().map_or_else(Span::call_site, Ident::span)
}
