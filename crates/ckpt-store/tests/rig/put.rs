//! Puts bytes where a checkpoint, a log or an identity lies, past the store.

use std::sync::Arc;

use ckpt_store::storage::{Access, Storage};

/// Makes `bytes` all there is at `path`.
pub(crate) fn put(storage: &Arc<dyn Storage>, path: &str, bytes: &[u8]) {
    let mut file = match storage.open(path, Access::Write) {
        Ok(file) => file,
        Err(_) => storage.create(path).unwrap(),
    };
    file.set_length(bytes.len() as u64).unwrap();
    assert_eq!(file.write_at(0, bytes).unwrap(), bytes.len());
}
