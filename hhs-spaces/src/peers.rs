//! What a device remembers of a space beside its contents: where its peers were, and the secret of its invitation.

use hhs_mesh::PeerAddress;
use hhs_model::codec::{decode, encode};
use hhs_model::{ReplicaId, Runtime};
use hhs_store::{Store, StoreError};

use crate::address::SECRET_BYTES;

/// Addresses remembered for one space; the ones that were of use last.
const MOST: usize = 32;

/// The addresses at which peers of a space were reached, the latest first.
pub(crate) async fn known(store: &Store, space: ReplicaId) -> Result<Vec<PeerAddress>, StoreError> {
    let Some(bytes) = store.local(&peers_name(space)).await? else { return Ok(Vec::new()) };
    let texts: Vec<String> = decode(&bytes)?;
    // What an older program has written and this one cannot read is of no use to it.
    Ok(texts.iter().filter_map(|text| text.parse().ok()).collect())
}

/// Remembers that a peer of a space was reached at an address.
pub(crate) async fn remember(store: &Store, space: ReplicaId, address: &PeerAddress) -> Result<(), StoreError> {
    let mut addresses = known(store, space).await?;
    if addresses.first() == Some(address) {
        return Ok(());
    }
    addresses.retain(|known| known != address);
    addresses.insert(0, address.clone());
    addresses.truncate(MOST);
    let texts: Vec<String> = addresses.iter().map(PeerAddress::to_string).collect();
    store.set_local(&peers_name(space), Some(&encode(&texts)?)).await
}

/// The secret by which this device lets others into a space, if it has made one.
pub(crate) async fn secret(store: &Store, space: ReplicaId) -> Result<Option<[u8; SECRET_BYTES]>, StoreError> {
    let bytes = store.local(&secret_name(space)).await?;
    Ok(bytes.and_then(|bytes| bytes.try_into().ok()))
}

/// The secret by which this device lets others into a space; made now if there is none.
pub(crate) async fn secret_or_new(
    store: &Store,
    space: ReplicaId,
    runtime: &dyn Runtime,
) -> Result<[u8; SECRET_BYTES], StoreError> {
    if let Some(secret) = secret(store, space).await? {
        return Ok(secret);
    }
    let mut secret = [0; SECRET_BYTES];
    runtime.fill_random(&mut secret);
    store.set_local(&secret_name(space), Some(&secret)).await?;
    Ok(secret)
}

fn peers_name(space: ReplicaId) -> String {
    format!("space/{space}/peers")
}

fn secret_name(space: ReplicaId) -> String {
    format!("space/{space}/secret")
}
