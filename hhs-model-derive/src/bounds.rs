//! The bounds that a derived implementation puts on a type's parameters.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use syn::visit::{self, Visit};
use syn::{Generics, Type, TypePath, WherePredicate, parse_quote};

/// `generics`, with `bound` for every type parameter whose values stand in the bytes, and for types associated with one.
///
/// Parameters and not the fields' types are bound, as a type may contain itself. What stands only inside `Link<…>` or
/// `PhantomData<…>` has no values in the bytes.
pub(crate) fn bounded(generics: &Generics, types: &[&Type], bound: &TokenStream) -> Generics {
    let parameters = generics.type_params().map(|parameter| parameter.ident.to_string()).collect();
    let mut usage = Usage { parameters, predicates: Vec::new(), bound };
    for ty in types {
        usage.visit_type(ty);
    }
    let mut generics = generics.clone();
    if !usage.predicates.is_empty() {
        let mut seen = BTreeSet::new();
        usage.predicates.retain(|predicate| seen.insert(quote::quote!(#predicate).to_string()));
        generics.make_where_clause().predicates.extend(usage.predicates);
    }
    generics
}

struct Usage<'a> {
    parameters: BTreeSet<String>,
    predicates: Vec<WherePredicate>,
    bound: &'a TokenStream,
}

impl<'ast> Visit<'ast> for Usage<'_> {
    fn visit_type_path(&mut self, ty: &'ast TypePath) {
        let (Some(first), Some(last)) = (ty.path.segments.first(), ty.path.segments.last()) else { return };
        if last.ident == "Link" || last.ident == "PhantomData" {
            return;
        }
        if ty.qself.is_none() && self.parameters.contains(&first.ident.to_string()) {
            let bound = self.bound;
            self.predicates.push(parse_quote!(#ty: #bound));
            return;
        }
        visit::visit_type_path(self, ty);
    }
}
