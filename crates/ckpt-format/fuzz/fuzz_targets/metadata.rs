//! Metadata: any bytes are an answer, and what was read is written and read again as the same.
#![no_main]

use ckpt_format::{Fault, Metadata};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    match Metadata::decode(bytes) {
        Err(error) => assert_eq!(error.fault(), Fault::Incompatible, "{error}"),
        // Bytes are compared: NaN is no other value, and equal to none.
        Ok(metadata) => {
            let written = metadata.encode().expect("what was read can be written");
            let again = Metadata::decode(&written).expect("what was written can be read");
            assert_eq!(again.encode().as_ref(), Ok(&written));
        }
    }
    if let Ok(value) = ckpt_format::json::from_slice::<serde_json::Value>(bytes) {
        let written = ckpt_format::json::to_vec(&value.0).expect("what was read can be written");
        let (again, _) =
            ckpt_format::json::from_slice::<serde_json::Value>(&written).expect("and read again");
        assert_eq!(again, value.0);
    }
    let _ = ckpt_format::json::check(bytes);
});
