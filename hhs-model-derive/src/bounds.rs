//! The bounds that a derived implementation puts on a type's parameters.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::quote;
use syn::visit::{self, Visit};
use syn::{Generics, Type, TypePath, WherePredicate, parse_quote};

/// `generics`, with `bound` for every type parameter whose values stand in the bytes, and for types associated with one.
///
/// Parameters and not the fields' types are bound, as a type may contain itself. What stands only inside `Link<…>` or
/// `PhantomData<…>` has no values in the bytes. What stands inside `Nested<…>` is an object, or makes one.
pub(crate) fn bounded(generics: &Generics, types: &[&Type], bound: &TokenStream, root: &TokenStream) -> Generics {
    let parameters = generics.type_params().map(|parameter| parameter.ident.to_string()).collect();
    let object = quote!(#root::object::Object);
    let mut usage = Usage { parameters, predicates: Vec::new(), bound: bound.clone(), object };
    for ty in types {
        usage.visit_type(ty);
    }
    let mut generics = generics.clone();
    if !usage.predicates.is_empty() {
        let mut seen = BTreeSet::new();
        usage.predicates.retain(|predicate| seen.insert(quote!(#predicate).to_string()));
        generics.make_where_clause().predicates.extend(usage.predicates);
    }
    generics
}

struct Usage {
    parameters: BTreeSet<String>,
    predicates: Vec<WherePredicate>,
    bound: TokenStream,
    /// The bound of what is nested.
    object: TokenStream,
}

impl Usage {
    /// Whether a type is a parameter, or associated with one.
    fn is_parameter(&self, ty: &TypePath) -> bool {
        let first = ty.path.segments.first();
        ty.qself.is_none() && first.is_some_and(|first| self.parameters.contains(&first.ident.to_string()))
    }

    /// What stands inside `Nested<…>`: a parameter is an object itself; those further inside make one.
    fn visit_nested(&mut self, ty: &TypePath) {
        let root_bound = std::mem::take(&mut self.bound);
        let object = self.object.clone();
        let inner = quote!(#root_bound + ::core::marker::Send + ::core::marker::Sync + 'static);
        for argument in inside(ty) {
            self.bound = match argument {
                Type::Path(path) if self.is_parameter(path) => object.clone(),
                _ => inner.clone(),
            };
            self.visit_type(argument);
        }
        self.bound = root_bound;
    }
}

impl<'ast> Visit<'ast> for Usage {
    fn visit_type_path(&mut self, ty: &'ast TypePath) {
        let Some(last) = ty.path.segments.last() else { return };
        if last.ident == "Link" || last.ident == "PhantomData" {
            return;
        }
        if self.is_parameter(ty) {
            let bound = &self.bound;
            self.predicates.push(parse_quote!(#ty: #bound));
            return;
        }
        if last.ident == "Nested" {
            return self.visit_nested(ty);
        }
        visit::visit_type_path(self, ty);
    }
}

/// The types inside the last `<…>` of a path.
fn inside(ty: &TypePath) -> Vec<&Type> {
    let arguments = match ty.path.segments.last().map(|last| &last.arguments) {
        Some(syn::PathArguments::AngleBracketed(arguments)) => arguments.args.iter().collect(),
        _ => Vec::new(),
    };
    let types = arguments.into_iter().filter_map(|argument| match argument {
        syn::GenericArgument::Type(ty) => Some(ty),
        _ => None,
    });
    types.collect()
}
