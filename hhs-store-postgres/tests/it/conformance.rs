//! The backend under the conformance suite.

use hhs_store::test_kit;
use hhs_store_postgres::{Options, PostgresBackend};

use crate::server::SHARED;

/// Everything that the store above relies on holds for tables on a server, closed and opened again in between.
#[tokio::test]
async fn the_postgres_backend_conforms() {
    test_kit::conformance(async |name: String| open(name, 4).await).await;
}

async fn open(store: String, readers: usize) -> PostgresBackend {
    let options = Options { schema: format!("conformance_{readers}"), store, readers, ..Options::default() };
    PostgresBackend::open(&SHARED.address(), &options).await.unwrap()
}
