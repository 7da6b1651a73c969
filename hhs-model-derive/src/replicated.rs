//! Structs of replicated fields, as `derive(Replica)` and `derive(Field)` find them, and the structs of their edits.

mod restrictions;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{
    Data, DeriveInput, Fields, Generics, Ident, LitStr, Path, Type, TypeParamBound, Visibility, WherePredicate,
    parse_quote,
};

use crate::attributes::{FieldAttributes, each, once};
use crate::item::{Errors, Key, in_canonical_order, pointing_at};
use restrictions::Restrictions;

/// Which of the two derives is at work.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A class of replicas.
    Replica,
    /// A field that is a struct of fields.
    Field,
}

/// A struct of replicated fields as it is declared.
pub(crate) struct Struct {
    pub(crate) ident: Ident,
    pub(crate) visibility: Visibility,
    pub(crate) generics: Generics,
    /// The path of `hhs_crdt`.
    pub(crate) root: TokenStream,
    /// In the order of the source, which is the order of changes.
    pub(crate) fields: Vec<Field>,
}

#[derive(Clone)]
pub(crate) struct Field {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    pub(crate) name: String,
    span: Span,
    /// What holds the field's mutations while a payload is read.
    pub(crate) mutations: Ident,
    /// The variant of its mutations.
    pub(crate) variant: Ident,
    restrictions: Restrictions,
    /// The path of `hhs_crdt`, pointing at the type: where a type that is no field is reported, once.
    pub(crate) root: TokenStream,
}

impl Kind {
    /// The attribute of such a struct and of its fields.
    fn attribute(self) -> &'static str {
        match self {
            Self::Replica => "replica",
            Self::Field => "field",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Replica => "a replica",
            Self::Field => "a nested field",
        }
    }
}

/// `#[replica(…)]` or `#[field(…)]` on the struct.
struct Attributes {
    class: Option<LitStr>,
    root: TokenStream,
}

impl Attributes {
    fn parse(input: &DeriveInput, kind: Kind) -> syn::Result<Self> {
        let (mut class, mut root) = (None, None);
        each(&input.attrs, kind.attribute(), |meta| {
            if kind == Kind::Replica && meta.path.is_ident("class") {
                return once(&mut class, meta, |meta| meta.value()?.parse());
            }
            if meta.path.is_ident("crate") {
                return once(&mut root, meta, |meta| meta.value()?.call(Path::parse_mod_style));
            }
            Err(meta.error(match kind {
                Kind::Replica => {
                    "unknown attribute of a replica: there are `class = \"…\"` and `crate = path::of::hhs_crdt`"
                }
                Kind::Field => "unknown attribute of a nested field: there is `crate = path::of::hhs_crdt`",
            }))
        })?;
        Ok(Self { class, root: root.map_or_else(crate::roots::crdt, Path::into_token_stream) })
    }
}

impl Struct {
    /// The struct, and the class that it names.
    pub(crate) fn parse(input: &DeriveInput, kind: Kind) -> syn::Result<(Self, Option<LitStr>)> {
        let mut fields = fields(input, kind)?;
        if let Some(lifetime) = input.generics.lifetimes().next() {
            let text = format!("{} owns its state: use field types without lifetimes", kind.words());
            return Err(syn::Error::new_spanned(lifetime, text));
        }
        let Attributes { class, root } = Attributes::parse(input, kind)?;
        for field in &mut fields {
            field.root = respanned(&root, pointing_at(&field.ty));
        }
        let (ident, visibility) = (input.ident.clone(), input.vis.clone());
        Ok((Self { ident, visibility, generics: input.generics.clone(), root, fields }, class))
    }

    pub(crate) fn edit_ident(&self) -> Ident {
        format_ident!("{}Edit", self.ident.unraw())
    }

