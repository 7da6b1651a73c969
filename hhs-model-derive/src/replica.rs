//! `derive(Replica)`: a struct of replicated fields as a class of replicas, and the struct of its edits.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{Data, DeriveInput, Fields, Generics, Ident, LitStr, Path, Type, Visibility, WherePredicate, parse_quote};

use crate::attributes::{FieldAttributes, checked_class, each, once};
use crate::item::{Errors, Key, in_canonical_order, pointing_at};

pub(crate) fn expand(input: &DeriveInput) -> syn::Result<TokenStream> {
    let class = Class::parse(input)?;
    let edit = edit_struct(&class);
    let implementation = implementation(&class);
    Ok(quote!(#edit #implementation))
}

/// A class of replicas as it is declared.
struct Class {
    ident: Ident,
    visibility: Visibility,
    generics: Generics,
    name: LitStr,
    /// The path of `hhs_crdt`.
    root: TokenStream,
    /// In the order of the source, which is the order of changes.
    fields: Vec<Field>,
}

#[derive(Clone)]
struct Field {
    ident: Ident,
    ty: Type,
    name: String,
    span: Span,
    /// What holds the field's mutations while a payload is read.
    mutations: Ident,
    /// The path of `hhs_crdt`, pointing at the type: where a type that is no field is reported, once.
    root: TokenStream,
}

impl Class {
    fn parse(input: &DeriveInput) -> syn::Result<Self> {
        let mut fields = fields(input)?;
        if let Some(lifetime) = input.generics.lifetimes().next() {
            return Err(syn::Error::new_spanned(
                lifetime,
                "a replica owns its state: use field types without lifetimes",
            ));
        }
        let Attributes { name, root } = Attributes::parse(input)?;
        for field in &mut fields {
            field.root = respanned(&root, pointing_at(&field.ty));
        }
        let (ident, visibility) = (input.ident.clone(), input.vis.clone());
        Ok(Self { ident, visibility, generics: input.generics.clone(), name, root, fields })
    }

    fn edit_ident(&self) -> Ident {
        format_ident!("{}Edit", self.ident.unraw())
    }

    /// The generics, with what makes every field one. Where that does not depend on a parameter it is said all the same:
    /// a type that is no field is then reported there, and not once more for every use.
    fn bounded(&self) -> Generics {
        let mut generics = self.generics.clone();
        let bounds = self.fields.iter().map(|Field { ty, root, .. }| -> WherePredicate {
            let bound = quote_spanned!(pointing_at(ty)=> #ty: #root::Field);
            parse_quote!(#bound)
        });
        generics.make_where_clause().predicates.extend(bounds);
        generics
    }

    /// The generics of the edit: the lifetime of the state that it starts from before those of the class.
    fn edit_generics(&self) -> Generics {
        let mut generics = self.bounded();
        generics.params.insert(0, parse_quote!('edit));
        generics
    }
}

/// `#[replica(…)]`.
struct Attributes {
    name: LitStr,
    root: TokenStream,
}

impl Attributes {
    fn parse(input: &DeriveInput) -> syn::Result<Self> {
        let (mut name, mut root) = (None, None);
        each(&input.attrs, "replica", |meta| {
            if meta.path.is_ident("class") {
                return once(&mut name, meta, |meta| meta.value()?.parse());
            }
            if meta.path.is_ident("crate") {
                return once(&mut root, meta, |meta| meta.value()?.call(Path::parse_mod_style));
            }
            Err(meta
                .error("unknown attribute of a replica: there are `class = \"…\"` and `crate = path::of::hhs_crdt`"))
        })?;
        let name = name.ok_or_else(|| {
            let text =
                "a replica has a class: add `#[replica(class = \"app/v1/Name\")]`, which names the type for good";
            syn::Error::new_spanned(&input.ident, text)
        })?;
        Ok(Self { name: checked_class(name)?, root: root.map_or_else(crate::roots::crdt, Path::into_token_stream) })
    }
}

fn fields(input: &DeriveInput) -> syn::Result<Vec<Field>> {
    let Data::Struct(data) = &input.data else {
        let text =
            "a replica is a struct of replicated fields: put what differs into a field, a `Register<…>` of an enum say";
        return Err(syn::Error::new_spanned(&input.ident, text));
    };
    let named = match &data.fields {
        Fields::Named(named) if !named.named.is_empty() => &named.named,
        Fields::Unnamed(unnamed) => {
            let text = "the fields of a replica have names, under which their mutations stand in payloads";
            return Err(syn::Error::new_spanned(unnamed, text));
        }
        Fields::Named(_) | Fields::Unit => {
            let text =
                "a replica without fields has nothing to replicate: give it one, such as `name: Register<String>`";
            return Err(syn::Error::new_spanned(&input.ident, text));
        }
    };
    let mut errors = Errors::default();
    let fields: Vec<Field> =
        named.iter().enumerate().filter_map(|(at, field)| errors.take(parse_field(at, field))).collect();
    errors.take(canonical(&fields).map(drop));
    errors.finish()?;
    Ok(fields)
}

fn parse_field(at: usize, field: &syn::Field) -> syn::Result<Field> {
    let attributes = FieldAttributes::parse(&field.attrs)?;
    if attributes.default.is_some() || attributes.unknown.is_some() {
        let text =
            "a field of a replica takes `#[hhs(rename = \"…\")]` alone: it begins empty, and nothing else is kept";
        return Err(syn::Error::new_spanned(field, text));
    }
    let ident = field.ident.clone().ok_or_else(|| syn::Error::new_spanned(field, "a field has a name"))?;
    let Key { text: name, span } = Key::of(&ident, attributes.rename);
    Ok(Field {
        ident,
        ty: field.ty.clone(),
        name,
        span,
        mutations: format_ident!("__mutations{at}"),
        root: TokenStream::new(),
    })
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

fn edit_struct(class: &Class) -> TokenStream {
    let Class { ident, visibility, .. } = class;
    let (edit, generics) = (class.edit_ident(), class.edit_generics());
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    let edit_name = edit.to_string();
    let fields = class.fields.iter().map(|Field { ident, ty, root, .. }| {
        let text = format!("Writes to `{}`.", ident.unraw());
        let ty = quote_spanned!(pointing_at(ty)=> #root::Edit<'edit, #ty>);
        quote!(#[doc = #text] pub #ident: #ty)
    });
    let text = format!("Records writes to a [`{ident}`], to become one op.");
    quote! {
        #[doc = #text]
        #[must_use = "writes become an op with `Replica::finish`, and are lost without"]
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

fn implementation(class: &Class) -> TokenStream {
    let Class { ident, root, name, .. } = class;
    let (edit, edit_generics) = (class.edit_ident(), class.edit_generics());
    let (_, edit_type, _) = edit_generics.split_for_impl();
    let mut generics = class.bounded();
    for parameter in generics.type_params_mut() {
        parameter.bounds.extend::<[syn::TypeParamBound; 3]>([
            parse_quote!(::core::marker::Send),
            parse_quote!(::core::marker::Sync),
            parse_quote!('static),
        ]);
    }
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    let new = class.fields.iter().map(
        |Field { ident, ty, root, .. }| quote_spanned!(pointing_at(ty)=> #ident: <#ty as #root::Field>::new(__founding)),
    );
    let edits = class
        .fields
        .iter()
        .map(|Field { ident, ty, root, .. }| quote_spanned!(pointing_at(ty)=> #ident: #root::Edit::new(&self.#ident)));
    let (apply, finish) = (apply_body(class), finish_body(class));
    quote! {
        #[automatically_derived]
        #[allow(trivial_bounds)]
        impl #impl_generics #root::Replica for #ident #type_generics #where_clause {
            const CLASS: &'static ::core::primitive::str = #name;

            type Edit<'edit> = #edit #edit_type;

            fn new(__founding: &#root::__private::Founding) -> Self {
                Self { #(#new,)* }
            }

            fn apply(
                &mut self,
                __op: &#root::__private::OpContext<'_>,
                __payload: ::core::option::Option<&[::core::primitive::u8]>,
                __changes: &mut #root::__private::Changes,
            ) -> ::core::result::Result<(), #root::__private::Void> {
                #apply
            }

            fn edit(&self) -> Self::Edit<'_> {
                #edit { #(#edits,)* }
            }

            fn finish(
                __edit: Self::Edit<'_>,
            ) -> ::core::result::Result<#root::__private::Draft, #root::__private::EditError> {
                #finish
            }
        }
    }
}

/// Everything is decoded before anything is applied. The act counts whatever became of the payload: authority has judged
/// it without.
fn apply_body(class: &Class) -> TokenStream {
    let root = &class.root;
    let declare = class.fields.iter().map(|Field { mutations, ty, root, .. }| {
        let ty = quote_spanned!(pointing_at(ty)=> #root::__private::Mutations<#ty>);
        quote!(let mut #mutations: #ty = ::core::default::Default::default();)
    });
    let read = class.fields.iter().map(|Field { mutations, ty, name, .. }| {
        let read = quote_spanned!(pointing_at(ty)=> __reader.mutations::<#ty>()?);
        quote!(#name => #mutations = #read,)
    });
    let apply = class.fields.iter().map(|Field { ident, mutations, name, ty, root, .. }| {
        quote_spanned!(pointing_at(ty)=> #root::__private::apply(#name, &mut self.#ident, #mutations, __op, __changes);)
    });
    let act = class.fields.iter().map(|Field { ident, name, ty, root, .. }| {
        quote_spanned!(pointing_at(ty)=> #root::__private::act(#name, &mut self.#ident, __op, __act, __changes);)
    });
    quote! {
        #(#declare)*
        let mut __read = || -> ::core::result::Result<(), #root::__private::Void> {
            let ::core::option::Option::Some(__payload) = __payload else {
                return ::core::result::Result::Ok(());
            };
            let mut __reader = #root::__private::PayloadReader::new(__payload)?;
            while let ::core::option::Option::Some(__field) = __reader.next_field()? {
                match __field {
                    #(#read)*
                    _ => return ::core::result::Result::Err(__reader.unknown_field().into()),
                }
            }
            ::core::result::Result::Ok(())
        };
        let __read = __read();
        if let ::core::option::Option::Some(__act) = __op.act {
            #(#act)*
        }
        __read?;
        #(#apply)*
        ::core::result::Result::Ok(())
    }
}

fn finish_body(class: &Class) -> TokenStream {
    let root = &class.root;
    // Parsing has made sure that the names are distinct.
    let fields = canonical(&class.fields).unwrap_or_default();
    let recorded =
        fields.iter().map(|Field { ident, name, ty, .. }| quote_spanned!(pointing_at(ty)=> (#name, &__edit.#ident)));
    quote!(#root::__private::finish(&[#(#recorded),*]))
}
