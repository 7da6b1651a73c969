//! `#[seam]`: one spelling of "`async_trait`, `Send` except on wasm".

use proc_macro2::TokenStream;
use quote::quote;

pub(crate) fn expand(item: TokenStream) -> TokenStream {
    let root = crate::roots::model();
    quote! {
        #[cfg_attr(target_arch = "wasm32", #root::__private::async_trait(?Send))]
        #[cfg_attr(not(target_arch = "wasm32"), #root::__private::async_trait)]
        #item
    }
}