    /// The generics, with what makes every field one. Where that does not depend on a parameter it is said all the same:
    /// a type that is no field is then reported there, and not once more for every use.
    pub(crate) fn bounded(&self) -> Generics {
        let mut generics = self.generics.clone();
        let bounds = self.fields.iter().map(|Field { ty, root, .. }| -> WherePredicate {
            let bound = quote_spanned!(pointing_at(ty)=> #ty: #root::Field);
            parse_quote!(#bound)
        });
        generics.make_where_clause().predicates.extend(bounds);
        generics
    }

    /// The same, with what every state is.
    pub(crate) fn bounded_state(&self) -> Generics {
        let mut generics = self.bounded();
        for parameter in generics.type_params_mut() {
            parameter.bounds.extend::<[TypeParamBound; 3]>([
                parse_quote!(::core::marker::Send),
                parse_quote!(::core::marker::Sync),
                parse_quote!('static),
            ]);
        }
        generics
    }

    /// The generics of the edit: the lifetime of the state that it starts from before those of the class.
    pub(crate) fn edit_generics(&self) -> Generics {
        let mut generics = self.bounded();
        generics.params.insert(0, parse_quote!('edit));
        generics
    }

    /// Something for each field, pointing at its type.
    pub(crate) fn each(&self, code: impl Fn(&Field) -> TokenStream) -> Vec<TokenStream> {
        self.fields.iter().map(code).collect()
    }

    /// The fields in the order in which they stand in payloads.
    pub(crate) fn canonical(&self) -> Vec<&Field> {
        // Parsing has made sure that the names are distinct.
        canonical(&self.fields).unwrap_or_default()
    }

    /// The struct of edits.
    pub(crate) fn edit_struct(&self, about: &str, must_use: Option<&str>) -> TokenStream {
        let Self { visibility, .. } = self;
        let (edit, generics) = (self.edit_ident(), self.edit_generics());
        let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
        let edit_name = edit.to_string();
        let fields = self.each(|Field { ident, ty, root, .. }| {
            let text = format!("Writes to `{}`.", ident.unraw());
            let ty = quote_spanned!(pointing_at(ty)=> <#ty as #root::Field>::Edit<'edit>);
            quote!(#[doc = #text] pub #ident: #ty)
        });
        let must_use = must_use.map(|text| quote!(#[must_use = #text]));
        quote! {
            #[doc = #about]
            #must_use
            #[allow(unreachable_pub, private_interfaces, private_bounds, trivial_bounds, dead_code)]
            #visibility struct #edit #generics #where_clause {
                #(#fields,)*
            }

            #[automatically_derived]
            #[allow(trivial_bounds)]
            impl #impl_generics ::core::fmt::Debug for #edit #type_generics #where_clause {
                fn fmt(&self, __f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    __f.debug_struct(#edit_name).finish_non_exhaustive()
                }
            }
        }
    }

    /// The functions of a state that replicas and nested fields have in common.
    pub(crate) fn state_functions(&self) -> TokenStream {
        let root = &self.root;
        let observe = self.each(|Field { ident, name, ty, root, .. }| {
            quote_spanned!(pointing_at(ty)=> #root::__private::observe(#name, &mut self.#ident, __op, __changes);)
        });
        let authorise = self.each(|Field { ident, name, ty, root, .. }| {
            quote_spanned!(pointing_at(ty)=> #root::__private::authorise(#name, &mut self.#ident, __holders, __changes);)
        });
        let diff = self.each(|Field { ident, name, ty, root, .. }| {
            quote_spanned!(pointing_at(ty)=> #root::__private::diff(#name, &self.#ident, &__newer.#ident, __changes);)
        });
        let save = self.each(
            |Field { ident, ty, root, .. }| quote_spanned!(pointing_at(ty)=> <#ty as #root::Field>::save(&self.#ident, __saver);),
        );
        let load = self.each(
            |Field { ident, ty, root, .. }| quote_spanned!(pointing_at(ty)=> #ident: <#ty as #root::Field>::load(__loader)?),
        );
        let edits = self.each(
            |Field { ident, ty, root, .. }| quote_spanned!(pointing_at(ty)=> #ident: <#ty as #root::Field>::edit(&self.#ident)),
        );
        let shape = self.each(|field| {
            let (Field { name, ty, root, .. }, restrictions) = (field, field.restrictions().to_string());
            quote_spanned!(pointing_at(ty)=> <#ty as #root::Field>::shape(__shape.name(#name).name(#restrictions));)
        });
        let edit = self.edit_ident();
        quote! {
            fn shape(__shape: &mut #root::__private::Shape) {
                #(#shape)*
            }

            fn observe(
                &mut self,
                __op: &#root::__private::OpContext<'_>,
                __changes: &mut #root::__private::Changes,
            ) {
                #(#observe)*
            }

            fn authorise(
                &mut self,
                __holders: &#root::__private::Holders,
                __changes: &mut #root::__private::Changes,
            ) {
                #(#authorise)*
            }

            fn edit(&self) -> Self::Edit<'_> {
                #edit { #(#edits,)* }
            }

            fn diff(&self, __newer: &Self, __changes: &mut #root::__private::Changes) {
                #(#diff)*
            }

            fn save(&self, __saver: &mut #root::__private::Saver) {
                #(#save)*
            }

            fn load(
                __loader: &mut #root::__private::Loader<'_>,
            ) -> ::core::result::Result<Self, #root::__private::LoadError> {
                ::core::result::Result::Ok(Self { #(#load,)* })
            }
        }
    }

    /// Whether any field has a constant set.
    pub(crate) fn any(&self, constant: &str) -> TokenStream {
        let constant = format_ident!("{constant}");
        let any =
            self.each(|Field { ty, root, .. }| quote_spanned!(pointing_at(ty)=> <#ty as #root::Field>::#constant));
        quote!(false #(|| #any)*)
    }
}

impl Field {
    /// What may be written to it.
    pub(crate) fn restrictions(&self) -> TokenStream {
        self.restrictions.expression(&self.root)
    }
}

fn fields(input: &DeriveInput, kind: Kind) -> syn::Result<Vec<Field>> {
    let words = kind.words();
    let Data::Struct(data) = &input.data else {
        let text = format!(
            "{words} is a struct of replicated fields: put what differs into a field, a `Register<…>` of an enum say"
        );
        return Err(syn::Error::new_spanned(&input.ident, text));
    };
    let named = match &data.fields {
        Fields::Named(named) if !named.named.is_empty() => &named.named,
        Fields::Unnamed(unnamed) => {
            let text = format!("the fields of {words} have names, under which their mutations stand in payloads");
            return Err(syn::Error::new_spanned(unnamed, text));
        }
        Fields::Named(_) | Fields::Unit => {
            let text = format!(
                "{words} without fields has nothing to replicate: give it one, such as `name: Register<String>`"
            );
            return Err(syn::Error::new_spanned(&input.ident, text));
        }
    };
    let mut errors = Errors::default();
    let fields: Vec<Field> =
        named.iter().enumerate().filter_map(|(at, field)| errors.take(parse_field(at, field, kind))).collect();
    errors.take(canonical(&fields).map(drop));
    errors.finish()?;
    Ok(fields)
}

fn parse_field(at: usize, field: &syn::Field, kind: Kind) -> syn::Result<Field> {
    let attributes = FieldAttributes::parse(&field.attrs)?;
    if attributes.default.is_some() || attributes.unknown.is_some() {
        let text = "a replicated field takes `#[hhs(rename = \"…\")]` alone: it begins empty, and nothing else is kept";
        return Err(syn::Error::new_spanned(field, text));
    }
    let ident = field.ident.clone().ok_or_else(|| syn::Error::new_spanned(field, "a field has a name"))?;
    let Key { text: name, span } = Key::of(&ident, attributes.rename);
    Ok(Field {
        variant: variant(&ident),
        restrictions: Restrictions::parse(&field.attrs, kind.attribute())?,
        ident,
        ty: field.ty.clone(),
        name,
        span,
        mutations: format_ident!("__mutations{at}"),
        root: TokenStream::new(),
    })
}

/// `due_date` as a variant is `DueDate`.
fn variant(field: &Ident) -> Ident {
    let mut upper = true;
    let mut name = String::new();
    for char in field.unraw().to_string().chars() {
        match char {
            '_' => upper = true,
            _ if upper => {
                name.extend(char.to_uppercase());
                upper = false;
            }
            _ => name.push(char),
        }
    }
    // Digits can stand in a field's name behind an underscore, and nowhere first in a variant's.
    if name.starts_with(|first: char| first.is_ascii_digit()) || name.is_empty() {
        name.insert(0, '_');
    }
    Ident::new(&name, field.span())
}

/// The fields in the order in which they stand in payloads; a name may be there once.
fn canonical(fields: &[Field]) -> syn::Result<Vec<&Field>> {
    let mut keyed: Vec<(Key, &Field)> =
        fields.iter().map(|field| (Key { text: field.name.clone(), span: field.span }, field)).collect();
    in_canonical_order(&mut keyed, |(key, _)| key)?;
    Ok(keyed.into_iter().map(|(_, field)| field).collect())
}

fn respanned(tokens: &TokenStream, span: Span) -> TokenStream {
    let each = tokens.clone().into_iter().map(|mut token| {
        token.set_span(span);
        token
    });
    each.collect()
}
